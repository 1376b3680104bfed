//! Spans, as OTLP/JSON has them: 64-bit numbers are strings, ids are hexadecimal.

use std::time::Duration;

use super::context::{Trace, write_digits};
use crate::telemetry::access::Entry;
use crate::telemetry::batch::{Gather, HandOver, Outbox, Spares};
use crate::telemetry::text;

/// Bytes of each text that are told, as in the access log.
const MOST_PATH: usize = 2048;
const MOST_AGENT: usize = 512;
const MOST_NAME: usize = 255;

/// Methods that may stand in a span's name; others are `_OTHER`, so that names stay few.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// A traced call that is over.
#[derive(Clone, Copy, Debug)]
pub struct Spanned<'s> {
    pub trace: &'s Trace,
    pub entry: &'s Entry<'s>,
    /// Name of the route, or its id.
    pub route: Option<&'s str>,
    pub service: Option<&'s str>,
    /// Host and port of the upstream.
    pub upstream: Option<(&'s str, u16)>,
    /// From the head of the request to the moment it was last sent on; `None` when it never was.
    pub asked: Option<Duration>,
}

/// The spans of one worker.
pub struct SpanLog(Outbox);

impl SpanLog {
    pub fn new(hand_over: HandOver, spares: Spares) -> Self {
        Self(Outbox::new(hand_over, spares))
    }

    /// Writes the spans of a call. Gives how many were dropped.
    pub fn write(&mut self, call: &Spanned<'_>) -> u64 {
        let mut dropped = self.0.add(|out| server(call, out));
        if let Some(asked) = call.asked {
            dropped += self.0.add(|out| client(call, asked, out));
        }
        dropped
    }
}

impl Gather for SpanLog {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.0
    }
}

/// A batch as a collector takes it. `resource`: attributes of the process, by name.
pub fn envelope(spans: &[u8], resource: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(spans.len() + 512);
    out.extend_from_slice(b"{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    let mut attributes = Attributes::begin(&mut out);
    resource.iter().for_each(|(name, value)| attributes.text(name, value.as_bytes(), MOST_NAME));
    out.extend_from_slice(b"]},\"scopeSpans\":[{\"scope\":{\"name\":\"tollgate\"},\"spans\":[");
    out.extend_from_slice(spans.strip_suffix(b",").unwrap_or(spans));
    out.extend_from_slice(b"]}]}]}");
    out
}

/// The attributes of a span in the making.
struct Attributes<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Attributes<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        Self { out, is_first: true }
    }

    fn key(&mut self, name: &str) {
        let comma: &[u8] = if std::mem::take(&mut self.is_first) { b"" } else { b"," };
        for part in [comma, b"{\"key\":\"", name.as_bytes(), b"\",\"value\":{\""] {
            self.out.extend_from_slice(part);
        }
    }

    fn text(&mut self, name: &str, value: &[u8], most: usize) {
        self.key(name);
        self.out.extend_from_slice(b"stringValue\":\"");
        text::json(value, most, self.out);
        self.out.extend_from_slice(b"\"}}");
    }

    fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        self.out.extend_from_slice(b"intValue\":\"");
        text::number(value, self.out);
        self.out.extend_from_slice(b"\"}}");
    }
}

/// The beginning of a span, up to its attributes.
fn begin(call: &Spanned<'_>, kind: u8, (id, parent): (u64, Option<u64>), from: Duration, out: &mut Vec<u8>) {
    let Spanned { trace, entry, .. } = call;
    let start = u64::try_from(entry.at_ms).unwrap_or_default() * 1_000_000;
    let nanos = |time: Duration| start.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    out.extend_from_slice(b"{\"traceId\":\"");
    out.extend_from_slice(&trace.id());
    let mut digits = [0; 16];
    write_digits(id.into(), &mut digits);
    out.extend_from_slice(b"\",\"spanId\":\"");
    out.extend_from_slice(&digits);
    if let Some(parent) = parent {
        write_digits(parent.into(), &mut digits);
        out.extend_from_slice(b"\",\"parentSpanId\":\"");
        out.extend_from_slice(&digits);
    }
    out.extend_from_slice(b"\",\"name\":\"");
    out.extend_from_slice(method(entry.sent.method).unwrap_or("HTTP").as_bytes());
    if let Some(route) = call.route.filter(|_| kind == SERVER) {
        out.push(b' ');
        text::json(route.as_bytes(), MOST_NAME, out);
    }
    out.extend_from_slice(b"\",\"kind\":");
    out.push(b'0' + kind);
    out.extend_from_slice(b",\"startTimeUnixNano\":\"");
    text::number(nanos(from), out);
    out.extend_from_slice(b"\",\"endTimeUnixNano\":\"");
    text::number(nanos(entry.duration), out);
    out.extend_from_slice(b"\",\"attributes\":[");
}

/// The end of a span. Its status is unset unless it failed.
fn end(failed: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if failed { b"],\"status\":{\"code\":2}}," } else { b"]}," });
}

fn method(sent: &[u8]) -> Option<&'static str> {
    METHODS.iter().copied().find(|known| known.as_bytes() == sent)
}

/// What both spans tell.
fn common(call: &Spanned<'_>, attributes: &mut Attributes<'_>, failed: bool) {
    let entry = call.entry;
    attributes.text("http.request.method", method(entry.sent.method).unwrap_or("_OTHER").as_bytes(), MOST_NAME);
    attributes.number("http.response.status_code", entry.status.into());
    if failed {
        let mut digits = itoa::Buffer::new();
        let kind = entry.failure.unwrap_or_else(|| digits.format(entry.status));
        attributes.text("error.type", kind.as_bytes(), MOST_NAME);
    }
}

fn server(call: &Spanned<'_>, out: &mut Vec<u8>) {
    let entry = call.entry;
    let failed = entry.status >= 500 || entry.failure.is_some();
    begin(call, SERVER, (call.trace.server, call.trace.parent), Duration::ZERO, out);
    let mut attributes = Attributes::begin(out);
    common(call, &mut attributes, failed);
    attributes.text("url.scheme", if entry.tls { b"https" } else { b"http" }, MOST_NAME);
    attributes.text("url.path", entry.sent.path, MOST_PATH);
    attributes.text("server.address", entry.sent.host, MOST_NAME);
    attributes.text("client.address", entry.client_ip.to_string().as_bytes(), MOST_NAME);
    let version = entry.protocol.strip_prefix("HTTP/").unwrap_or(entry.protocol);
    attributes.text(
        "network.protocol.version",
        version.strip_suffix(".0").filter(|v| *v == "2").unwrap_or(version).as_bytes(),
        MOST_NAME,
    );
    if let Some(agent) = entry.sent.user_agent {
        attributes.text("user_agent.original", agent, MOST_AGENT);
    }
    for (name, value) in
        [("http.route", call.route), ("tollgate.route", call.route), ("tollgate.service", call.service)]
    {
        if let Some(value) = value {
            attributes.text(name, value.as_bytes(), MOST_NAME);
        }
    }
    if let Some(caller) = &entry.caller {
        attributes.text("tollgate.consumer", caller.name.as_bytes(), MOST_NAME);
    }
    attributes.text("tollgate.request_id", entry.request_id.as_bytes(), MOST_NAME);
    attributes.number("http.request.body.size", entry.bytes_received);
    attributes.number("http.response.body.size", entry.bytes_sent);
    end(failed, out);
}

fn client(call: &Spanned<'_>, asked: Duration, out: &mut Vec<u8>) {
    let failed = call.entry.status >= 400 || call.entry.failure.is_some();
    begin(call, CLIENT, (call.trace.client, Some(call.trace.server)), asked, out);
    let mut attributes = Attributes::begin(out);
    common(call, &mut attributes, failed);
    if let Some((host, port)) = call.upstream {
        attributes.text("server.address", host.as_bytes(), MOST_NAME);
        attributes.number("server.port", port.into());
    }
    if let Some(service) = call.service {
        attributes.text("tollgate.service", service.as_bytes(), MOST_NAME);
    }
    end(failed, out);
}
