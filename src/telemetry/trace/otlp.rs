//! Spans as OTLP writes them in JSON (OTLP 1.x, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit numbers as texts.

use super::context::{SpanId, TraceId};
use crate::telemetry::outbox::Batch;
use crate::telemetry::text;

/// Bytes of names that are told.
const MOST_NAME: usize = 255;

/// Attributes in the making; each brings the comma before it.
pub(super) struct Attributes<'a> {
    out: &'a mut Vec<u8>,
    any: bool,
}

impl<'a> Attributes<'a> {
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        out.extend_from_slice(b",\"attributes\":[");
        Self { out, any: false }
    }

    fn key(&mut self, key: &str, kind: &str) {
        if std::mem::replace(&mut self.any, true) {
            self.out.push(b',');
        }
        for part in ["{\"key\":\"", key, "\",\"value\":{\"", kind, "\":\""] {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    /// At most so many bytes of it.
    pub fn text(&mut self, key: &str, value: &[u8], most: usize) {
        self.key(key, "stringValue");
        text::json(value, most, self.out);
        self.out.extend_from_slice(b"\"}}");
    }

    pub fn number(&mut self, key: &str, value: u64) {
        self.key(key, "intValue");
        text::number(value, self.out);
        self.out.extend_from_slice(b"\"}}");
    }

    pub fn address(&mut self, key: &str, value: std::net::IpAddr) {
        self.key(key, "stringValue");
        text::address(value, self.out);
        self.out.extend_from_slice(b"\"}}");
    }

    /// Attributes that were written before.
    pub fn ready(&mut self, attributes: &[u8]) {
        if !attributes.is_empty() {
            if std::mem::replace(&mut self.any, true) {
                self.out.push(b',');
            }
            self.out.extend_from_slice(attributes);
        }
    }

    pub fn end(self) {
        self.out.push(b']');
    }
}

/// What spans tell of a route and its service: written once for each, not for each span.
#[derive(Clone, Debug)]
pub struct Marks {
    /// Of the span's name, after the method; inside of a JSON string.
    pub(super) name: Box<[u8]>,
    pub(super) server: Box<[u8]>,
    pub(super) client: Box<[u8]>,
}

impl Marks {
    /// `pattern`: what the route matches, as it is written in it. `upstream`: host and port of the service.
    pub fn new(route: &str, pattern: &str, service: Option<&str>, upstream: Option<(&str, u16)>) -> Self {
        let mut name = Vec::new();
        text::json(pattern.as_bytes(), MOST_NAME, &mut name);
        let server = attributes(|attributes| {
            attributes.text("http.route", pattern.as_bytes(), MOST_NAME);
            attributes.text("tollgate.route", route.as_bytes(), MOST_NAME);
            if let Some(service) = service {
                attributes.text("tollgate.service", service.as_bytes(), MOST_NAME);
            }
        });
        let client = attributes(|attributes| {
            if let Some((host, port)) = upstream {
                attributes.text("server.address", host.as_bytes(), MOST_NAME);
                attributes.number("server.port", u64::from(port));
            }
            if let Some(service) = service {
                attributes.text("tollgate.service", service.as_bytes(), MOST_NAME);
            }
        });
        Self { name: name.into(), server, client }
    }
}

fn attributes(write: impl FnOnce(&mut Attributes<'_>)) -> Box<[u8]> {
    let mut out = Vec::new();
    write(&mut Attributes { out: &mut out, any: false });
    out.into()
}

/// The beginning of a span, up to its name, which is left open.
pub(super) fn begin(trace: TraceId, span: SpanId, parent: Option<SpanId>, kind: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"traceId\":\"");
    trace.write(out);
    out.extend_from_slice(b"\",\"spanId\":\"");
    span.write(out);
    if let Some(parent) = parent {
        out.extend_from_slice(b"\",\"parentSpanId\":\"");
        parent.write(out);
    }
    // Sampled, or it were not here.
    out.extend_from_slice(b"\",\"flags\":1,\"kind\":");
    text::number(u64::from(kind), out);
    out.extend_from_slice(b",\"name\":\"");
}

/// Nanoseconds since 1970.
pub(super) fn times(from: u64, to: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\",\"startTimeUnixNano\":\"");
    text::number(from, out);
    out.extend_from_slice(b"\",\"endTimeUnixNano\":\"");
    text::number(to, out);
    out.push(b'"');
}

pub(super) fn end(is_error: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if is_error { b",\"status\":{\"code\":2}}" } else { b"}" });
}

/// What stands around spans in a request to the collector.
#[derive(Clone, Debug)]
pub struct Envelope(Vec<u8>);

impl Envelope {
    /// `instance`: tells this node from the others.
    pub fn new(version: &str, instance: &str) -> Self {
        let resource = attributes(|attributes| {
            attributes.text("service.name", b"tollgate", MOST_NAME);
            attributes.text("service.version", version.as_bytes(), MOST_NAME);
            attributes.text("service.instance.id", instance.as_bytes(), MOST_NAME);
        });
        let mut before = b"{\"resourceSpans\":[{\"resource\":{\"attributes\":[".to_vec();
        before.extend_from_slice(&resource);
        before.extend_from_slice(b"]},\"scopeSpans\":[{\"scope\":{\"name\":\"tollgate\"},\"spans\":[");
        Self(before)
    }

    /// An `ExportTraceServiceRequest` of all of them.
    pub fn around<'b>(&self, batches: impl Iterator<Item = &'b Batch>) -> Vec<u8> {
        let mut body = self.0.clone();
        // Each span brings the comma after it; the last one is not wanted.
        batches.for_each(|batch| body.extend_from_slice(&batch.bytes));
        if body.last() == Some(&b',') {
            body.pop();
        }
        body.extend_from_slice(b"]}]}]}");
        body
    }
}
