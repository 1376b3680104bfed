//! Answers of the gateway itself: errors in the form the client asked for, and what every answer of ours carries.

use bytes::Bytes;

use super::seam::Sink;
use crate::message::{Answer, BodyLength, RequestHead, is_clean};
use crate::plugins::Changes;

/// The product, as `Server` and `Via` name it.
pub const PRODUCT: &str = concat!("tollgate/", env!("CARGO_PKG_VERSION"));
pub(super) const VIA: &str = concat!("1.1 tollgate/", env!("CARGO_PKG_VERSION"));

/// An error in the form `Accept` asks for: JSON unless it is text, HTML or XML; a gRPC status for gRPC.
pub(super) fn error(status: u16, message: &str, request_id: &str, head: &RequestHead) -> Answer {
    let accept = head.headers.get("accept").unwrap_or_default();
    let (kind, body) = match form(accept) {
        Form::Json => {
            let body = serde_json::json!({ "message": message, "request_id": request_id });
            ("application/json; charset=utf-8", body.to_string())
        }
        Form::Plain => ("text/plain; charset=utf-8", format!("{message}\nrequest_id: {request_id}")),
        Form::Html => (
            "text/html; charset=utf-8",
            format!(
                "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>Error</title>\n  </head>\n  \
                 <body>\n    <h1>Error</h1>\n    <p>{message}.</p>\n    <p>request_id: {request_id}</p>\n  </body>\n</html>\n"
            ),
        ),
        Form::Xml => (
            "application/xml; charset=utf-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>{message}</message>\n  \
                 <requestid>{request_id}</requestid>\n</error>\n"
            ),
        ),
    };
    let answer =
        Answer { status, headers: vec![("content-type", kind.to_owned())], body: Bytes::from(body), grpc: None };
    answer.with_grpc(grpc_status(status), message)
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Plain,
    Html,
    Xml,
}

/// The acceptable form of highest weight; the first of equals.
fn form(accept: &[u8]) -> Form {
    let mut best = (0, Form::Json);
    for range in accept.split(|byte| *byte == b',') {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let found = match &kind[..] {
            b"application/json" | b"*/*" | b"application/*" => Form::Json,
            b"text/plain" | b"text/*" => Form::Plain,
            b"text/html" | b"application/xhtml+xml" => Form::Html,
            b"application/xml" | b"text/xml" => Form::Xml,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix(b"q=")).map_or(1000, weight);
        if weight > best.0 {
            best = (weight, found);
        }
    }
    best.1
}

/// A quality value in thousandths.
fn weight(text: &[u8]) -> u32 {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f32>().ok());
    number.map_or(0, |number| (number.clamp(0.0, 1.0) * 1000.0) as u32)
}

/// The gRPC status that means what an HTTP status means (gRPC over HTTP/2, "HTTP to gRPC status mapping").
fn grpc_status(status: u16) -> u8 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        504 => 4,
        429 | 502 | 503 => 14,
        _ => 2,
    }
}

pub(super) fn is_grpc(head: &RequestHead) -> bool {
    head.headers.get("content-type").is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// Writes an answer of ours whole. `None` for what a request that was never read leaves unknown.
pub(super) fn write(
    answer: &Answer,
    head: &RequestHead,
    changes: &Changes,
    date: &[u8],
    request_id: &str,
    sink: &mut impl Sink,
) -> u16 {
    let grpc = answer.grpc.as_ref().filter(|_| is_grpc(head));
    let status = if grpc.is_some() { 200 } else { answer.status };
    sink.begin(status);
    sink.field(b"Date", date);
    sink.field(b"Server", PRODUCT.as_bytes());
    sink.field(b"X-Request-Id", request_id.as_bytes());
    for (name, value) in &answer.headers {
        if grpc.is_none() || !name.eq_ignore_ascii_case("content-type") {
            sink.field(name.as_bytes(), &safe(value.as_bytes()));
        }
    }
    for (name, value) in &changes.response {
        sink.field(name, &safe(value));
    }
    let empty = Bytes::new();
    let body = match grpc {
        None => &answer.body,
        Some((code, message)) => {
            sink.field(b"Content-Type", b"application/grpc");
            sink.field(b"grpc-status", itoa::Buffer::new().format(*code).as_bytes());
            sink.field(b"grpc-message", &safe(message.as_bytes()));
            &empty
        }
    };
    let length = body.len() as u64;
    if status == 204 || status == 304 {
        sink.end_head(None);
    } else if head.method() == b"HEAD" {
        sink.field(b"Content-Length", itoa::Buffer::new().format(length).as_bytes());
        sink.end_head(None);
    } else {
        sink.end_head(Some(BodyLength::Exact(length)));
        sink.push(body);
    }
    sink.end();
    status
}

/// A value that cannot end its line: control bytes become spaces.
pub(super) fn safe(value: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if is_clean(value) {
        return value.into();
    }
    value.iter().map(|byte| if is_clean(&[*byte]) { *byte } else { b' ' }).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_in_the_form_that_is_asked_for() {
        for (accept, kind) in [
            ("", "application/json"),
            ("*/*", "application/json"),
            ("text/plain", "text/plain"),
            ("text/html,application/xml;q=0.9", "text/html"),
            ("text/html;q=0.1, application/xml", "application/xml"),
            ("image/png", "application/json"),
        ] {
            let mut head = RequestHead::default();
            head.headers.push(b"Accept", accept.as_bytes());
            let answer = error(404, "m", "id", &head);
            assert!(answer.headers[0].1.starts_with(kind), "{accept}: {:?}", answer.headers);
        }
    }
}
