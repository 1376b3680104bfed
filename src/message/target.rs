//! Request targets and authorities (RFC 9112 §3.2).

use super::Refusal;

pub(super) struct Target<'t> {
    pub path: &'t [u8],
    pub query: Option<&'t [u8]>,
    /// Of an absolute-form target.
    pub authority: Option<&'t [u8]>,
}

/// Takes a target apart. `target` is a slice of what httparse accepted: no white space, no control bytes.
pub(super) fn parse<'t>(method: &[u8], target: &'t [u8]) -> Result<Target<'t>, Refusal> {
    if target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f || *byte == b'#') {
        return Err(Refusal::Target);
    }
    if target == b"*" {
        let allowed = method == b"OPTIONS";
        return if allowed { Ok(Target { path: target, query: None, authority: None }) } else { Err(Refusal::Target) };
    }
    if target.first() == Some(&b'/') {
        let (path, query) = split_query(target);
        return if is_escaped_well(path) { Ok(Target { path, query, authority: None }) } else { Err(Refusal::Target) };
    }
    let rest = after_scheme(target).ok_or(Refusal::Target)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if !is_authority(authority) {
        return Err(Refusal::Target);
    }
    let (mut path, query) = split_query(rest);
    if path.is_empty() {
        let whole_server = method == b"OPTIONS" && query.is_none();
        path = if whole_server { b"*" } else { b"/" };
    }
    if is_escaped_well(path) { Ok(Target { path, query, authority: Some(authority) }) } else { Err(Refusal::Target) }
}

/// Whether every `%` has its two digits. One that has not could gain them when others are decoded: `%%32e` would become
/// `%2e`, which nobody has judged. nginx refuses such paths, too.
fn is_escaped_well(path: &[u8]) -> bool {
    memchr::memchr_iter(b'%', path).all(|at| {
        let digits = path.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'?', target) {
        Some(mark) => (&target[..mark], Some(&target[mark + 1..])),
        None => (target, None),
    }
}

fn after_scheme(target: &[u8]) -> Option<&[u8]> {
    let length = [&b"http://"[..], b"https://"].into_iter().find_map(|scheme| {
        let begins = target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        begins.then_some(scheme.len())
    })?;
    Some(&target[length..])
}

/// Whether this is `host`, `host:port`, `[v6]` or `[v6]:port`, in letters every server reads alike.
pub fn is_authority(text: &[u8]) -> bool {
    let (host, port) = match text.first() {
        Some(b'[') => {
            let Some(end) = memchr::memchr(b']', text) else { return false };
            let address = std::str::from_utf8(&text[1..end]).ok();
            if address.and_then(|address| address.parse::<std::net::Ipv6Addr>().ok()).is_none() {
                return false;
            }
            (None, &text[end + 1..])
        }
        _ => {
            let end = memchr::memchr(b':', text).unwrap_or(text.len());
            (Some(&text[..end]), &text[end..])
        }
    };
    let host_is_good = host.is_none_or(|host| {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        !host.is_empty() && host.len() <= 255 && host.iter().fold(true, |good, byte| good & allowed(byte))
    });
    host_is_good && is_port(port)
}

/// Empty, or a colon and a number up to 65535.
fn is_port(text: &[u8]) -> bool {
    match text.split_first() {
        None => true,
        Some((b':', digits)) => {
            let number = digits.iter().try_fold(0u32, |number, digit| {
                digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')).filter(|number| *number <= 65_535)
            });
            !digits.is_empty() && number.is_some()
        }
        Some(_) => false,
    }
}
