//! Calls as a collector of traces sees them: who calls whom, whatever the protocol and whatever goes wrong.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use serde_json::json;
use tokio::net::TcpStream;

use crate::collector::{Collector, Mood, Span};
use crate::house::{House, PROVISION};
use crate::programs::{Program, made, python};
use crate::trace::{PARENT, STATE, mirror};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

pub async fn house(collector: &Collector, more: &[(&str, &str)]) -> House {
    let endpoint = collector.endpoint();
    let settings = [&[("LOG_ACCESS", "json"), ("TELEMETRY_OTLP_ENDPOINT", endpoint.as_str())], more].concat();
    let house = House::open_with(&settings).await;
    house.made("/services", json!({ "name": "mirror", "url": mirror() })).await;
    house.made("/services/mirror/routes", json!({ "name": "mirror", "paths": ["/mirror"] })).await;
    house
}

fn field(head: &str, name: &str) -> Option<String> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned());
    assert!(!fields.any(|(known, _)| known.eq_ignore_ascii_case(name)), "{name} comes twice: {head}");
    found
}

/// A call with these fields: its request id, its status, and what came back.
async fn call(house: &House, path: &str, fields: &[(&str, &str)]) -> (String, u16, String) {
    let mut request = house.http.get(house.gateway.url("proxy", path));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    (id, answer.status().as_u16(), answer.text().await.unwrap())
}

fn is_within(inner: &Span, outer: &Span) {
    assert!(outer.from <= inner.from && inner.from <= inner.to && inner.to <= outer.to, "{inner:?} {outer:?}");
}

#[tokio::test]
async fn a_call_continues_the_callers_trace_and_the_upstream_continues_ours() {
    let collector = Collector::start(Mood::Takes);
    let mut house = house(&collector, &[]).await;
    let path = "/mirror/a?access_token=nothing-of-it";
    let (id, status, head) = call(&house, path, &[("traceparent", PARENT), ("tracestate", STATE)]).await;
    assert_eq!(status, 200);
    let (server, tries) = collector.call(&id).await;
    assert_eq!((server.trace.as_str(), server.parent.as_str()), (TRACE, CALLER));
    let [upstream] = &tries[..] else { panic!("{tries:?}") };
    assert_eq!((upstream.trace.as_str(), server.kind, upstream.kind), (TRACE, 2, 3));
    assert_eq!(field(&head, "traceparent"), Some(format!("00-{TRACE}-{}-01", upstream.id)));
    assert_eq!(field(&head, "tracestate").as_deref(), Some(STATE));
    is_within(upstream, &server);
    assert_eq!((server.name.as_str(), upstream.name.as_str()), ("GET /mirror", "GET"));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/mirror"),
        ("http.response.status_code", "200"),
        ("url.path", "/mirror/a"),
        ("server.address", &house.gateway.addresses["proxy"].to_string()),
        ("client.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("tollgate.route", "mirror"),
        ("tollgate.service", "mirror"),
        ("error.type", ""),
    ] {
        assert_eq!(server.get(key), value, "{key}");
    }
    assert_eq!(upstream.get("server.address"), "127.0.0.1");
    assert!(!server.is_error && !upstream.is_error);
    assert_eq!(house.gateway.stop(), Some(0));
    assert!(house.lines().iter().any(|line| line["request_id"] == id.as_str() && line["trace_id"] == TRACE));
    assert!(!collector.text().contains("nothing-of-it"));
}

#[tokio::test]
async fn what_is_malformed_or_missing_begins_a_trace() {
    let collector = Collector::start(Mood::Takes);
    let house = house(&collector, &[]).await;
    let malformed = PARENT.to_uppercase();
    for fields in [&[][..], &[("traceparent", malformed.as_str()), ("tracestate", STATE)]] {
        let (id, _, head) = call(&house, "/mirror", fields).await;
        let (server, tries) = collector.call(&id).await;
        assert_eq!(server.parent, "");
        assert_ne!(server.trace, TRACE);
        assert_eq!(field(&head, "traceparent"), Some(format!("00-{}-{}-01", server.trace, tries[0].id)));
        assert_eq!(field(&head, "tracestate"), None, "it belonged to no trace");
    }
}

#[tokio::test]
async fn refusals_and_calls_without_a_route_are_server_spans() {
    let collector = Collector::start(Mood::Takes);
    let house = house(&collector, &[]).await;
    for (path, status, route) in [("/api", 401, "api"), ("/nothing", 404, "")] {
        let (id, answered, _) = call(&house, path, &[("traceparent", PARENT)]).await;
        let (server, tries) = collector.call(&id).await;
        assert_eq!((answered, server.get("http.response.status_code")), (status, status.to_string().as_str()));
        assert_eq!((server.parent.as_str(), server.get("tollgate.route")), (CALLER, route));
        assert!(tries.is_empty() && !server.is_error, "{server:?} {tries:?}");
    }
    let token = house.access_token().await;
    let (id, ..) = call(&house, "/api", &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(collector.call(&id).await.0.get("tollgate.consumer"), "shop");
}

#[tokio::test]
async fn token_requests_tell_grant_and_outcome() {
    let collector = Collector::start(Mood::Takes);
    let mut house = house(&collector, &[]).await;
    house.access_token().await;
    let wrong = [("grant_type", "password"), ("provision_key", PROVISION), ("authenticated_userid", "")];
    assert_eq!(house.token(&wrong).await.0, 400);
    assert_eq!(house.gateway.stop(), Some(0));
    let spans = collector.spans();
    let told: Vec<_> = spans.iter().map(|span| (span.get("tollgate.grant"), span.get("tollgate.outcome"))).collect();
    assert!(told.contains(&("client_credentials", "issued")), "{told:?}");
    assert!(told.contains(&("password", "invalid_authenticated_userid")), "{told:?}");
}

#[tokio::test]
async fn every_try_at_the_upstream_is_a_span() {
    let collector = Collector::start(Mood::Takes);
    let house = house(&collector, &[]).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    house.made("/services", json!({ "name": "away", "url": format!("http://{closed}"), "retries": 2 })).await;
    house.made("/services/away/routes", json!({ "name": "away", "paths": ["/away"] })).await;
    let (id, status, _) = call(&house, "/away", &[]).await;
    let (server, tries) = collector.call(&id).await;
    assert_eq!((status, server.get("error.type"), server.is_error), (502, "upstream_refused", true));
    let resent: Vec<_> = tries.iter().map(|span| span.get("http.request.resend_count")).collect();
    assert_eq!(resent, ["", "1", "2"]);
    for span in &tries {
        assert_eq!((span.get("error.type"), span.is_error), ("upstream_refused", true));
        is_within(span, &server);
    }
    let ids: std::collections::HashSet<_> = tries.iter().map(|span| &span.id).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn whoever_calls_decides_and_else_the_ratio_does() {
    let collector = Collector::start(Mood::Takes);
    let mut house = house(&collector, &[("TELEMETRY_TRACE_SAMPLE", "0")]).await;
    let unsampled = PARENT.replace("-01", "-00");
    let (_, _, head) = call(&house, "/mirror", &[("traceparent", &unsampled), ("tracestate", STATE)]).await;
    assert_eq!(field(&head, "traceparent"), Some(unsampled), "it passes: no span of ours stands between");
    assert_eq!(field(&head, "tracestate").as_deref(), Some(STATE));
    let (_, _, head) = call(&house, "/mirror", &[]).await;
    assert!(field(&head, "traceparent").unwrap().ends_with("-00"), "the upstream is to follow: {head}");
    let (sampled, ..) = call(&house, "/mirror", &[("traceparent", PARENT)]).await;
    assert_eq!(house.gateway.stop(), Some(0));
    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert!(spans.iter().any(|span| span.get("tollgate.request_id") == sampled));
}

#[tokio::test]
async fn calls_over_http2_are_traced() {
    let collector = Collector::start(Mood::Takes);
    let house = house(&collector, &[]).await;
    let address = house.gateway.addresses["proxy"];
    let (mut send, connection) = h2::client::handshake(TcpStream::connect(address).await.unwrap()).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::builder().uri(format!("http://{address}/mirror")).header("traceparent", PARENT);
    let (response, _) = send.send_request(request.body(()).unwrap(), true).unwrap();
    let id = response.await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned();
    let (server, tries) = collector.call(&id).await;
    assert_eq!((server.trace.as_str(), server.parent.as_str()), (TRACE, CALLER));
    assert_eq!((server.get("network.protocol.version"), tries.len()), ("2", 1));
}

/// The spans of the route, once there are any, all in pairs.
async fn pairs(collector: &Collector, route: &str) -> Vec<(Span, Span)> {
    loop {
        let spans = collector.spans();
        let servers: Vec<_> = spans.iter().filter(|span| span.get("tollgate.route") == route).collect();
        let upstream = |server: &Span| spans.iter().find(|span| span.parent == server.id).cloned();
        let found: Vec<_> = servers.iter().filter_map(|span| Some(((*span).clone(), upstream(span)?))).collect();
        if !found.is_empty() {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn grpc_and_websocket_are_traced() {
    let collector = Collector::start(Mood::Takes);
    let house = house(&collector, &[]).await;
    let (grpc, socket) = (Program::start("grpc/server.py"), Program::start("websocket/server.py"));
    made(&house.gateway, "/services", json!({ "name": "grpc", "url": format!("grpc://127.0.0.1:{}", grpc.port) }))
        .await;
    let route =
        json!({ "name": "grpc", "paths": ["/test.Service"], "protocols": ["grpc", "grpcs"], "strip_path": false });
    made(&house.gateway, "/services/grpc/routes", route).await;
    made(&house.gateway, "/services", json!({ "name": "chat", "url": format!("http://127.0.0.1:{}", socket.port) }))
        .await;
    let route = json!({ "name": "chat", "paths": ["/chat"], "protocols": ["ws", "wss"] });
    made(&house.gateway, "/services/chat/routes", route).await;
    let port = house.gateway.addresses["proxy"].port();
    // What they expect of tokens they do not find here: some calls fail, and all are traced.
    for (program, target) in [
        ("grpc/client.py", format!("localhost:{port}")),
        ("websocket/client.py", format!("ws://localhost:{port}/chat")),
    ] {
        python().arg(program).arg(target).arg("no-token").stderr(Stdio::null()).output().unwrap();
    }
    for (server, upstream) in pairs(&collector, "grpc").await {
        assert_eq!((server.trace.as_str(), server.kind, upstream.kind), (upstream.trace.as_str(), 2, 3));
        assert_eq!((server.name.as_str(), server.get("network.protocol.version")), ("POST /test.Service", "2"));
        is_within(&upstream, &server);
    }
    let switched = pairs(&collector, "chat").await;
    for (server, upstream) in &switched {
        assert_eq!((&server.trace, server.get("url.path")), (&upstream.trace, "/chat"));
    }
    assert!(switched.iter().any(|(server, _)| server.get("http.response.status_code") == "101"), "{switched:?}");
}

/// The attributes of docs/tracing.md: name, and on which kind of span.
fn documented() -> BTreeSet<(String, u64)> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tracing.md")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    let kinds = |on: &str| match on {
        "server" => &[2][..],
        "client" => &[3],
        "both" => &[2, 3],
        _ => &[],
    };
    let rows = rows.iter().filter(|cells| cells.len() == 5 && cells[1].contains('.'));
    let rows = rows.flat_map(|cells| kinds(cells[2]).iter().map(|kind| (cells[1].trim_matches('`').to_owned(), *kind)));
    rows.collect()
}

#[tokio::test]
async fn what_spans_tell_is_documented_and_what_is_documented_is_told() {
    let collector = Collector::start(Mood::Takes);
    let mut house = house(&collector, &[]).await;
    let token = house.access_token().await;
    let brew = reqwest::Method::from_bytes(b"BREW").unwrap();
    let away = json!({ "name": "away", "url": "http://127.0.0.1:9", "retries": 1 });
    house.made("/services", away).await;
    house.made("/services/away/routes", json!({ "name": "away", "paths": ["/away"] })).await;
    for (method, path) in [(reqwest::Method::GET, "/api"), (brew, "/mirror"), (reqwest::Method::GET, "/away")] {
        let request = house.http.request(method, house.gateway.url("proxy", path)).bearer_auth(&token);
        request.header("user-agent", "curl/8").send().await.unwrap();
    }
    assert_eq!(house.gateway.stop(), Some(0));
    let spans = collector.spans();
    let told = spans.iter().flat_map(|span| span.keys().map(|key| (key.to_owned(), span.kind)));
    assert_eq!(told.collect::<BTreeSet<_>>(), documented());
}

#[tokio::test]
async fn the_programs_log_names_the_call_and_its_trace() {
    let collector = Collector::start(Mood::Takes);
    let house = house(&collector, &[]).await;
    let speaks_no_tls = house.gateway.url("status", "").replace("http://", "https://");
    house.made("/services", json!({ "name": "plain", "url": speaks_no_tls, "retries": 0 })).await;
    house.made("/services/plain/routes", json!({ "name": "plain", "paths": ["/plain"] })).await;
    let (id, status, _) = call(&house, "/plain", &[("traceparent", PARENT)]).await;
    assert_eq!(status, 502);
    assert_eq!(collector.call(&id).await.0.get("error.type"), "upstream_handshake");
    let log = house.gateway.log_text();
    let mut events = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert!(events.any(|event| event["request_id"] == id.as_str() && event["trace_id"] == TRACE), "{id}: {log}");
}
