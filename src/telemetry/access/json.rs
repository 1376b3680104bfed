//! A line of JSON. Every line has every field, in this order; null where there is nothing to tell.

use uuid::Uuid;

use super::entry::{Entry, Sent};
use crate::telemetry::text;

/// Bytes of each text that are told.
pub(in crate::telemetry) const MOST_METHOD: usize = 32;
pub(in crate::telemetry) const MOST_HOST: usize = 255;
pub(in crate::telemetry) const MOST_PATH: usize = 2048;
pub(in crate::telemetry) const MOST_AGENT: usize = 512;
pub(in crate::telemetry) const MOST_NAME: usize = 255;

/// `time`: as RFC 3339 writes it, in UTC.
pub(super) fn write(entry: &Entry<'_>, time: &[u8], line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"time\":\"");
    line.extend_from_slice(time);
    line.extend_from_slice(b"\",\"request_id\":\"");
    line.extend_from_slice(entry.request_id.as_bytes());
    match entry.trace {
        Some(trace) => {
            line.extend_from_slice(b"\",\"trace_id\":\"");
            trace.write(line);
            line.extend_from_slice(b"\",\"client_ip\":\"");
        }
        None => line.extend_from_slice(b"\",\"trace_id\":null,\"client_ip\":\""),
    }
    text::address(entry.client_ip, line);
    line.extend_from_slice(b"\",\"protocol\":\"");
    line.extend_from_slice(entry.protocol.as_bytes());
    line.extend_from_slice(if entry.tls { b"\",\"tls\":true" } else { b"\",\"tls\":false" });
    write_sent(&entry.sent, line);
    line.extend_from_slice(b",\"status\":");
    text::number(u64::from(entry.status), line);
    line.extend_from_slice(b",\"bytes_received\":");
    text::number(entry.bytes_received, line);
    line.extend_from_slice(b",\"bytes_sent\":");
    text::number(entry.bytes_sent, line);
    line.extend_from_slice(b",\"duration_ms\":");
    text::millis(entry.duration, line);
    for (name, time) in [(&b",\"proxy_ms\":"[..], entry.proxy), (b",\"upstream_ms\":", entry.upstream)] {
        line.extend_from_slice(name);
        match time {
            Some(time) => text::millis(time, line),
            None => line.extend_from_slice(b"null"),
        }
    }
    match entry.place {
        Some(place) => line.extend_from_slice(&place.json),
        None => place(None, None, line),
    }
    write_caller(entry, line);
    line.extend_from_slice(b",\"failure\":");
    optional(entry.failure.map(str::as_bytes), MOST_NAME, line);
    line.extend_from_slice(b"}\n");
}

fn write_sent(sent: &Sent<'_>, line: &mut Vec<u8>) {
    let filled = |text| Some(text).filter(|text: &&[u8]| !text.is_empty());
    for (name, text, most) in [
        (&b",\"method\":"[..], filled(sent.method), MOST_METHOD),
        (b",\"host\":", filled(sent.host), MOST_HOST),
        (b",\"path\":", filled(sent.path), MOST_PATH),
        (b",\"user_agent\":", sent.user_agent, MOST_AGENT),
    ] {
        line.extend_from_slice(name);
        optional(text, most, line);
    }
}

fn write_caller(entry: &Entry<'_>, line: &mut Vec<u8>) {
    let Some(caller) = &entry.caller else {
        line.extend_from_slice(b",\"consumer_id\":null,\"consumer\":null,\"credential_id\":null");
        return;
    };
    line.extend_from_slice(b",\"consumer_id\":\"");
    text::id(caller.consumer, line);
    line.extend_from_slice(b"\",\"consumer\":");
    optional(Some(caller.name.as_bytes()), MOST_NAME, line);
    line.extend_from_slice(b",\"credential_id\":");
    optional_id(caller.credential, line);
}

/// The fields of a route and its service, each by id and name.
pub(super) fn place(route: Option<(Uuid, Option<&str>)>, service: Option<(Uuid, Option<&str>)>, line: &mut Vec<u8>) {
    for (id, name, entity) in
        [(&b",\"route_id\":"[..], &b",\"route\":"[..], route), (b",\"service_id\":", b",\"service\":", service)]
    {
        line.extend_from_slice(id);
        optional_id(entity.map(|(id, _)| id), line);
        line.extend_from_slice(name);
        optional(entity.and_then(|(_, name)| name).map(str::as_bytes), MOST_NAME, line);
    }
}

fn optional_id(id: Option<Uuid>, line: &mut Vec<u8>) {
    match id {
        Some(id) => {
            line.push(b'"');
            text::id(id, line);
            line.push(b'"');
        }
        None => line.extend_from_slice(b"null"),
    }
}

fn optional(text: Option<&[u8]>, most: usize, line: &mut Vec<u8>) {
    match text {
        Some(text) => {
            line.push(b'"');
            text::json(text, most, line);
            line.push(b'"');
        }
        None => line.extend_from_slice(b"null"),
    }
}
