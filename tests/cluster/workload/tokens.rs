//! Tokens by client credentials: issued, used, revoked one by one.

use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use super::Actor;
use crate::history::{Target, id};
use crate::lane::{Application, call_everywhere};

const PAUSE: Duration = Duration::from_millis(60);

/// Issues tokens, makes every node know them, and revokes half as many.
pub(super) async fn issue_and_revoke(mut actor: Actor) {
    let application = Application::standing();
    while actor.goes_on() {
        if let Some(token) = actor.any_node().issue(&application).await {
            call_everywhere(&mut actor.lanes, &token).await;
            actor.keep(token);
        }
        if actor.rng.random_bool(0.5) {
            revoke_one(&mut actor).await;
        }
        actor.pause(PAUSE).await;
    }
}

/// Any live token, so that its revocation meets calls of others under way.
async fn revoke_one(actor: &mut Actor) {
    let token = {
        let mut live = actor.stage.live.lock().unwrap();
        if live.is_empty() {
            return;
        }
        let at = actor.rng.random_range(0..live.len());
        live.swap_remove(at)
    };
    let (path, right) = (format!("/oauth2_tokens/{token}"), (Target::Token, id(&token)));
    if actor.revoke(Actor::any_node, "DELETE", &path, &Value::Null, right).await {
        call_everywhere(&mut actor.lanes, &token).await;
        actor.bury(token);
    }
}

/// Calls one node with any token there is: what is good must work, what is gone must not come back.
pub(super) async fn call(mut actor: Actor, node: usize) {
    while actor.goes_on() {
        let live = actor.any_of(|stage| &stage.live);
        let dead = if actor.rng.random_bool(0.25) { actor.any_of(|stage| &stage.dead) } else { None };
        for token in [live, dead].into_iter().flatten() {
            actor.lanes[node].call(&token).await;
        }
        actor.pause(PAUSE / 5).await;
    }
}
