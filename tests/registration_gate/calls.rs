//! Calls of applications are counted.

use std::time::Duration;

use serde_json::json;
use tollgate::domain::Clock;
use uuid::Uuid;

use crate::stage::{App, Stage};

/// Calls of an application in the last hour: let through, refused. To one service, or to all.
async fn counted(stage: &Stage, app: &App, service: Option<&str>) -> (i64, i64) {
    let service = match service {
        Some(name) => Some(stage.service_id(name).await),
        None => None,
    };
    let now = Clock::System.now();
    let application = Uuid::parse_str(&app.id).unwrap();
    let rows =
        stage.store.application_requests(application, service, 60, now.plus_seconds(-3600), now.plus_seconds(60));
    rows.await.unwrap().iter().fold((0, 0), |sum, row| (sum.0 + row.1, sum.1 + row.2))
}

/// Waits until an application has this many calls.
async fn reaches(stage: &Stage, app: &App, wanted: (i64, i64)) {
    let mut seen = (0, 0);
    for _ in 0..200 {
        seen = counted(stage, app, None).await;
        if seen == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{seen:?}, not {wanted:?}");
}

#[tokio::test]
async fn calls_are_counted_by_application_and_service() {
    let mut stage = Stage::start().await;
    for service in ["api", "other"] {
        stage.plugin(service, "key-auth", json!({})).await;
        stage.gate(service, json!({})).await;
    }
    let (app, quiet) = (stage.approved("app").await, stage.approved("quiet").await);
    let ask = async |stage: &Stage, path: &str, times: usize| {
        for _ in 0..times {
            crate::stage::sent(stage.get(path).header("apikey", &app.client_id)).await;
        }
    };
    ask(&stage, "/api", 7).await;
    ask(&stage, "/other", 3).await;
    reaches(&stage, &app, (7, 3)).await;
    assert_eq!(counted(&stage, &app, Some("api")).await, (7, 0));
    assert_eq!(counted(&stage, &app, Some("other")).await, (0, 3));
    // What was counted last is written before the gateway ends.
    ask(&stage, "/api", 5).await;
    stage.gateway.stop();
    assert_eq!(counted(&stage, &app, None).await, (12, 3));
    assert_eq!(counted(&stage, &quiet, None).await, (0, 0));
}

#[tokio::test]
async fn how_a_caller_stands_is_looked_up_once() {
    let stage = Stage::start().await;
    stage.plugin("api", "key-auth", json!({})).await;
    stage.gate("api", json!({})).await;
    let (app, plain) = (stage.approved("app").await, stage.consumer("plain").await);
    let key = stage.made("/consumers/plain/key-auth", json!({})).await["key"].as_str().unwrap().to_owned();
    let ask = async |key: &str| crate::stage::sent(stage.get("/api").header("apikey", key)).await.status;
    for _ in 0..50 {
        assert_eq!((ask(&app.client_id).await, ask(&key).await), (200, 401));
    }
    // Each of the two workers once for each of the two.
    let lookups = stage.meter("standing_checks").await;
    assert!((2..=4).contains(&lookups), "{lookups} of {}", plain.name);
}
