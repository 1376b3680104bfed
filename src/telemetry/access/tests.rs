use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::telemetry::access::{Caller, Place, Sent};
use crate::telemetry::outbox::{Batch, FULL, ROOM};
use crate::telemetry::trace::TraceId;

fn entry<'e>(path: &'e [u8], agent: Option<&'e [u8]>) -> Entry<'e> {
    Entry {
        at_ms: 1_795_386_275_007,
        request_id: "00112233445566778899aabbccddeeff",
        trace: None,
        sent: Sent {
            method: b"GET",
            host: b"api.example.com",
            path,
            user_agent: agent,
            referrer: Some(b"https://app.example.com/back?code=C0DE"),
        },
        client_ip: "10.1.2.3".parse().unwrap(),
        protocol: "HTTP/1.1",
        tls: true,
        status: 200,
        bytes_received: 5,
        bytes_sent: 105,
        duration: Duration::from_micros(1500),
        proxy: Some(Duration::from_micros(20)),
        upstream: None,
        place: None,
        caller: None,
        failure: None,
    }
}

/// What reaches the other side.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<Batch>>>);

impl Taken {
    fn log(&self, format: AccessFormat) -> AccessLog {
        let taken = self.clone();
        let hand_over = move |batch| {
            taken.0.lock().unwrap().push(batch);
            Ok(())
        };
        AccessLog::new(format, Arc::new(hand_over), Spares::default())
    }

    fn text(&self) -> String {
        let batches = self.0.lock().unwrap();
        batches.iter().map(|batch| std::str::from_utf8(&batch.bytes).unwrap()).collect()
    }
}

fn written(format: AccessFormat, entry: &Entry<'_>) -> String {
    let taken = Taken::default();
    let mut log = taken.log(format);
    assert_eq!(log.write(entry) + log.flush(), 0);
    taken.text()
}

#[test]
fn a_line_of_json_has_every_field() {
    let place = Place::new((Uuid::from_u128(1), Some("orders \"x\"")), Some((Uuid::from_u128(2), None)));
    let caller = Caller { consumer: Uuid::from_u128(3), name: "bob", credential: Some(Uuid::from_u128(4)) };
    let full = Entry {
        place: Some(&place),
        caller: Some(caller),
        failure: Some("why"),
        trace: Some(TraceId(0xab)),
        ..entry(b"/a", Some(b"curl"))
    };
    let line: Value = serde_json::from_str(&written(AccessFormat::Json, &full)).unwrap();
    let id = |number: u128| json!(Uuid::from_u128(number).to_string());
    let expected = json!({
        "time": "2026-11-22T22:24:35.007Z", "request_id": "00112233445566778899aabbccddeeff",
        "trace_id": "000000000000000000000000000000ab", "client_ip": "10.1.2.3",
        "protocol": "HTTP/1.1", "tls": true, "method": "GET", "host": "api.example.com", "path": "/a",
        "user_agent": "curl", "status": 200, "bytes_received": 5, "bytes_sent": 105, "duration_ms": 1.5,
        "proxy_ms": 0.02, "upstream_ms": null, "route_id": id(1), "route": "orders \"x\"", "service_id": id(2),
        "service": null, "consumer_id": id(3), "consumer": "bob", "credential_id": id(4), "failure": "why",
    });
    assert_eq!(line, expected);
    let bare: Value = serde_json::from_str(&written(AccessFormat::Json, &entry(b"", None))).unwrap();
    let fields = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&bare), fields(&expected), "every line has every field");
    for name in ["trace_id", "path", "user_agent", "route", "service_id", "consumer", "credential_id", "failure"] {
        assert_eq!(bare[name], Value::Null, "{name}");
    }
}

#[test]
fn a_combined_line_is_nginxs_with_the_request_id() {
    let caller = Caller { consumer: Uuid::nil(), name: "bob b", credential: None };
    let line = written(AccessFormat::Combined, &Entry { caller: Some(caller), ..entry(b"/a\"b", None) });
    assert_eq!(
        line,
        "10.1.2.3 - bob\\x20b [22/Nov/2026:22:24:35 +0000] \"GET /a\\x22b HTTP/1.1\" 200 105 \
         \"https://app.example.com/back\" \"-\" 00112233445566778899aabbccddeeff\n"
    );
}

#[test]
fn whatever_a_client_sends_is_one_line_that_fits() {
    let evil: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for format in [AccessFormat::Json, AccessFormat::Combined] {
        let mut entry = entry(&evil, Some(&evil));
        (entry.sent.method, entry.sent.host, entry.sent.referrer) = (&evil, &evil, Some(&evil[..]));
        let line = written(format, &entry);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.trim_end().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert!(line.len() < ROOM - FULL, "{}", line.len());
        if format == AccessFormat::Json {
            serde_json::from_str::<Value>(&line).unwrap();
        }
    }
}

#[test]
fn lines_are_handed_over_by_the_batch_and_no_buffer_grows() {
    let taken = Taken::default();
    let mut log = taken.log(AccessFormat::Json);
    for _ in 0..1000 {
        assert_eq!(log.write(&entry(&[b'a'; 3000], Some(b"curl"))), 0);
    }
    log.flush();
    assert!(log.is_empty() && log.flush() == 0);
    let batches = taken.0.lock().unwrap();
    assert!(batches.len() > 10, "{}", batches.len());
    assert_eq!(batches.iter().map(|batch| batch.lines).sum::<u64>(), 1000);
    assert!(batches.iter().all(|batch| batch.bytes.capacity() == ROOM));
}

#[test]
fn lines_that_nobody_takes_are_dropped_and_counted() {
    let mut log = AccessLog::new(AccessFormat::Combined, Arc::new(Err), Spares::default());
    let dropped: u64 = (0..1000).map(|_| log.write(&entry(b"/", None))).sum();
    assert_eq!(dropped + log.flush(), 1000);
}
