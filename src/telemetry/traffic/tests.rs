use std::time::Duration;

use uuid::Uuid;

use super::*;

fn labels(route: &str, service: &str) -> RouteLabels {
    let id = |name: &str| Uuid::from_u128(name.bytes().fold(0, |id, byte| id * 256 + u128::from(byte)));
    RouteLabels::new((id(route), Some(route)), Some((id(service), Some(service))))
}

fn answered(status: u16) -> Answered {
    Answered {
        status,
        class: ConsumerClass::Consumer,
        received: 3,
        sent: 5,
        total: Duration::from_millis(2),
        proxy: Some(Duration::from_micros(50)),
        upstream: Some(Duration::from_millis(1)),
    }
}

fn scraped(traffic: &Traffic) -> String {
    let mut text = String::new();
    traffic.render(&mut text);
    text
}

/// The counts of requests, without their name.
fn requests(traffic: &Traffic) -> Vec<String> {
    let text = scraped(traffic);
    let lines = text.lines().filter_map(|line| line.strip_prefix("tollgate_http_requests_total"));
    lines.map(str::to_owned).collect()
}

fn line(service: &str, route: &str, code: &str, count: u64) -> String {
    format!("{{service=\"{service}\",route=\"{route}\",code=\"{code}\",consumer_class=\"consumer\"}} {count}")
}

#[test]
fn workers_are_summed_by_route_and_routes_by_service() {
    let traffic = Traffic::default();
    for _ in 0..2 {
        let worker = traffic.worker();
        for route in ["a", "b"] {
            let slot = traffic.slot(worker, &labels(route, "s"));
            slot.count(&answered(200));
            assert!(Arc::ptr_eq(&slot, &traffic.slot(worker, &labels(route, "s"))));
        }
        traffic.slot(worker, &RouteLabels::none()).count(&answered(404));
    }
    assert_eq!(requests(&traffic), [line("", "", "404", 2), line("s", "a", "200", 2), line("s", "b", "200", 2)]);
    let text = scraped(&traffic);
    for line in [
        "tollgate_request_duration_seconds_bucket{service=\"s\",le=\"0.001\"} 0",
        "tollgate_request_duration_seconds_bucket{service=\"s\",le=\"0.005\"} 4",
        "tollgate_request_duration_seconds_count{service=\"s\"} 4",
        "tollgate_request_duration_seconds_sum{service=\"s\"} 0.008",
        "tollgate_proxy_duration_seconds_bucket{service=\"s\",le=\"0.0001\"} 4",
        "tollgate_upstream_duration_seconds_bucket{service=\"s\",le=\"0.001\"} 4",
        "tollgate_http_received_bytes_total{service=\"s\"} 12",
        "tollgate_http_sent_bytes_total{service=\"\"} 10",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn no_count_is_lost_when_routes_go() {
    let traffic = Traffic::default();
    let worker = traffic.worker();
    let (a, b) = (labels("a", "s"), labels("b", "t"));
    let (of_a, of_b) = (traffic.slot(worker, &a), traffic.slot(worker, &b));
    of_a.count(&answered(200));
    of_b.count(&answered(200));
    traffic.keep([a.clone(), b.clone()]);
    of_a.count(&answered(200));
    assert_eq!(requests(&traffic), [line("s", "a", "200", 2), line("t", "b", "200", 1)]);
    // The route goes; a request of it is still under way.
    traffic.keep([labels("c", "s"), b.clone()]);
    of_a.count(&answered(200));
    assert_eq!(requests(&traffic), [line("s", "(deleted)", "200", 3), line("t", "b", "200", 1)]);
    drop(of_a);
    let late = traffic.slot(worker, &a);
    late.count(&answered(200));
    drop(late);
    assert_eq!(requests(&traffic), [line("s", "(deleted)", "200", 4), line("t", "b", "200", 1)]);
    // So does its service.
    drop(of_b);
    traffic.keep([]);
    assert_eq!(requests(&traffic), [line("(deleted)", "(deleted)", "200", 5)]);
    let state = traffic.state.lock().unwrap();
    assert_eq!((state.slots.len(), state.retired.len(), state.gone.len()), (0, 0, 1), "memory is bounded");
}

#[test]
fn a_route_that_is_renamed_begins_anew() {
    let traffic = Traffic::default();
    let worker = traffic.worker();
    traffic.slot(worker, &labels("a", "s")).count(&answered(200));
    let id = Uuid::from_u128(u128::from(b'a'));
    let renamed = RouteLabels::new((id, Some("q\"")), Some((Uuid::from_u128(u128::from(b's')), Some("s"))));
    traffic.keep([renamed.clone()]);
    traffic.slot(worker, &renamed).count(&answered(200));
    assert_eq!(requests(&traffic), [line("s", "(deleted)", "200", 1), line("s", "q\\\"", "200", 1)]);
}

#[test]
fn an_upstream_that_makes_codes_up_makes_few_series() {
    let traffic = Traffic::default();
    let slot = traffic.slot(traffic.worker(), &labels("a", "s"));
    for status in (200..1000).chain(200..1000) {
        slot.count(&answered(status));
    }
    let lines = requests(&traffic);
    assert_eq!(lines.len(), 25);
    assert_eq!(lines[0], line("s", "a", "other", 2 * (800 - 24)));
    assert_eq!(lines[1], line("s", "a", "200", 2));
}
