//! What an OpenTelemetry collector is told of calls.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use crate::collector::{Collector, attribute};
use crate::house::House;
use crate::trace::{PARENT, mirror, over_http2};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const STATE: &str = "congo=t61rcWkgMzE";

async fn house(collector: &Collector, extra: &[(&str, &str)]) -> House {
    let settings = [("LOG_ACCESS", "json"), ("TELEMETRY_OTLP_ENDPOINT", &collector.endpoint)];
    let house = House::open_with(&[&settings, extra].concat()).await;
    house.made("/services", json!({ "name": "mirror", "url": mirror() })).await;
    house.made("/services/mirror/routes", json!({ "name": "mirror", "paths": ["/mirror"] })).await;
    house
}

/// The head that reached the upstream.
async fn mirrored(house: &House, headers: &[(&str, &str)]) -> String {
    let mut request = house.http.get(house.gateway.url("proxy", "/mirror/x?access_token=in-a-query"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().text().await.unwrap().to_ascii_lowercase()
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn of_kind(spans: &[Value], kind: u64) -> Vec<&Value> {
    spans.iter().filter(|span| span["kind"] == kind).collect()
}

#[tokio::test]
async fn a_callers_trace_goes_through_the_gateway_to_the_upstream() {
    let collector = Collector::open(&[]);
    let mut house = house(&collector, &[("TELEMETRY_OTLP_HEADERS", "authorization=Basic abc,x-team=gate")]).await;
    let head = mirrored(&house, &[("traceparent", PARENT), ("tracestate", STATE), ("user-agent", "a\"b")]).await;
    assert_eq!(house.gateway.stop(), Some(0));
    let sent = field(&head, "traceparent").unwrap();
    assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-01") && sent != PARENT, "{sent}");
    assert_eq!(field(&head, "tracestate"), Some(STATE.to_ascii_lowercase().as_str()));
    let spans = collector.spans();
    let (server, client) = (of_kind(&spans, 2)[0], of_kind(&spans, 3)[0]);
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert_eq!((&server["traceId"], &client["traceId"]), (&json!(TRACE), &json!(TRACE)));
    assert_eq!(server["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!(client["parentSpanId"], server["spanId"]);
    assert_eq!(client["spanId"], sent[36..52]);
    let time = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time(server, "startTimeUnixNano") <= time(client, "startTimeUnixNano"));
    assert!(time(client, "startTimeUnixNano") < time(client, "endTimeUnixNano"));
    assert_eq!(time(client, "endTimeUnixNano"), time(server, "endTimeUnixNano"));
    assert_eq!((&server["name"], &client["name"]), (&json!("GET mirror"), &json!("GET")));
    let line = &house.lines()[0];
    assert_eq!(line["trace_id"], TRACE);
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("url.path", "/mirror/x"),
        ("url.scheme", "http"),
        ("client.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "a\"b"),
        ("http.route", "mirror"),
        ("tollgate.route", "mirror"),
        ("tollgate.service", "mirror"),
        ("tollgate.request_id", line["request_id"].as_str().unwrap()),
        ("error.type", ""),
    ] {
        let told = attribute(server, name).as_str().unwrap_or_default();
        assert_eq!(told, value, "{name}");
    }
    assert_eq!(attribute(client, "server.address"), "127.0.0.1");
    assert!(!server.as_object().unwrap().contains_key("status"));
    let resource = collector.resource();
    assert_eq!(attribute(&resource, "service.name"), "tollgate");
    let text = collector.text().to_ascii_lowercase();
    assert!(text.contains("authorization: basic abc\r\n") && text.contains("x-team: gate\r\n"), "{text}");
    assert!(!text.contains("in-a-query"));
}

#[tokio::test]
async fn whoever_brings_no_context_begins_a_trace() {
    let collector = Collector::open(&[]);
    let mut house = house(&collector, &[]).await;
    let mut ids = HashSet::new();
    for headers in [&[][..], &[("traceparent", "00-0-0-01"), ("tracestate", STATE)]] {
        let head = mirrored(&house, headers).await;
        let sent = field(&head, "traceparent").unwrap();
        assert!(sent.len() == 55 && sent.ends_with("-01"), "{sent}");
        assert_eq!(field(&head, "tracestate"), None, "a state without its trace");
        ids.insert(sent[3..35].to_owned());
    }
    assert_eq!(house.gateway.stop(), Some(0));
    let spans = collector.spans();
    assert_eq!((ids.len(), spans.len()), (2, 4));
    for server in of_kind(&spans, 2) {
        assert!(server["parentSpanId"].is_null() && ids.contains(server["traceId"].as_str().unwrap()), "{server}");
    }
}

#[tokio::test]
async fn what_is_not_sampled_is_not_told() {
    let collector = Collector::open(&[]);
    let mut house = house(&collector, &[("TELEMETRY_TRACE_SHARE", "0")]).await;
    let unsampled = PARENT.replace("-01", "-00");
    let head = mirrored(&house, &[("traceparent", &unsampled), ("tracestate", STATE)]).await;
    assert_eq!(field(&head, "traceparent"), Some(unsampled.as_str()));
    let head = mirrored(&house, &[]).await;
    assert!(field(&head, "traceparent").unwrap().ends_with("-00"), "{head}");
    // The caller's wish to keep its trace stands.
    mirrored(&house, &[("traceparent", PARENT)]).await;
    assert_eq!(house.gateway.stop(), Some(0));
    let spans = collector.spans();
    assert!(spans.len() == 2 && spans.iter().all(|span| span["traceId"] == TRACE), "{spans:?}");
}

#[tokio::test]
async fn refusals_and_failures_have_spans_that_say_so() {
    let collector = Collector::open(&[]);
    let mut house = house(&collector, &[]).await;
    house.made("/services", json!({ "name": "gone", "url": "http://127.0.0.1:9", "retries": 0 })).await;
    house.made("/services/gone/routes", json!({ "name": "gone", "paths": ["/gone"] })).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    house.made("/services", json!({ "name": "stuck", "url": url, "read_timeout": 200, "retries": 0 })).await;
    house.made("/services/stuck/routes", json!({ "name": "stuck", "paths": ["/stuck"] })).await;
    let token = house.access_token().await;
    for (path, token, status) in [
        ("/api", None, 401),
        ("/api", Some(token.as_str()), 200),
        ("/nothing", None, 404),
        ("/gone", None, 502),
        ("/stuck", None, 504),
    ] {
        assert_eq!(house.call(path, token).await, status, "{path}");
    }
    assert_eq!(over_http2(house.gateway.addresses["proxy"], "/open").await, 200);
    mirrored(&house, &[("user-agent", "curl/8")]).await;
    assert_eq!(house.gateway.stop(), Some(0));
    let spans = collector.spans();
    let server = |path: &str, status: &str| {
        let servers = of_kind(&spans, 2);
        let found = servers
            .iter()
            .find(|span| attribute(span, "url.path") == path && attribute(span, "http.response.status_code") == status);
        (*found.unwrap_or_else(|| panic!("no span of {path}: {spans:#?}"))).clone()
    };
    let client = |server: &Value| spans.iter().find(|span| span["parentSpanId"] == server["spanId"]).cloned();
    for (path, status, failed, asked) in [
        ("/api", "401", "", false),
        ("/api", "200", "", true),
        ("/nothing", "404", "", false),
        ("/gone", "502", "upstream_refused", false),
        ("/stuck", "504", "upstream_timeout", true),
        ("/open", "200", "", true),
        ("/api/oauth2/token", "200", "", false),
    ] {
        let server = server(path, status);
        assert_eq!(attribute(&server, "error.type").as_str().unwrap_or_default(), failed, "{server}");
        assert_eq!(server["status"]["code"] == 2, !failed.is_empty(), "{server}");
        assert_eq!(client(&server).is_some(), asked, "{path} {status}");
    }
    assert_eq!(attribute(&server("/api", "200"), "tollgate.consumer"), "shop");
    assert_eq!(attribute(&server("/open", "200"), "network.protocol.version"), "2");
    assert!(client(&server("/stuck", "504")).unwrap()["status"]["code"] == 2);
    let told: BTreeSet<&str> = spans.iter().flat_map(names).collect();
    let page = include_str!("../../docs/tracing.md");
    let documented: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(told_by_spans).collect();
    assert_eq!(told, documented, "docs/tracing.md");
}

fn names(span: &Value) -> impl Iterator<Item = &str> {
    span["attributes"].as_array().unwrap().iter().map(|attribute| attribute["key"].as_str().unwrap())
}

/// Whether a word of the page names an attribute of spans, not a setting or one of the process.
fn told_by_spans(word: &&str) -> bool {
    let is_name = word.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
    let of_others = ["telemetry.", "service."].iter().any(|start| word.starts_with(start));
    is_name && word.contains('.') && !of_others
}

#[tokio::test]
async fn a_collector_that_is_busy_gets_its_spans_later() {
    let collector = Collector::open(&[503]);
    let mut house = house(&collector, &[]).await;
    mirrored(&house, &[]).await;
    assert_eq!(house.gateway.stop(), Some(0));
    assert_eq!(collector.spans().len(), 2);
}

#[tokio::test]
async fn a_collector_that_is_away_or_refuses_costs_spans_and_nothing_else() {
    let refusing = Collector::open(&[400; 100]);
    let away = Collector::at("http://127.0.0.1:9".to_owned());
    for collector in [refusing, away] {
        let mut house = house(&collector, &[]).await;
        for _ in 0..20 {
            assert!(mirrored(&house, &[]).await.starts_with("get /x"));
        }
        while house.series("tollgate_spans_total{outcome=\"dropped\"}").await < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(house.gateway.stop(), Some(0));
        let log = house.gateway.log_text();
        assert_eq!(log.matches("the collector takes no spans").count(), 1, "{log}");
    }
}

#[tokio::test]
async fn a_collector_that_hangs_holds_up_no_call_and_no_stop() {
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = Collector::at(format!("http://{}", hanging.local_addr().unwrap()));
    let mut house = house(&collector, &[]).await;
    // More than worker, mailbox and actor hold together.
    let long = "x".repeat(2000);
    let calls = (0..16).map(|_| async {
        for _ in 0..120 {
            assert_eq!(house.call(&format!("/nothing/{long}"), None).await, 404);
        }
    });
    futures_util::future::join_all(calls).await;
    while house.series("tollgate_spans_total{outcome=\"dropped\"}").await == 0 {
        assert_eq!(house.call(&format!("/nothing/{long}"), None).await, 404);
    }
    assert_eq!(house.gateway.stop(), Some(0));
    assert!(house.gateway.log_text().contains("the collector did not take the last spans in time"));
}
