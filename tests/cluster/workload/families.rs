//! Codes and refresh tokens: at all nodes at once, and again when they are used up.

use std::time::Duration;

use futures_util::future::join_all;
use rand::RngExt;

use super::Actor;
use crate::cluster::GRACE;
use crate::lane::{Lane, call_everywhere};

const PAUSE: Duration = Duration::from_millis(100);
/// Times are kept in whole seconds: only by then is the grace certainly over.
const AFTER_GRACE: Duration = Duration::from_millis(1100);
/// Rotations of one family before the next begins.
const ROTATIONS: usize = 5;

/// One code at every node: one winner, and then nobody has anything of it.
pub(super) async fn redeem(mut actor: Actor) {
    while actor.goes_on() {
        if let Some(code) = actor.any_node().code().await {
            let pairs = join_all(actor.lanes.iter_mut().map(|lane| lane.redeem(&code))).await;
            for (access, _) in pairs.into_iter().flatten() {
                call_everywhere(&mut actor.lanes, &access).await;
            }
        }
        actor.pause(PAUSE).await;
    }
}

/// One refresh token at every node: one pair for all, which works everywhere, while the old one works nowhere.
pub(super) async fn rotate(mut actor: Actor) {
    while actor.goes_on() {
        let Some(code) = actor.any_node().code().await else {
            actor.pause(PAUSE).await;
            continue;
        };
        let mut last = actor.any_node().redeem(&code).await;
        for _ in 0..ROTATIONS {
            let Some((access, refresh)) = last else { break };
            call_everywhere(&mut actor.lanes, &access).await;
            // Whoever repeats a rotation makes nodes forget the tokens of its family.
            let upheaval = actor.upheaval().await;
            let pairs = join_all(actor.lanes.iter_mut().map(|lane| lane.rotate(&refresh))).await;
            last = pairs.into_iter().flatten().next();
            drop(upheaval);
            call_everywhere(&mut actor.lanes, &access).await;
            actor.pause(PAUSE).await;
        }
        let Some((access, refresh)) = last else { continue };
        call_everywhere(&mut actor.lanes, &access).await;
        if actor.rng.random_bool(0.5) {
            // Within the grace by far: the answer is the same pair, wherever it is asked for.
            let _upheaval = actor.upheaval().await;
            let first = actor.any_node().rotate(&refresh).await;
            let again = actor.any_node().rotate(&refresh).await;
            for (access, _) in first.into_iter().chain(again) {
                call_everywhere(&mut actor.lanes, &access).await;
            }
        }
    }
}

async fn replay_one(lane: &mut Lane, code: &str, access: &str) {
    lane.redeem(code).await;
    lane.call(access).await;
}

/// A code, and then a refresh token after its grace, a second time: known everywhere before, what they gave is good
/// nowhere after.
pub(super) async fn replay(mut actor: Actor) {
    while actor.goes_on() {
        actor.pause(PAUSE).await;
        let Some(code) = actor.any_node().code().await else { continue };
        let Some((access, _)) = actor.any_node().redeem(&code).await else { continue };
        call_everywhere(&mut actor.lanes, &access).await;
        // Whoever is refused first must not let through either.
        join_all(actor.lanes.iter_mut().map(|lane| replay_one(lane, &code, &access))).await;
        call_everywhere(&mut actor.lanes, &access).await;

        let Some(code) = actor.any_node().code().await else { continue };
        let Some((_, refresh)) = actor.any_node().redeem(&code).await else { continue };
        let Some((access, _)) = actor.any_node().rotate(&refresh).await else { continue };
        call_everywhere(&mut actor.lanes, &access).await;
        actor.wait(GRACE + AFTER_GRACE).await;
        if !actor.goes_on() {
            return;
        }
        actor.any_node().rotate(&refresh).await;
        call_everywhere(&mut actor.lanes, &access).await;
    }
}
