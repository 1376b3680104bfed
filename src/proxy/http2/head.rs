//! Heads as `h2` has them, and as the exchange knows them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use h2::ext::Protocol;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::kit::StreamFields;
use crate::message::{Headers, Pseudo, Refusal, RequestFrame, RequestHead, complete_head};
use crate::proxy::fields::Fields;

/// The head of a request.
///
/// # Errors
/// As [`complete_head`].
pub(super) fn read_request(parts: &Parts, ended: bool, head: &mut RequestHead) -> Result<RequestFrame, Refusal> {
    let uri = &parts.uri;
    let pseudo = Pseudo {
        method: parts.method.as_str().as_bytes(),
        path: uri.path_and_query().map_or("/", |path| path.as_str()).as_bytes(),
        authority: uri.authority().map(|authority| authority.as_str().as_bytes()),
        protocol: parts.extensions.get::<Protocol>().map(|protocol| protocol.as_str().as_bytes()),
    };
    head.clear();
    for (name, value) in parts.headers.iter().filter(|(name, _)| **name != header::COOKIE) {
        head.headers.push(name.as_str().as_bytes(), value.as_bytes());
    }
    // Crumbs are one field to everybody else (RFC 9113 §8.2.3).
    let cookies: Vec<&[u8]> = parts.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if !cookies.is_empty() {
        head.headers.push(b"cookie", &cookies.join(&b"; "[..]));
    }
    if pseudo.protocol.is_some() {
        // An upstream of HTTP/1.1 wants one (RFC 6455 §4.1); over HTTP/2 there is none (RFC 8441 §5).
        let key = BASE64.encode(rand::random::<[u8; 16]>());
        head.headers.push(b"sec-websocket-key", key.as_bytes());
    }
    complete_head(pseudo, ended, head)
}

const REQUEST_ID: &[u8] = b"X-Request-Id";

/// Whether a field's value is another one in every head: remembered for compression, it would push out what comes again.
fn is_never_again(name: &[u8]) -> bool {
    name == REQUEST_ID
}

impl Fields for StreamFields {
    /// Adds a field, unless HTTP/2 has no place for it. Names and values were judged before; what is not one is left out.
    fn put(&mut self, name: &[u8], value: &[&[u8]]) {
        let Some(key) = read_name(name).filter(|key| !is_of_connections(key)) else { return };
        value.iter().for_each(|part| self.text.extend_from_slice(part));
        self.names.push((key, value.iter().map(|part| part.len()).sum(), is_never_again(name)));
    }
}

impl StreamFields {
    /// Adds the length of a body that has one.
    pub fn put_length(&mut self, length: u64) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(length).as_bytes();
        self.text.extend_from_slice(digits);
        self.names.push((header::CONTENT_LENGTH, digits.len(), false));
    }

    /// Whether a status of gRPC is among them.
    pub fn has_grpc_status(&self) -> bool {
        self.names.iter().any(|(name, ..)| *name == const { HeaderName::from_static("grpc-status") })
    }

    /// Everything so far, as `h2` has it; the values share one piece of memory. Leaves nothing behind.
    pub fn take(&mut self) -> HeaderMap {
        let mut text = self.text.split().freeze();
        let mut fields = HeaderMap::with_capacity(self.names.len());
        for (name, length, is_sensitive) in self.names.drain(..) {
            if let Ok(mut value) = HeaderValue::from_maybe_shared(text.split_to(length)) {
                value.set_sensitive(is_sensitive);
                fields.append(name, value);
            }
        }
        fields
    }
}

/// Fields that only HTTP/1.1 connections have (RFC 9113 §8.2.2).
fn is_of_connections(name: &HeaderName) -> bool {
    // The last is the answer to a key that no client of HTTP/2 has sent.
    *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
        || *name == header::UPGRADE
        || *name == header::SEC_WEBSOCKET_ACCEPT
}

/// A name; those that the gateway itself puts into heads need not be read again each time.
fn read_name(name: &[u8]) -> Option<HeaderName> {
    const fn ours(name: &'static str) -> HeaderName {
        HeaderName::from_static(name)
    }
    Some(match name {
        REQUEST_ID => const { ours("x-request-id") },
        b"X-Upstream-Latency" => const { ours("x-upstream-latency") },
        b"X-Proxy-Latency" => const { ours("x-proxy-latency") },
        b"X-Forwarded-For" => const { ours("x-forwarded-for") },
        b"X-Forwarded-Proto" => const { ours("x-forwarded-proto") },
        b"X-Forwarded-Host" => const { ours("x-forwarded-host") },
        b"X-Forwarded-Port" => const { ours("x-forwarded-port") },
        b"X-Forwarded-Path" => const { ours("x-forwarded-path") },
        b"X-Forwarded-Prefix" => const { ours("x-forwarded-prefix") },
        b"X-Real-IP" => const { ours("x-real-ip") },
        b"X-Consumer-ID" => const { ours("x-consumer-id") },
        b"X-Consumer-Username" => const { ours("x-consumer-username") },
        b"X-Credential-Identifier" => const { ours("x-credential-identifier") },
        b"X-Authenticated-Scope" => const { ours("x-authenticated-scope") },
        _ => return HeaderName::from_bytes(name).ok(),
    })
}

/// Trailers as the exchange passes them on: without fields that mean something to the connection or to routing
/// (RFC 9110 §6.5.1).
pub(super) fn read_trailers(trailers: &HeaderMap) -> Headers {
    let mut kept = Headers::default();
    let forbidden =
        [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::HOST, header::AUTHORIZATION, header::TE];
    for (name, value) in trailers {
        if !forbidden.contains(name) {
            kept.push(name.as_str().as_bytes(), value.as_bytes());
        }
    }
    kept
}
