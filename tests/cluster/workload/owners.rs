//! Consumers and credentials that come, get tokens from every node, and go, with everything they had.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use super::Actor;
use crate::history::{Id, Target, id};
use crate::lane::{Application, call_everywhere};

const PAUSE: Duration = Duration::from_millis(150);

pub(super) async fn come_and_go(mut actor: Actor) {
    while actor.goes_on() {
        let name = format!("owner-{:016x}", actor.rng.random::<u64>());
        if let Some(application) = come(&mut actor, &name).await {
            let tokens = use_everywhere(&mut actor, &application).await;
            go(&mut actor, &name, &application, tokens).await;
        }
        actor.pause(PAUSE).await;
    }
}

/// A consumer of this name with one application.
async fn come(actor: &mut Actor, name: &str) -> Option<Application> {
    let lane = actor.configured_node();
    lane.make("/consumers", &json!({ "username": name })).await?;
    let body = json!({ "name": name, "client_id": name, "client_secret": "secret" });
    lane.make(&format!("/consumers/{name}/oauth2"), &body).await?;
    let subjects = vec![consumer(name), credential(name)];
    Some(Application { client_id: name.to_owned(), secret: "secret".to_owned(), subjects })
}

fn consumer(name: &str) -> Id {
    id(&format!("consumer {name}"))
}

fn credential(name: &str) -> Id {
    id(&format!("credential {name}"))
}

async fn use_everywhere(actor: &mut Actor, application: &Application) -> Vec<String> {
    let mut tokens = Vec::new();
    for node in 0..actor.lanes.len() {
        if let Some(token) = actor.lanes[node].issue(application).await {
            call_everywhere(&mut actor.lanes, &token).await;
            tokens.push(token);
        }
    }
    tokens
}

async fn go(actor: &mut Actor, name: &str, application: &Application, tokens: Vec<String>) {
    let is_consumer = actor.rng.random_bool(0.5);
    let (path, right) = match is_consumer {
        true => (format!("/consumers/{name}"), (Target::Consumer, consumer(name))),
        false => (format!("/oauth2/{name}"), (Target::Credential, credential(name))),
    };
    // Plugins go with a consumer, so that is a change of the configuration.
    let upheaval = if is_consumer { Some(actor.upheaval().await) } else { None };
    let is_gone = actor.revoke(Actor::configured_node, "DELETE", &path, &Value::Null, right).await;
    drop(upheaval);
    if !is_gone {
        return;
    }
    for token in tokens {
        call_everywhere(&mut actor.lanes, &token).await;
        actor.bury(token);
    }
    // Nobody gets a token for it any more; where one is given all the same, calls with it tell.
    for node in 0..actor.lanes.len() {
        if let Some(token) = actor.lanes[node].issue(application).await {
            call_everywhere(&mut actor.lanes, &token).await;
            actor.bury(token);
        }
    }
}
