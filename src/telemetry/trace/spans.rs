//! The spans of one call, and where a worker gathers them.

use std::time::Duration;

use super::context::SpanId;
use super::otlp::{self, Attributes, Marks};
use super::sampler::Trace;
use crate::telemetry::access::{Entry, MOST_AGENT, MOST_HOST, MOST_METHOD, MOST_NAME, MOST_PATH};
use crate::telemetry::outbox::{HandOver, Outbox, Spares};

/// Kinds of spans, as OTLP numbers them.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// One try at the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub span: SpanId,
    /// After the request's head came.
    pub from: Duration,
    /// `None`: it was not over when the call was.
    pub to: Option<Duration>,
    /// 0: there was no answer.
    pub status: u16,
    /// As the access log names it.
    pub failure: Option<&'static str>,
}

/// A finished call that is recorded.
pub struct CallSpans<'e> {
    pub trace: Trace,
    /// What the access log tells, too.
    pub entry: &'e Entry<'e>,
    /// `None`: no route was found.
    pub marks: Option<&'e Marks>,
    pub attempts: &'e [Attempt],
    /// Of a request to an OAuth 2.0 endpoint: grant and outcome, as metrics name them.
    pub asked: Option<(&'static str, &'static str)>,
}

/// The spans of one worker.
pub struct SpanLog(Outbox);

impl SpanLog {
    pub fn new(hand_over: HandOver, spares: Spares) -> Self {
        Self(Outbox::new(hand_over, spares))
    }

    /// Writes the spans of a call; hands the batch over when it is full. Gives how many spans were dropped.
    pub fn write(&mut self, call: &CallSpans<'_>) -> u64 {
        let out = self.0.bytes();
        server(call, out);
        for (nth, attempt) in call.attempts.iter().enumerate() {
            client(call, nth, attempt, out);
        }
        self.0.wrote(1 + call.attempts.len() as u64)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands over what there is. Gives how many spans were dropped.
    pub fn flush(&mut self) -> u64 {
        self.0.flush()
    }
}

/// The methods that have a name of their own in spans.
fn known(method: &[u8]) -> Option<&str> {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| known.as_bytes() == method)
}

fn server(call: &CallSpans<'_>, out: &mut Vec<u8>) {
    let CallSpans { trace, entry, marks, asked, .. } = call;
    otlp::begin(trace.id, trace.span, trace.parent, SERVER, out);
    name(call, *marks, out);
    times(entry, Duration::ZERO, entry.duration, out);
    let mut attributes = Attributes::begin(out);
    methods(entry.sent.method, &mut attributes);
    attributes.text("url.scheme", if entry.tls { b"https" } else { b"http" }, MOST_NAME);
    for (key, value, most) in [("url.path", entry.sent.path, MOST_PATH), ("server.address", entry.sent.host, MOST_HOST)]
    {
        if !value.is_empty() {
            attributes.text(key, value, most);
        }
    }
    if let Some(agent) = entry.sent.user_agent {
        attributes.text("user_agent.original", agent, MOST_AGENT);
    }
    attributes.address("client.address", entry.client_ip);
    let version = entry.protocol.trim_start_matches("HTTP/").trim_end_matches(".0");
    attributes.text("network.protocol.version", if version == "1" { b"1.0" } else { version.as_bytes() }, MOST_NAME);
    attributes.number("http.response.status_code", u64::from(entry.status));
    attributes.text("tollgate.request_id", entry.request_id.as_bytes(), MOST_NAME);
    if let Some(marks) = marks {
        attributes.ready(&marks.server);
    }
    if let Some(caller) = &entry.caller {
        attributes.text("tollgate.consumer", caller.name.as_bytes(), MOST_NAME);
    }
    if let Some((grant, outcome)) = asked {
        attributes.text("tollgate.grant", grant.as_bytes(), MOST_NAME);
        attributes.text("tollgate.outcome", outcome.as_bytes(), MOST_NAME);
    }
    // What a client does wrong is no error of the server.
    let is_error = entry.status >= 500 || entry.failure.is_some();
    if is_error {
        error(entry.failure, entry.status, &mut attributes);
    }
    attributes.end();
    otlp::end(is_error, out);
    out.push(b',');
}

fn client(call: &CallSpans<'_>, nth: usize, attempt: &Attempt, out: &mut Vec<u8>) {
    let CallSpans { trace, entry, marks, .. } = call;
    otlp::begin(trace.id, attempt.span, Some(trace.span), CLIENT, out);
    name(call, None, out);
    times(entry, attempt.from, attempt.to.unwrap_or(entry.duration), out);
    let mut attributes = Attributes::begin(out);
    methods(entry.sent.method, &mut attributes);
    if nth > 0 {
        attributes.number("http.request.resend_count", nth as u64);
    }
    if attempt.status > 0 {
        attributes.number("http.response.status_code", u64::from(attempt.status));
    }
    if let Some(marks) = marks {
        attributes.ready(&marks.client);
    }
    let is_error = attempt.status >= 400 || attempt.failure.is_some();
    if is_error {
        error(attempt.failure, attempt.status, &mut attributes);
    }
    attributes.end();
    otlp::end(is_error, out);
    out.push(b',');
}

fn name(call: &CallSpans<'_>, marks: Option<&Marks>, out: &mut Vec<u8>) {
    out.extend_from_slice(known(call.entry.sent.method).unwrap_or("HTTP").as_bytes());
    if let Some(marks) = marks {
        out.push(b' ');
        out.extend_from_slice(&marks.name);
    }
}

/// Methods that clients make up must not make up series.
fn methods(method: &[u8], attributes: &mut Attributes<'_>) {
    match known(method) {
        Some(known) => attributes.text("http.request.method", known.as_bytes(), MOST_METHOD),
        None => {
            attributes.text("http.request.method", b"_OTHER", MOST_METHOD);
            if !method.is_empty() {
                attributes.text("http.request.method_original", method, MOST_METHOD);
            }
        }
    }
}

fn error(failure: Option<&'static str>, status: u16, attributes: &mut Attributes<'_>) {
    match failure {
        Some(failure) => attributes.text("error.type", failure.as_bytes(), MOST_NAME),
        None => attributes.text("error.type", itoa::Buffer::new().format(status).as_bytes(), MOST_NAME),
    }
}

fn times(entry: &Entry<'_>, from: Duration, to: Duration, out: &mut Vec<u8>) {
    let begun = u64::try_from(entry.at_ms).unwrap_or(0).saturating_mul(1_000_000);
    let after = |time: Duration| begun.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    otlp::times(after(from), after(to), out);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
