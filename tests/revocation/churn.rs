//! Several writers at once.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::caller::{Caller, Seen};
use crate::stage::{On, Stage};

/// Numbers of a service that do not depend on each other.
const FIELDS: [&str; 4] = ["retries", "connect_timeout", "read_timeout", "write_timeout"];

async fn of_writers_of_one_entity_none_takes_back_what_another_was_answered(on: On) {
    let stage = Arc::new(Stage::set(on).await);
    let writers: Vec<_> = FIELDS
        .into_iter()
        .map(|field| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                for value in 1..60 {
                    let answer = stage.change("PATCH", "/services/two", json!({ field: value })).await;
                    assert_eq!(answer[field], value);
                    let stored = stage.get("/services/two").await;
                    assert_eq!(stored[field], value, "`{field}` was answered, and is lost");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    Arc::into_inner(stage).unwrap().clear().await;
}

async fn writers_of_one_and_of_many_entities_never_meet_an_error_of_ours(on: On) {
    let stage = Arc::new(Stage::set(on).await);
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                for round in 0..40 {
                    let (path, own) = ("/consumers/contended", format!("/consumers/own-{writer}"));
                    let body = json!({ "custom_id": format!("{writer}-{round}") });
                    for (method, path, body) in [
                        ("PUT", path, body.clone()),
                        ("PATCH", path, json!({ "tags": [format!("w{writer}")] })),
                        ("DELETE", path, Value::Null),
                        ("PUT", own.as_str(), json!({ "tags": [format!("r{round}")] })),
                    ] {
                        let (status, answer) = stage.send(method, path, body).await;
                        let fine = matches!((method, status), ("PATCH", 404) | (_, 200..=204));
                        assert!(fine, "{method} {path}: {status} {answer}");
                    }
                    let stored = stage.get(&own).await;
                    assert_eq!(stored["tags"], json!([format!("r{round}")]), "an answered write is lost");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    Arc::into_inner(stage).unwrap().clear().await;
}

async fn what_a_client_asked_for_and_did_not_wait_for_is_in_force_once_it_is_stored(on: On) {
    let stage = Stage::set(on).await;
    let plugin = format!("/plugins/{}", stage.get("/services/one/plugins").await["data"][0]["id"].as_str().unwrap());
    let mut caller = Caller::connect(stage.proxy()).await;
    for round in 0..60 {
        let enabled = round % 2 == 1;
        let body = json!({ "enabled": enabled }).to_string();
        let head = format!(
            "PATCH {plugin} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(stage.gateway.addresses["admin"]).await.unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        // Gone at once, with a reset.
        stream.set_zero_linger().unwrap();
        drop(stream);
        // A write after it settles what became of it: it was stored before, or never will be.
        stage.change("PATCH", "/consumers/shop", json!({ "tags": [format!("round-{round}")] })).await;
        let is_stored = stage.get(&plugin).await["enabled"] == enabled;
        if !is_stored {
            stage.change("PATCH", &plugin, json!({ "enabled": enabled })).await;
        }
        let expected = if enabled { Seen::refused() } else { Seen::passed("one", "") };
        // Stored is not yet answered: the caller may come before it is in force, but not forever.
        let mut early = 0;
        while caller.get("/api", "none").await != expected {
            early += 1;
            assert!(early < 20_000, "stored, and never in force");
        }
    }
    stage.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writers_of_one_entity_none_takes_back_what_another_was_answered_on_sqlite() {
    of_writers_of_one_entity_none_takes_back_what_another_was_answered(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writers_of_one_entity_none_takes_back_what_another_was_answered_on_postgres() {
    of_writers_of_one_entity_none_takes_back_what_another_was_answered(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_and_of_many_entities_never_meet_an_error_of_ours_on_sqlite() {
    writers_of_one_and_of_many_entities_never_meet_an_error_of_ours(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_and_of_many_entities_never_meet_an_error_of_ours_on_postgres() {
    writers_of_one_and_of_many_entities_never_meet_an_error_of_ours(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_asked_for_and_did_not_wait_for_is_in_force_once_it_is_stored_on_sqlite() {
    what_a_client_asked_for_and_did_not_wait_for_is_in_force_once_it_is_stored(On::Sqlite).await;
}
