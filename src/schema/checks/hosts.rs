//! Hosts of services, hosts of routes, server names.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

/// What a host text turned out to be.
enum Host {
    Name,
    Address,
}

struct Parsed {
    host: Host,
    port: bool,
}

/// A host of a service: a name or an address, without port.
pub fn host(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    match parse(text) {
        None => Some(format!("invalid value: {text}")),
        Some(Parsed { port: true, .. }) => Some("must not have a port".to_owned()),
        Some(_) => None,
    }
}

/// A host of a route: `x`, `*.x`, `x.*`, each with or without port.
pub fn route_host(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let stars = text.matches('*').count();
    if stars > 1 {
        return Some("invalid wildcard: must have at most one wildcard".to_owned());
    }
    let name = text.split(':').next().unwrap_or_default();
    if stars == 1 && !name.starts_with("*.") && !name.ends_with(".*") {
        return Some("invalid wildcard: must be placed at leftmost or rightmost label".to_owned());
    }
    parse(&text.replace('*', "w")).is_none().then(|| format!("invalid value: {text}"))
}

/// A server name (TLS): a name, no address, no port.
pub fn sni(value: &Value) -> Option<String> {
    server_name(value.as_str()?)
}

/// A server name that may begin or end with `*`.
pub fn wildcard_sni(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    match text.matches('*').count() {
        0 => server_name(text),
        1 if text.len() > 1 && (text.starts_with('*') || text.ends_with('*')) => server_name(&text.replace('*', "w")),
        1 => Some("wildcard must be leftmost or rightmost character".to_owned()),
        _ => Some("only one wildcard must be specified".to_owned()),
    }
}

fn server_name(text: &str) -> Option<String> {
    match parse(text) {
        None => Some(format!("invalid value: {text}")),
        Some(Parsed { host: Host::Address, .. }) => Some("must not be an IP".to_owned()),
        Some(Parsed { port: true, .. }) => Some("must not have a port".to_owned()),
        Some(_) => None,
    }
}

fn parse(text: &str) -> Option<Parsed> {
    if let Some(rest) = text.strip_prefix('[') {
        let (inner, after) = rest.split_once(']')?;
        inner.parse::<Ipv6Addr>().ok()?;
        return Some(Parsed {
            host: Host::Address,
            port: port(after.strip_prefix(':').filter(|_| !after.is_empty()))?,
        })
        .filter(|_| after.is_empty() || after.starts_with(':'));
    }
    if text.matches(':').count() > 1 {
        text.parse::<Ipv6Addr>().ok()?;
        return Some(Parsed { host: Host::Address, port: false });
    }
    let (name, digits) = match text.split_once(':') {
        Some((name, digits)) => (name, Some(digits)),
        None => (text, None),
    };
    let port = port(digits)?;
    let numeric = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if numeric && name.matches('.').count() == 3 {
        name.parse::<Ipv4Addr>().ok()?;
        return Some(Parsed { host: Host::Address, port });
    }
    is_name(name).then_some(Parsed { host: Host::Name, port })
}

/// Whether there is a port; `None` when it is not a number of a port.
fn port(digits: Option<&str>) -> Option<bool> {
    let Some(digits) = digits else { return Some(false) };
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    number.then_some(true)
}

/// Labels of letters, digits, `-` and `_`; no empty label but one after a final dot.
fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        inner && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    !name.is_empty() && name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hosts_are_names_or_addresses_without_port() {
        for good in ["example.com", "up_stream", "10.0.0.1", "::1", "[::1]", "a.b.", "localhost"] {
            assert_eq!(host(&json!(good)), None, "{good}");
        }
        for bad in ["", "a b", "-a.com", "a..b", "1.2.3.400", "*.a", "ä.de", "[::1", "a:b:c"] {
            assert_eq!(host(&json!(bad)), Some(format!("invalid value: {bad}")), "{bad}");
        }
        assert_eq!(host(&json!("a.com:80")).as_deref(), Some("must not have a port"));
        assert_eq!(host(&json!("[::1]:80")).as_deref(), Some("must not have a port"));
    }

    #[test]
    fn route_hosts_take_one_wildcard_at_an_end_and_a_port() {
        for good in ["a.com", "*.a.com", "a.*", "a.com:8000", "*.a.com:8000", "10.0.0.1:80"] {
            assert_eq!(route_host(&json!(good)), None, "{good}");
        }
        let at_most = "invalid wildcard: must have at most one wildcard";
        assert_eq!(route_host(&json!("*.a.*")).as_deref(), Some(at_most));
        let placed = "invalid wildcard: must be placed at leftmost or rightmost label";
        for bad in ["a.*.b", "*a.com", "*"] {
            assert_eq!(route_host(&json!(bad)).as_deref(), Some(placed), "{bad}");
        }
        assert_eq!(route_host(&json!("a.com:x")).as_deref(), Some("invalid value: a.com:x"));
    }

    #[test]
    fn server_names_are_names() {
        assert_eq!(sni(&json!("a.com")), None);
        assert_eq!(sni(&json!("127.0.0.1")).as_deref(), Some("must not be an IP"));
        assert_eq!(sni(&json!("a.com:443")).as_deref(), Some("must not have a port"));
        assert_eq!(wildcard_sni(&json!("*.a.com")), None);
        assert_eq!(wildcard_sni(&json!("a.*")), None);
        let middle = "wildcard must be leftmost or rightmost character";
        assert_eq!(wildcard_sni(&json!("a.*.com")).as_deref(), Some(middle));
        assert_eq!(wildcard_sni(&json!("*.a.*")).as_deref(), Some("only one wildcard must be specified"));
    }
}
