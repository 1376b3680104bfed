//! Header fields across the gateway: which pass, which are replaced, which are added.

use bytes::BytesMut;

use super::own::{VIA, safe};
use super::seam::Sink;
use super::snapshot::Upstream;
use super::trace::Outgoing;
use crate::message::{BodyLength, Headers, RequestHead, ResponseHead, list};
use crate::plugins::{Changes, Peer};
use crate::router::RouteSpec;

/// What becomes of a request field on its way to the upstream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    Drop,
    /// Passes when the peer is trusted.
    Trusted,
    /// One of `X-Forwarded-*`, by its place in [`Sent`].
    Forwarded(usize),
}

const FOR: usize = 0;
const PROTO: usize = 1;
const HOST: usize = 2;
const PORT: usize = 3;
const PATH: usize = 4;
const PREFIX: usize = 5;

const LONGEST: usize = 32;

/// Judges a name folded: lower case, every sign as `-`, as a CGI-like upstream makes variables of names, so that no
/// spelling slips through.
fn fate(name: &[u8]) -> Fate {
    let mut folded = [0u8; LONGEST];
    let length = name.len().min(LONGEST);
    let mut odd = false;
    for (to, from) in folded.iter_mut().zip(name) {
        let is_sign = !from.is_ascii_alphanumeric();
        odd |= is_sign && *from != b'-';
        *to = if is_sign { b'-' } else { from.to_ascii_lowercase() };
    }
    let forwarded = |place| if odd { Fate::Drop } else { Fate::Forwarded(place) };
    match &folded[..length] {
        b"connection" | b"host" | b"te" | b"trailer" | b"upgrade" | b"expect" | b"via" => Fate::Drop,
        b"keep-alive" | b"proxy-connection" | b"http2-settings" => Fate::Drop,
        // Upstreams that know it believe it before any `X-Forwarded-*`.
        b"forwarded" => Fate::Trusted,
        b"content-length" | b"transfer-encoding" => Fate::Drop,
        b"proxy-authorization" | b"x-real-ip" | b"x-request-id" => Fate::Drop,
        b"x-forwarded-for" => forwarded(FOR),
        b"x-forwarded-proto" => forwarded(PROTO),
        b"x-forwarded-host" => forwarded(HOST),
        b"x-forwarded-port" => forwarded(PORT),
        b"x-forwarded-path" => forwarded(PATH),
        b"x-forwarded-prefix" => forwarded(PREFIX),
        b"x-anonymous-consumer" => Fate::Drop,
        name if is_identity(name) => Fate::Drop,
        _ => Fate::Pass,
    }
}

/// Fields that tell an upstream who calls: only the gateway may say.
fn is_identity(folded: &[u8]) -> bool {
    folded.starts_with(b"x-")
        && [&b"x-consumer-"[..], b"x-credential-", b"x-authenticated-"].iter().any(|start| folded.starts_with(start))
}

/// Words of `Connection` that name no field.
fn names_no_field(word: &[u8]) -> bool {
    [&b"close"[..], b"keep-alive", b"upgrade"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether `Connection` names this field.
fn is_connection_named(headers: &Headers, name: &[u8]) -> bool {
    list(headers, "connection").any(|word| word.eq_ignore_ascii_case(name))
}

/// A request as the upstream gets it.
pub(super) struct Outbound<'o> {
    pub head: &'o RequestHead,
    pub peer: &'o Peer,
    pub client_ip: std::net::IpAddr,
    pub secure: bool,
    pub upstream: &'o Upstream,
    pub route: &'o RouteSpec,
    /// Path for the upstream, escaped.
    pub path: &'o [u8],
    /// What `strip_path` took away.
    pub prefix: Option<&'o [u8]>,
    pub changes: &'o Changes,
    pub request_id: &'o str,
    /// `None`: what the client says of traces passes.
    pub trace: Option<Outgoing>,
    pub upgrade: bool,
    pub body: BodyLength,
}

/// Fields of a head in the making.
pub(super) trait Fields {
    /// A field whose value comes in parts.
    fn put(&mut self, name: &[u8], value: &[&[u8]]);
}

impl Fields for BytesMut {
    // Inlined, so that a name that is written in the program is not copied as one of any length.
    #[inline(always)]
    fn put(&mut self, name: &[u8], value: &[&[u8]]) {
        self.extend_from_slice(name);
        self.extend_from_slice(b": ");
        value.iter().for_each(|part| self.extend_from_slice(part));
        self.extend_from_slice(b"\r\n");
    }
}

impl Outbound<'_> {
    /// As HTTP/1.1 writes it.
    pub fn write(&self, out: &mut BytesMut) {
        put(out, &[self.head.method(), b" "]);
        self.target(out);
        put(out, &[b" HTTP/1.1\r\nHost: ", self.host(), b"\r\n"]);
        self.fields(out);
        if self.upgrade {
            put(out, &[b"Connection: Upgrade\r\nUpgrade: websocket\r\n"]);
        }
        match self.body {
            BodyLength::Exact(0) if !matches!(self.head.method(), b"POST" | b"PUT" | b"PATCH") => {}
            BodyLength::Exact(length) => {
                put_field(out, b"Content-Length", itoa::Buffer::new().format(length).as_bytes())
            }
            BodyLength::Chunked | BodyLength::UntilClose => put_field(out, b"Transfer-Encoding", b"chunked"),
        }
        put(out, &[b"\r\n"]);
    }

    /// As HTTP/2 has it: the fields, and the URI that is told apart from them.
    pub fn write_stream(&self, uri: &mut BytesMut, fields: &mut impl Fields) {
        self.fields(fields);
        // What gRPC demands, and what says that we take trailers.
        put_field(fields, b"te", b"trailers");
        if let BodyLength::Exact(length @ 1..) = self.body {
            put_field(fields, b"content-length", itoa::Buffer::new().format(length).as_bytes());
        }
        let scheme: &[u8] = if self.upstream.tls.is_some() { b"https" } else { b"http" };
        put(uri, &[scheme, b"://", self.host()]);
        self.target(uri);
    }

    fn host(&self) -> &[u8] {
        let is_kept = self.route.preserve_host && !self.head.host().is_empty();
        if is_kept { self.head.host() } else { &self.upstream.authority }
    }

    fn target(&self, out: &mut BytesMut) {
        out.extend_from_slice(self.path);
        if let Some(query) = self.changes.query(self.head) {
            out.extend_from_slice(b"?");
            put_query(out, query);
        }
    }

    fn fields(&self, out: &mut impl Fields) {
        let mut sent = Sent::default();
        self.pass(&mut sent, out);
        self.forwarded(&sent, out);
        for (name, value) in self.changes.set() {
            put_field(out, name, &safe(value));
        }
    }

    /// The client's own fields.
    fn pass<'s>(&'s self, sent: &mut Sent<'s>, out: &mut impl Fields) {
        let headers = &self.head.headers;
        let names_fields = list(headers, "connection").any(|word| !names_no_field(word));
        for (name, value) in headers.iter() {
            match fate(name) {
                Fate::Drop => {}
                Fate::Trusted if !self.peer.trusted => {}
                Fate::Forwarded(place) if self.peer.trusted => sent.note(place, value),
                Fate::Forwarded(_) => {}
                Fate::Pass | Fate::Trusted if names_fields && is_connection_named(headers, name) => {}
                Fate::Pass | Fate::Trusted if self.changes.concern(name) => {}
                Fate::Pass if self.is_traced(name) => {}
                Fate::Pass | Fate::Trusted => put_field(out, name, value),
            }
        }
        for via in headers.all("via") {
            put_field(out, b"Via", via);
        }
    }

    /// Whether it says of a trace what the gateway says otherwise.
    fn is_traced(&self, name: &[u8]) -> bool {
        self.trace.is_some_and(|trace| {
            name.eq_ignore_ascii_case(b"traceparent")
                || (!trace.keeps_state && name.eq_ignore_ascii_case(b"tracestate"))
        })
    }

    fn forwarded(&self, sent: &Sent<'_>, out: &mut impl Fields) {
        let mut space = [0u8; LONGEST_ADDRESS];
        let address = text_of(self.peer.address, &mut space);
        match sent.0[FOR] {
            Some(before) => out.put(b"X-Forwarded-For", &[before, b", ", address]),
            None => put_field(out, b"X-Forwarded-For", address),
        }
        let scheme: &[u8] = if self.secure { b"https" } else { b"http" };
        put_field(out, b"X-Forwarded-Proto", sent.0[PROTO].unwrap_or(scheme));
        put_field(out, b"X-Forwarded-Host", sent.0[HOST].unwrap_or(self.head.host()));
        let port = sent.0[PORT].filter(|port| port.iter().all(u8::is_ascii_digit));
        put_field(
            out,
            b"X-Forwarded-Port",
            port.unwrap_or(itoa::Buffer::new().format(self.peer.local_port).as_bytes()),
        );
        put_field(out, b"X-Forwarded-Path", sent.0[PATH].unwrap_or(self.head.path()));
        if let Some(prefix) = sent.0[PREFIX].or(self.prefix) {
            put_field(out, b"X-Forwarded-Prefix", prefix);
        }
        let mut space = [0u8; LONGEST_ADDRESS];
        let is_peer = self.client_ip == self.peer.address;
        put_field(out, b"X-Real-IP", if is_peer { address } else { text_of(self.client_ip, &mut space) });
        put_field(out, b"Via", VIA.as_bytes());
        put_field(out, b"X-Request-Id", self.request_id.as_bytes());
        if let Some(trace) = &self.trace {
            put_field(out, b"traceparent", &trace.traceparent);
        }
    }
}

/// The `X-Forwarded-*` a trusted peer sent. Of a repeated field the first counts.
#[derive(Default)]
struct Sent<'h>([Option<&'h [u8]>; 6]);

impl<'h> Sent<'h> {
    fn note(&mut self, place: usize, value: &'h [u8]) {
        self.0[place].get_or_insert(value);
    }
}

/// Characters of the longest IPv6 address, at least.
const LONGEST_ADDRESS: usize = 48;

/// An address as text, written into `space`.
fn text_of(address: std::net::IpAddr, space: &mut [u8; LONGEST_ADDRESS]) -> &[u8] {
    use std::io::Write;
    if let std::net::IpAddr::V4(four) = address {
        let mut length = 0;
        for (nth, octet) in four.octets().into_iter().enumerate() {
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(octet).as_bytes();
            if nth > 0 {
                space[length] = b'.';
                length += 1;
            }
            space[length..length + digits.len()].copy_from_slice(digits);
            length += digits.len();
        }
        return &space[..length];
    }
    let mut rest = &mut space[..];
    let _ = write!(rest, "{address}");
    let length = LONGEST_ADDRESS - rest.len();
    &space[..length]
}

fn put(out: &mut BytesMut, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// A query may come from a plugin, so it is held to what a request line may contain.
fn put_query(out: &mut BytesMut, query: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if query.iter().all(|byte| *byte > b' ' && *byte != 0x7f) {
        return out.extend_from_slice(query);
    }
    for byte in query {
        match byte {
            0..=b' ' | 0x7f => {
                out.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            _ => out.extend_from_slice(&[*byte]),
        }
    }
}

#[inline(always)]
fn put_field(out: &mut impl Fields, name: &[u8], value: &[u8]) {
    out.put(name, &[value]);
}

/// An upstream's answer as the client gets it.
pub(super) struct Inbound<'i> {
    pub head: &'i ResponseHead,
    /// `None`: it cannot have a body, and its own Content-Length (to a HEAD) may pass.
    pub body: Option<BodyLength>,
    pub upgrade: bool,
    pub changes: &'i Changes,
    pub request_id: &'i str,
    pub upstream_ms: u64,
    pub proxy_ms: u64,
    pub date: &'i [u8],
}

impl Inbound<'_> {
    pub fn write(&self, sink: &mut impl Sink) {
        sink.begin(self.head.status);
        let headers = &self.head.headers;
        let names_fields = list(headers, "connection").any(|word| !names_no_field(word));
        let mut dated = false;
        for (name, value) in headers.iter() {
            let passes = match name.len() {
                2 => !name.eq_ignore_ascii_case(b"te"),
                4 => {
                    dated |= name.eq_ignore_ascii_case(b"date");
                    true
                }
                7 => !(name.eq_ignore_ascii_case(b"upgrade") || name.eq_ignore_ascii_case(b"trailer")),
                10 => !(name.eq_ignore_ascii_case(b"connection") || name.eq_ignore_ascii_case(b"keep-alive")),
                12 => !name.eq_ignore_ascii_case(b"x-request-id"),
                14 => {
                    let length_may_pass = self.body.is_none() && !matches!(self.head.status, 101 | 204);
                    length_may_pass || !name.eq_ignore_ascii_case(b"content-length")
                }
                16 => !name.eq_ignore_ascii_case(b"proxy-connection"),
                17 => !name.eq_ignore_ascii_case(b"transfer-encoding"),
                18 => !name.eq_ignore_ascii_case(b"proxy-authenticate"),
                _ => true,
            };
            if passes && !(names_fields && is_connection_named(headers, name)) {
                sink.field(name, value);
            }
        }
        if !dated {
            sink.field(b"Date", self.date);
        }
        self.ours(sink);
    }

    fn ours(&self, sink: &mut impl Sink) {
        sink.field(b"Via", VIA.as_bytes());
        sink.field(b"X-Upstream-Latency", itoa::Buffer::new().format(self.upstream_ms).as_bytes());
        sink.field(b"X-Proxy-Latency", itoa::Buffer::new().format(self.proxy_ms).as_bytes());
        sink.field(b"X-Request-Id", self.request_id.as_bytes());
        for (name, value) in &self.changes.response {
            sink.field(name, &safe(value));
        }
        if self.upgrade {
            let protocol = self.head.headers.get("upgrade").unwrap_or_default();
            sink.field(b"Upgrade", protocol);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_is_dropped_in_every_spelling() {
        for name in [
            "X-Consumer-ID",
            "x_consumer_id",
            "X-CONSUMER_Username",
            "x-credential-identifier",
            "X-Authenticated-Scope",
            "X_Anonymous_Consumer",
            "X.Consumer~Id",
            "x-consumer-custom-id-that-is-longer-than-any",
        ] {
            assert!(fate(name.as_bytes()) == Fate::Drop, "{name}");
        }
        assert!(fate(b"X-Consume") == Fate::Pass);
        assert!(fate(b"X_Forwarded_For") == Fate::Drop);
        assert!(fate(b"X-Forwarded-For") == Fate::Forwarded(FOR));
    }
}
