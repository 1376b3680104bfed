//! Request heads whose parts come apart: the pseudo-header fields of HTTP/2 (RFC 9113 §8.3.1), judged as strictly as a
//! head of HTTP/1.1, for that is what an upstream may get of them.

use super::framing::{self, BodyLength, Version};
use super::headers::{Line, Place};
use super::request::{MAX_FIELDS, MAX_METHOD, RequestFrame};
use super::{Refusal, RequestHead, target};

/// What stands before the fields of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pseudo<'p> {
    pub method: &'p [u8],
    /// Path with query, or `*`.
    pub path: &'p [u8],
    /// `:authority`; `None` when it was not sent.
    pub authority: Option<&'p [u8]>,
    /// `:protocol` of an extended CONNECT (RFC 8441).
    pub protocol: Option<&'p [u8]>,
}

/// Completes a head that has its fields already.
///
/// `ended`: no body follows. Of a request without Content-Length the body ends with its stream, which
/// [`BodyLength::Chunked`] says here. An extended CONNECT for WebSocket becomes the GET that begins one in HTTP/1.1, as
/// routes and plugins know it.
///
/// # Errors
/// What is wrong with the head.
pub fn complete_head(pseudo: Pseudo<'_>, ended: bool, head: &mut RequestHead) -> Result<RequestFrame, Refusal> {
    if head.headers.len() > MAX_FIELDS {
        return Err(Refusal::TooManyFields);
    }
    let upgrade = match pseudo.protocol {
        Some(b"websocket") if pseudo.method == b"CONNECT" => true,
        Some(_) => return Err(Refusal::Method),
        None => false,
    };
    let method = if upgrade { b"GET" } else { pseudo.method };
    if method == b"CONNECT" || method.is_empty() || method.len() > MAX_METHOD {
        return Err(Refusal::Method);
    }
    let target = target::parse(method, pseudo.path)?;
    if target.authority.is_some() {
        return Err(Refusal::Target);
    }
    head.line = Line {
        method: head.headers.keep(method),
        path: head.headers.keep(target.path),
        query: target.query.map(|query| head.headers.keep(query)),
        host: host(head, pseudo.authority)?,
    };
    let mut expects_continue = false;
    for expectation in head.headers.all("expect") {
        if !expectation.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::Expectation);
        }
        expects_continue = !ended;
    }
    let body = match framing::declared(&head.headers, Version::Http2)? {
        // What comes on the stream are frames of WebSocket.
        _ if upgrade || ended => BodyLength::NONE,
        Some(length @ BodyLength::Exact(_)) => length,
        Some(_) => return Err(Refusal::Encoding),
        None => BodyLength::Chunked,
    };
    Ok(RequestFrame { version: Version::Http2, body, keep_alive: true, expects_continue, upgrade })
}

/// `:authority` or Host; both only where they agree (RFC 9113 §8.3.1).
fn host(head: &mut RequestHead, authority: Option<&[u8]>) -> Result<Place, Refusal> {
    let headers = &mut head.headers;
    let mut hosts = headers.places("host");
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::RepeatedHost);
    }
    drop(hosts);
    let found = match (authority, host) {
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(headers.part(host)) => {
            return Err(Refusal::Host);
        }
        (Some(authority), _) => headers.keep(authority),
        (None, Some(host)) => host,
        (None, None) => return Err(Refusal::MissingHost),
    };
    if target::is_authority(headers.part(found)) { Ok(found) } else { Err(Refusal::Host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = &'static [(&'static str, &'static str)];

    fn head(fields: Fields) -> RequestHead {
        let mut head = RequestHead::default();
        for (name, value) in fields {
            head.headers.push(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn pseudo(method: &'static str, path: &'static str) -> Pseudo<'static> {
        let authority = Some(&b"a.example"[..]);
        Pseudo { method: method.as_bytes(), path: path.as_bytes(), authority, protocol: None }
    }

    fn completed(pseudo: Pseudo<'_>, fields: Fields) -> Result<RequestFrame, Refusal> {
        complete_head(pseudo, false, &mut head(fields))
    }

    #[test]
    fn parts_become_a_head() {
        let mut head = head(&[("accept", "*/*")]);
        let frame = complete_head(pseudo("GET", "/a%20b?c=d"), true, &mut head).unwrap();
        assert!(frame.body.is_none() && frame.keep_alive && !frame.upgrade);
        assert_eq!((head.path(), head.query()), (&b"/a%20b"[..], Some(&b"c=d"[..])));
        assert_eq!((head.method(), head.host()), (&b"GET"[..], &b"a.example"[..]));
    }

    #[test]
    fn bodies_end_by_length_or_with_the_stream() {
        let body = |fields| completed(pseudo("POST", "/"), fields).unwrap().body;
        assert_eq!(body(&[]), BodyLength::Chunked);
        assert_eq!(body(&[("content-length", "7")]), BodyLength::Exact(7));
    }

    #[test]
    fn an_extended_connect_is_a_websocket_handshake_and_nothing_else() {
        let protocol = |name: &'static str| Pseudo { protocol: Some(name.as_bytes()), ..pseudo("CONNECT", "/chat") };
        assert!(completed(protocol("websocket"), &[]).unwrap().upgrade);
        assert_eq!(completed(protocol("connect-udp"), &[]), Err(Refusal::Method));
        assert_eq!(completed(pseudo("CONNECT", "/"), &[]), Err(Refusal::Method));
        let odd = Pseudo { protocol: Some(b"websocket"), ..pseudo("GET", "/chat") };
        assert_eq!(completed(odd, &[]), Err(Refusal::Method));
    }

    #[test]
    fn what_two_servers_might_read_differently_is_refused() {
        let table: [(Pseudo<'_>, Fields, Refusal); 11] = [
            (pseudo("GET", "/"), &[("host", "b.example")], Refusal::Host),
            (pseudo("GET", "/"), &[("host", "a.example"), ("host", "a.example")], Refusal::RepeatedHost),
            (Pseudo { authority: None, ..pseudo("GET", "/") }, &[], Refusal::MissingHost),
            (Pseudo { authority: Some(b"a b"), ..pseudo("GET", "/") }, &[], Refusal::Host),
            (pseudo("GET", "http://b.example/"), &[], Refusal::Target),
            (pseudo("GET", "/a b"), &[], Refusal::Target),
            (pseudo("GET", "*"), &[], Refusal::Target),
            (pseudo("POST", "/"), &[("transfer-encoding", "chunked")], Refusal::Encoding),
            (pseudo("POST", "/"), &[("content-length", "1"), ("content-length", "1")], Refusal::RepeatedLength),
            (pseudo("POST", "/"), &[("content_length", "1")], Refusal::Imitation),
            (pseudo("POST", "/"), &[("expect", "tea")], Refusal::Expectation),
        ];
        for (pseudo, fields, refusal) in table {
            let shown = format!("{pseudo:?} {fields:?}");
            assert_eq!(completed(pseudo, fields), Err(refusal), "{shown}");
        }
    }
}
