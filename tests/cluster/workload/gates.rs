//! Routes that are open and then closed, each in one of the ways that take a right away.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use super::Actor;
use crate::cluster::LEASE;
use crate::history::{Outcome, Target, id};
use crate::lane::pass_everywhere;

const PAUSE: Duration = Duration::from_millis(200);

pub(super) async fn open_and_close(mut actor: Actor) {
    while actor.goes_on() {
        let gate = format!("gate-{:016x}", actor.rng.random::<u64>());
        if open(&mut actor, &gate).await.is_some() {
            known_everywhere(&mut actor, &gate).await;
            close(&mut actor, &gate).await;
        }
        actor.pause(PAUSE).await;
    }
}

async fn open(actor: &mut Actor, gate: &str) -> Option<()> {
    let _upheaval = actor.upheaval().await;
    let lane = actor.configured_node();
    // The setting's service stands before the same upstream; a gate needs no more of it than an answer.
    let upstream = lane.get("/services/setting").await?;
    let (host, port) = (&upstream["host"], &upstream["port"]);
    lane.make("/services", &json!({ "name": gate, "host": host, "port": port })).await?;
    lane.make(&format!("/services/{gate}/routes"), &json!({ "name": gate, "paths": [format!("/{gate}")] })).await?;
    Some(())
}

/// Waits until every node lets calls through, or will not.
async fn known_everywhere(actor: &mut Actor, gate: &str) {
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < LEASE && actor.goes_on() {
        let answers = pass_everywhere(&mut actor.lanes, gate).await;
        if answers.iter().all(|answer| *answer == Outcome::Done) {
            return;
        }
        actor.pause(Duration::from_millis(50)).await;
    }
}

async fn close(actor: &mut Actor, gate: &str) {
    let guard = json!({ "name": "oauth2", "config": { "enable_client_credentials": true } });
    let (method, path, body) = match actor.rng.random_range(0..3) {
        0 => ("PATCH", format!("/services/{gate}"), json!({ "enabled": false })),
        1 => ("DELETE", format!("/routes/{gate}"), Value::Null),
        _ => ("POST", format!("/services/{gate}/plugins"), guard),
    };
    let upheaval = actor.upheaval().await;
    let is_closed = actor.revoke(Actor::configured_node, method, &path, &body, (Target::Gate, id(gate))).await;
    drop(upheaval);
    if is_closed {
        pass_everywhere(&mut actor.lanes, gate).await;
        // Again a little later, when caches have been filled anew.
        actor.pause(PAUSE).await;
        pass_everywhere(&mut actor.lanes, gate).await;
    }
}
