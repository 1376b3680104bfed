//! Heads as `h2` has them, and as the exchange knows them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use h2::ext::Protocol;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::message::{Headers, Pseudo, Refusal, RequestFrame, RequestHead, complete_head};
use crate::proxy::fields::Fields;

/// Bytes for which room is made at first.
const USUAL: usize = 512;

/// The head of a request.
///
/// # Errors
/// As [`complete_head`].
pub(super) fn read_request(parts: &Parts, ended: bool, head: &mut RequestHead) -> Result<RequestFrame, Refusal> {
    let mut bytes = BytesMut::with_capacity(USUAL);
    let mut keep = |text: &[u8]| {
        bytes.extend_from_slice(text);
        bytes.split().freeze()
    };
    let uri = &parts.uri;
    let pseudo = Pseudo {
        method: keep(parts.method.as_str().as_bytes()),
        path: keep(uri.path_and_query().map_or("/", |path| path.as_str()).as_bytes()),
        authority: uri.authority().map(|authority| keep(authority.as_str().as_bytes())),
        protocol: parts.extensions.get::<Protocol>().map(|protocol| keep(protocol.as_str().as_bytes())),
    };
    for (name, value) in &parts.headers {
        if name != header::COOKIE {
            head.headers.push(keep(name.as_str().as_bytes()), keep(value.as_bytes()));
        }
    }
    // Crumbs are one field to everybody else (RFC 9113 §8.2.3).
    let cookies: Vec<&[u8]> = parts.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if !cookies.is_empty() {
        head.headers.push(Bytes::from_static(b"cookie"), keep(&cookies.join(&b"; "[..])));
    }
    if pseudo.protocol.is_some() {
        // An upstream of HTTP/1.1 wants one (RFC 6455 §4.1); over HTTP/2 there is none (RFC 8441 §5).
        head.headers
            .push(Bytes::from_static(b"sec-websocket-key"), keep(BASE64.encode(rand::random::<[u8; 16]>()).as_bytes()));
    }
    complete_head(pseudo, ended, head)
}

/// Adds a field, unless HTTP/2 has no place for it. Names and values were judged before; what is not one is left out.
pub(super) fn put_field(fields: &mut HeaderMap, name: &[u8], value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        fields.append(name, value);
    }
}

impl Fields for HeaderMap {
    fn put(&mut self, name: &[u8], value: &[&[u8]]) {
        match value {
            [whole] => put_field(self, name, whole),
            parts => put_field(self, name, &parts.concat()),
        }
    }
}

/// Trailers as the exchange passes them on: without fields that mean something to the connection or to routing
/// (RFC 9110 §6.5.1).
pub(super) fn read_trailers(trailers: &HeaderMap) -> Headers {
    let mut kept = Headers::default();
    let forbidden =
        [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::HOST, header::AUTHORIZATION, header::TE];
    for (name, value) in trailers {
        if !forbidden.contains(name) {
            kept.push(Bytes::copy_from_slice(name.as_str().as_bytes()), Bytes::copy_from_slice(value.as_bytes()));
        }
    }
    kept
}
