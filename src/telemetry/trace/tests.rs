use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::telemetry::access::{Caller, Sent};
use crate::telemetry::outbox::{Batch, FULL, ROOM};
use crate::telemetry::trace::{Envelope, TraceId};

fn entry<'e>(method: &'e [u8], text: &'e [u8]) -> Entry<'e> {
    Entry {
        at_ms: 1_795_386_275_007,
        request_id: "00112233445566778899aabbccddeeff",
        trace: Some(TraceId(0xab)),
        sent: Sent { method, host: text, path: text, user_agent: Some(text), referrer: Some(text) },
        client_ip: "10.1.2.3".parse().unwrap(),
        protocol: "HTTP/2.0",
        tls: true,
        status: 200,
        bytes_received: 5,
        bytes_sent: 105,
        duration: Duration::from_micros(1500),
        proxy: None,
        upstream: None,
        place: None,
        caller: None,
        failure: None,
    }
}

const TRACE: Trace = Trace { id: TraceId(0xab), parent: Some(SpanId(1)), span: SpanId(2), sampled: true };
const TRY: Attempt = Attempt {
    span: SpanId(3),
    from: Duration::from_micros(100),
    to: Some(Duration::from_micros(1400)),
    status: 200,
    failure: None,
};

/// What the collector is sent.
fn sent(calls: &[CallSpans<'_>]) -> Vec<Value> {
    let taken: Arc<Mutex<Vec<Batch>>> = Arc::default();
    let others = Arc::clone(&taken);
    let hand_over = move |batch| {
        others.lock().unwrap().push(batch);
        Ok(())
    };
    let mut log = SpanLog::new(Arc::new(hand_over), Spares::default());
    assert_eq!(calls.iter().map(|call| log.write(call)).sum::<u64>() + log.flush(), 0);
    let batches = taken.lock().unwrap();
    let body: Value = serde_json::from_slice(&Envelope::new("1.2.3", "node-1").around(batches.iter())).unwrap();
    let resource = &body["resourceSpans"][0];
    assert_eq!(
        resource["resource"]["attributes"][0],
        json!({ "key": "service.name", "value": { "stringValue": "tollgate" } })
    );
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    assert_eq!(spans.len() as u64, batches.iter().map(|batch| batch.lines).sum::<u64>());
    spans
}

fn attribute<'s>(span: &'s Value, key: &str) -> &'s Value {
    let all = span["attributes"].as_array().unwrap();
    let found = all.iter().find(|attribute| attribute["key"] == key);
    found.map_or(&Value::Null, |found| found["value"].as_object().unwrap().values().next().unwrap())
}

#[test]
fn a_call_is_a_server_span_with_a_client_span_for_each_try() {
    let marks = Marks::new("orders", "/orders", Some("shop"), Some(("10.0.0.9", 8080)));
    let caller = Caller { consumer: Uuid::nil(), name: "bob \"b\"", credential: None };
    let entry = Entry { caller: Some(caller), ..entry(b"GET", b"/orders/7") };
    let first = Attempt { status: 0, failure: Some("upstream_broken"), ..TRY };
    let second = Attempt { span: SpanId(4), to: None, ..TRY };
    let call = CallSpans { trace: TRACE, entry: &entry, marks: Some(&marks), attempts: &[first, second], asked: None };
    let spans = sent(&[call]);
    let [server, broken, answered] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(server["traceId"], "000000000000000000000000000000ab");
    assert_eq!((&server["parentSpanId"], &server["spanId"]), (&json!("0000000000000001"), &json!("0000000000000002")));
    assert_eq!((&server["name"], &server["kind"]), (&json!("GET /orders"), &json!(2)));
    assert_eq!(server["startTimeUnixNano"], "1795386275007000000");
    assert_eq!(server["endTimeUnixNano"], "1795386275008500000");
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/orders"),
        ("http.response.status_code", "200"),
        ("url.path", "/orders/7"),
        ("network.protocol.version", "2"),
        ("tollgate.route", "orders"),
        ("tollgate.service", "shop"),
        ("tollgate.consumer", "bob \"b\""),
    ] {
        assert_eq!(attribute(server, key), value, "{key}");
    }
    assert_eq!((&server["status"], attribute(server, "error.type")), (&Value::Null, &Value::Null));
    for (span, id, resent) in [(broken, "0000000000000003", &Value::Null), (answered, "0000000000000004", &json!("1"))]
    {
        assert_eq!((&span["spanId"], &span["parentSpanId"]), (&json!(id), &server["spanId"]));
        assert_eq!((&span["name"], &span["kind"]), (&json!("GET"), &json!(3)));
        assert_eq!(attribute(span, "http.request.resend_count"), resent);
        assert_eq!(
            (attribute(span, "server.address"), attribute(span, "server.port")),
            (&json!("10.0.0.9"), &json!("8080"))
        );
    }
    assert_eq!((attribute(broken, "error.type"), &broken["status"]["code"]), (&json!("upstream_broken"), &json!(2)));
    assert_eq!(answered["endTimeUnixNano"], server["endTimeUnixNano"], "it was not over when the call was");
}

#[test]
fn errors_are_the_servers_not_the_clients() {
    for (status, failure, expected) in
        [(401, None, Value::Null), (503, None, json!("503")), (499, Some("client_gone"), json!("client_gone"))]
    {
        let entry = Entry { status, failure, ..entry(b"BREW", b"/") };
        let asked = Some(("password", "invalid_grant"));
        let trace = Trace { parent: None, ..TRACE };
        let spans = sent(&[CallSpans { trace, entry: &entry, marks: None, attempts: &[], asked }]);
        assert_eq!(attribute(&spans[0], "error.type"), &expected);
        assert_eq!(spans[0].get("status").is_some(), expected != Value::Null);
        assert_eq!(
            (&spans[0]["name"], attribute(&spans[0], "http.request.method")),
            (&json!("HTTP"), &json!("_OTHER"))
        );
        assert_eq!(attribute(&spans[0], "tollgate.outcome"), "invalid_grant");
        assert_eq!(spans[0].get("parentSpanId"), None);
    }
}

#[test]
fn whatever_a_client_sends_stays_in_its_text_and_no_batch_grows() {
    let evil: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let entry = entry(&evil, &evil);
    let attempts = [TRY; 16];
    let call = || CallSpans { trace: TRACE, entry: &entry, marks: None, attempts: &attempts, asked: None };
    let calls: Vec<_> = (0..20).map(|_| call()).collect();
    for span in sent(&calls) {
        assert!(span.to_string().len() < ROOM - FULL);
    }
    let mut alone = Vec::new();
    server(&calls[0], &mut alone);
    attempts.iter().for_each(|attempt| client(&calls[0], 1, attempt, &mut alone));
    assert!(alone.len() < ROOM - FULL, "{}", alone.len());
}

#[test]
fn spans_that_nobody_takes_are_dropped_and_counted() {
    let mut log = SpanLog::new(Arc::new(Err), Spares::default());
    let entry = entry(b"GET", b"/");
    let call = CallSpans { trace: TRACE, entry: &entry, marks: None, attempts: &[TRY], asked: None };
    let dropped: u64 = (0..500).map(|_| log.write(&call)).sum();
    assert_eq!(dropped + log.flush(), 1000);
}
