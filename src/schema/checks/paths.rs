//! Paths of services and routes.

use regex::RegexBuilder;
use serde_json::Value;

/// Bytes of a compiled pattern: a hostile one does not eat the memory.
const REGEX_SIZE: usize = 1 << 20;

/// A service's path: a prefix that requests get.
pub fn service_path(value: &Value) -> Option<String> {
    let path = value.as_str()?;
    if !path.starts_with('/') {
        return Some("should start with: /".to_owned());
    }
    plain(path)
}

/// A route's path: a prefix from `/`, or a pattern from `~/`.
pub fn route_path(value: &Value) -> Option<String> {
    let path = value.as_str()?;
    if let Some(pattern) = path.strip_prefix('~') {
        if !pattern.starts_with('/') {
            return Some("should start with: / (fixed path) or ~/ (regex path)".to_owned());
        }
        return regex(pattern);
    }
    if !path.starts_with('/') {
        return Some("should start with: / (fixed path) or ~/ (regex path)".to_owned());
    }
    plain(path).or_else(|| {
        let normal = normalized(path);
        (normal != path).then(|| format!("non-normalized path, consider use '{normal}' instead"))
    })
}

/// A pattern that compiles.
pub fn regex(pattern: &str) -> Option<String> {
    let fault = RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build().err()?;
    let why = fault.to_string();
    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").trim();
    Some(format!("invalid regex: '{pattern}' ({why})"))
}

fn plain(path: &str) -> Option<String> {
    if path.contains("//") {
        return Some("must not have empty segments".to_owned());
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%:@!$&'()*+,;=".contains(&byte);
    if !path.bytes().all(allowed) {
        return Some(format!("invalid path: '{path}' (characters outside of the reserved list of RFC 3986 found)"));
    }
    bad_escape(path).map(|escape| format!("invalid url-encoded value: '{escape}'"))
}

/// The first `%` that two hexadecimal digits do not follow, with what follows.
fn bad_escape(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            at += 1;
            continue;
        }
        let escape = &bytes[at..bytes.len().min(at + 3)];
        if escape.len() < 3 || !escape[1..].iter().all(u8::is_ascii_hexdigit) {
            return Some(String::from_utf8_lossy(escape).into_owned());
        }
        at += 3;
    }
    None
}

/// Escapes of unreserved characters decoded, other escapes in upper case, dot segments resolved (RFC 3986 §6.2.2).
fn normalized(path: &str) -> String {
    let mut bytes = path.bytes();
    let mut decoded = String::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(char::from(byte));
            continue;
        }
        let digits: String = bytes.by_ref().take(2).map(|digit| char::from(digit.to_ascii_uppercase())).collect();
        match u8::from_str_radix(&digits, 16) {
            Ok(plain) if plain.is_ascii_alphanumeric() || b"-._~".contains(&plain) => decoded.push(char::from(plain)),
            _ => {
                decoded.push('%');
                decoded.push_str(&digits);
            }
        }
    }
    without_dots(&decoded)
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (nth, segment) in segments.iter().enumerate() {
        let last = nth + 1 == segments.len();
        match *segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sound_paths_pass() {
        for path in ["/", "/a/b", "/a/b/", "/a%20b", "/a:b@c", "/.well-known", "/a..b"] {
            assert_eq!(service_path(&json!(path)), None, "{path}");
            assert_eq!(route_path(&json!(path)), None, "{path}");
        }
        assert_eq!(route_path(&json!(r"~/user/\d+$")), None);
    }

    #[test]
    fn each_fault_of_a_path_has_its_text() {
        let cases = [
            ("a", "should start with: / (fixed path) or ~/ (regex path)"),
            ("~a", "should start with: / (fixed path) or ~/ (regex path)"),
            ("/a//b", "must not have empty segments"),
            ("/a b", "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)"),
            ("/a%zz", "invalid url-encoded value: '%zz'"),
            ("/a%", "invalid url-encoded value: '%'"),
            ("/a/../b", "non-normalized path, consider use '/b' instead"),
            ("/%61/%c3%a4", "non-normalized path, consider use '/a/%C3%A4' instead"),
            ("/a/.", "non-normalized path, consider use '/a/' instead"),
        ];
        for (path, text) in cases {
            assert_eq!(route_path(&json!(path)).as_deref(), Some(text), "{path}");
        }
        assert_eq!(service_path(&json!("a")).as_deref(), Some("should start with: /"));
    }

    #[test]
    fn a_broken_or_monstrous_pattern_is_refused() {
        assert!(route_path(&json!("~/(a")).unwrap().starts_with("invalid regex: '/(a' ("));
        assert!(route_path(&json!("~/((a{1000}){1000}){1000}")).is_some());
    }
}
