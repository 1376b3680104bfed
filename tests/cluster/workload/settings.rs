//! A setting that changes all the time, those who look at it, and those who only look whether all is well.

use std::time::Duration;

use super::Actor;
use crate::lane::Application;

const PAUSE: Duration = Duration::from_millis(40);

/// The only writer: version after version, through any node.
pub(super) async fn change(mut actor: Actor) {
    let mut version = 0;
    while actor.goes_on() {
        let upheaval = actor.upheaval().await;
        version += 1;
        actor.configured_node().change(version).await;
        drop(upheaval);
        actor.pause(PAUSE * 4).await;
    }
}

pub(super) async fn see(mut actor: Actor, node: usize) {
    while actor.goes_on() {
        actor.lanes[node].see().await;
        actor.pause(PAUSE).await;
    }
}

pub(super) async fn ask_readiness(mut actor: Actor, node: usize) {
    while actor.goes_on() {
        actor.lanes[node].ask_readiness().await;
        actor.pause(PAUSE * 2).await;
    }
}

/// Asks one node for tokens, so that its recovery shows whatever the others do.
pub(super) async fn issue(mut actor: Actor, node: usize) {
    let application = Application::standing();
    while actor.goes_on() {
        if let Some(token) = actor.lanes[node].issue(&application).await {
            actor.lanes[node].call(&token).await;
            actor.keep(token);
        }
        actor.pause(PAUSE * 4).await;
    }
}
