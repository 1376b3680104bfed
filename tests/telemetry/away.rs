//! Collectors that do not do what they should: calls are served, and what cannot be sent is dropped and counted.

use std::time::Duration;

use crate::collector::{Collector, Mood};
use crate::house::House;
use crate::spans::house;

const DROPPED: &str = "tollgate_spans_dropped_total";
const SENT: &str = "tollgate_spans_total";

async fn burst(house: &House, calls: usize) {
    let agent = "x".repeat(500);
    let calls = (0..calls).map(|_| async {
        let request = house.http.get(house.gateway.url("proxy", "/nothing")).header("user-agent", &agent);
        assert_eq!(request.send().await.unwrap().status(), 404);
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn a_collector_that_is_silent_costs_spans_and_holds_up_nobody() {
    let collector = Collector::start(Mood::Silent);
    let mut house = house(&collector, &[]).await;
    while house.series(DROPPED).await == 0 {
        burst(&house, 200).await;
        // What waits is bounded: in the tracer's hands, its mailbox, and with the workers.
        let depth = house.series("tollgate_mailbox_depth{actor=\"tracer\"}").await;
        assert!(depth <= 3 * 64, "{depth}");
    }
    assert_eq!(house.series(SENT).await, 0);
    assert_eq!(house.gateway.stop(), Some(0), "it stops all the same");
    assert_eq!(house.gateway.log_text().matches("`traces` did not stop in time").count(), 1);
}

#[tokio::test]
async fn a_collector_that_is_busy_is_asked_again() {
    let collector = Collector::start(Mood::Says(503));
    let house = house(&collector, &[]).await;
    burst(&house, 1).await;
    while collector.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    collector.change(Mood::Takes);
    while house.series(SENT).await == 0 {
        burst(&house, 1).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.series(DROPPED).await, 0);
    let log = house.gateway.log_text();
    assert_eq!(log.matches("the collector takes no spans").count(), 1, "{log}");
    assert!(log.contains("the collector takes spans again"), "{log}");
}

#[tokio::test]
async fn a_collector_that_is_away_or_refuses_costs_spans() {
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusing = Collector::start(Mood::Says(400));
    for endpoint in [format!("http://{away}/v1/traces"), refusing.endpoint()] {
        let settings = [("LOG_ACCESS", "json"), ("TELEMETRY_OTLP_ENDPOINT", endpoint.as_str())];
        let mut house = House::open_with(&settings).await;
        burst(&house, 3).await;
        while house.series(DROPPED).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(house.call("/open", None).await, 200);
        assert_eq!(house.gateway.stop(), Some(0));
    }
    assert!(refusing.requests() > 0);
}

#[tokio::test]
async fn what_waits_is_sent_when_the_gateway_stops() {
    let collector = Collector::start(Mood::Takes);
    let mut house = house(&collector, &[]).await;
    let before = collector.spans().len();
    burst(&house, 20).await;
    assert_eq!(house.gateway.stop(), Some(0));
    assert_eq!(collector.spans().len(), before + 20);
}
