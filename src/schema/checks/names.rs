//! Names, tags, methods, header names.

use serde_json::Value;

const NAME_RULE: &str = "the only accepted ascii characters are alphanumerics or ., -, _, and ~";

/// Alphanumerics, `. - _ ~` and any UTF-8 beyond ASCII.
pub fn name(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_~".contains(c);
    let sound = text.chars().all(|c| if c.is_ascii() { plain(c) } else { !c.is_control() });
    (!sound).then(|| format!("invalid value '{text}': {NAME_RULE}"))
}

/// Printable, without `,` and `/`, which separate tags in queries.
pub fn tag(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let sound = text.chars().all(|c| !c.is_control() && c != ',' && c != '/');
    let text = (!sound).then_some(text)?;
    Some(format!("invalid tag '{text}': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"))
}

/// Upper-case letters.
pub fn method(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let sound = text.bytes().all(|byte| byte.is_ascii_uppercase());
    (!sound).then(|| format!("invalid value: {text}"))
}

/// A header's name, as a key of a route's `headers`.
pub fn header_name(name: &str) -> Option<String> {
    if name.eq_ignore_ascii_case("host") {
        return Some("cannot contain 'host' header, which must be specified in the 'hosts' attribute".to_owned());
    }
    bad_header_name(name)
}

/// Any header's name.
pub fn header_field(value: &Value) -> Option<String> {
    bad_header_name(value.as_str()?)
}

fn bad_header_name(name: &str) -> Option<String> {
    let sound = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (!sound).then(|| format!("bad header name '{name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_take_four_signs_and_any_language() {
        for good in ["a-b.c_d~9", "día", "路由", "😀"] {
            assert_eq!(name(&json!(good)), None, "{good}");
        }
        for bad in ["a b", "a/b", "a:b", "a\nb"] {
            let text = name(&json!(bad)).unwrap();
            assert!(text.starts_with(&format!("invalid value '{bad}': the only accepted")), "{text}");
        }
    }

    #[test]
    fn tags_take_blanks_but_not_what_separates_them() {
        assert_eq!(tag(&json!("team red: 1 ✓")), None);
        for bad in ["a,b", "a/b", "a\tb"] {
            assert!(tag(&json!(bad)).unwrap().starts_with(&format!("invalid tag '{bad}': expected printable ascii")));
        }
    }

    #[test]
    fn methods_are_upper_case() {
        assert_eq!(method(&json!("PURGE")), None);
        assert_eq!(method(&json!("get")).as_deref(), Some("invalid value: get"));
    }

    #[test]
    fn a_route_matches_hosts_by_hosts_only() {
        assert_eq!(header_name("X-Version"), None);
        assert!(header_name("HOST").unwrap().starts_with("cannot contain 'host' header"));
        assert!(header_name("a b").unwrap().starts_with("bad header name 'a b'"));
    }
}
