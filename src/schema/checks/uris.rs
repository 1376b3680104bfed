//! URLs, split as Kong's library splits them.

use serde_json::Value;

/// The parts of a URL; a part that is not there is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitUrl<'u> {
    pub scheme: Option<&'u str>,
    pub host: Option<&'u str>,
    pub port: Option<&'u str>,
    pub path: Option<&'u str>,
    pub fragment: Option<&'u str>,
}

/// Splits a text; whatever remains after scheme and authority is the path, so every text splits somehow.
pub fn split_url(url: &str) -> SplitUrl<'_> {
    let mut parts = SplitUrl::default();
    let mut rest = url;
    if let Some((before, fragment)) = rest.split_once('#') {
        rest = before;
        parts.fragment = Some(fragment);
    }
    let scheme = rest.find(':').map(|at| rest.split_at(at)).filter(|(scheme, _)| is_scheme(scheme));
    if let Some((scheme, after)) = scheme {
        parts.scheme = Some(scheme);
        rest = &after[1..];
    }
    if let Some(after) = rest.strip_prefix("//") {
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, after) = after.split_at(end);
        rest = after;
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = split_port(authority);
        parts.host = Some(host).filter(|host| !host.is_empty());
        parts.port = port;
    }
    let path = rest.split('?').next().unwrap_or_default();
    parts.path = Some(path).filter(|path| !path.is_empty());
    parts
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    if let Some((inner, after)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (inner, after.strip_prefix(':'));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port).filter(|port| !port.is_empty())),
        None => (authority, None),
    }
}

/// A redirect URI: absolute, with a host, without fragment.
pub fn redirect_uri(value: &Value) -> Option<String> {
    let uri = value.as_str()?;
    let parts = split_url(uri);
    let printable = uri.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if parts.scheme.is_none() || parts.host.is_none() || !printable {
        return Some(format!("cannot parse '{uri}'"));
    }
    parts.fragment.is_some().then(|| format!("fragment not allowed in '{uri}'"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_url_splits_into_its_parts() {
        let parts = split_url("https://user@example.com:8443/a/b?x=1#top");
        assert_eq!((parts.scheme, parts.host, parts.port), (Some("https"), Some("example.com"), Some("8443")));
        assert_eq!((parts.path, parts.fragment), (Some("/a/b"), Some("top")));
        assert_eq!(split_url("http://[::1]:80/").host, Some("::1"));
        assert_eq!(split_url("nonsense"), SplitUrl { path: Some("nonsense"), ..SplitUrl::default() });
        assert_eq!(split_url("http://a.com").path, None);
    }

    #[test]
    fn redirect_uris_are_absolute_and_without_fragment() {
        for good in ["http://a.com/cb", "https://a.com", "myapp://callback", "http://localhost:3000/cb?x=1"] {
            assert_eq!(redirect_uri(&json!(good)), None, "{good}");
        }
        for bad in ["not a url", "/cb", "a.com", "", "http://a.com/\r\nX: 1"] {
            assert_eq!(redirect_uri(&json!(bad)), Some(format!("cannot parse '{bad}'")), "{bad}");
        }
        let text = redirect_uri(&json!("http://a.com/#x"));
        assert_eq!(text.as_deref(), Some("fragment not allowed in 'http://a.com/#x'"));
    }

    proptest! {
        #[test]
        fn no_uri_panics_and_what_is_registered_can_stand_in_a_header(text in "([a-z:/?#@\\[\\]0-9.]|\\PC|[\r\n\t ]){0,40}") {
            let _ = split_url(&text);
            if redirect_uri(&json!(text)).is_none() {
                prop_assert!(text.contains("://") && !text.contains('#'));
                prop_assert!(!text.chars().any(|letter| letter.is_control() || letter.is_whitespace()));
            }
        }
    }
}
