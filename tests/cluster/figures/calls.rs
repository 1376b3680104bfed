//! What a call costs by where its token is known, and three nodes beside one.

use std::sync::Arc;

use super::load::{Ask, HEAD, row, send, send_by};
use super::quota::{Quota, SHARE};
use crate::cluster::Cluster;

/// Tokens of the cold rows, each used once in each of them. CPU is told in steps of 10 ms, so fewer would say little.
const TOKENS: usize = 10_000;
/// Of the hot rows.
const HOT: usize = 100;
const HOT_CALLS: usize = 40_000;
/// Revocations that come one after the other.
const LONE: usize = 1000;

pub async fn table() -> String {
    let mut text = format!("Per request, {TOKENS} tokens, each once; hot: {HOT} tokens, {HOT_CALLS} calls.\n\n{HEAD}");
    let one = Cluster::of(1).await;
    let (cost, tokens) = send(&one, &[0], Ask::Tokens(TOKENS)).await;
    text += &row("one node: a token is issued", &cost);
    let hot = Arc::new(tokens[..HOT].to_vec());
    send(&one, &[0], Ask::Again(Arc::clone(&hot), HOT)).await;
    let (cost, _) = send(&one, &[0], Ask::Again(Arc::clone(&hot), HOT_CALLS)).await;
    text += &row("one node: a call, known to the node", &cost);
    let quota = Quota::over(&one);
    let (cost, _) = send(&one, &[0], Ask::Again(hot, HOT_CALLS)).await;
    text += &row(&format!("the same with {SHARE} % of a core"), &cost);
    drop(quota);
    drop(one);

    let three = Cluster::of(3).await;
    let (cost, tokens) = send(&three, &[0, 1, 2], Ask::Tokens(TOKENS)).await;
    text += &row("three nodes: a token is issued", &cost);
    let hot = Arc::new(tokens[..HOT].to_vec());
    for node in 0..3 {
        send(&three, &[node], Ask::Again(Arc::clone(&hot), HOT)).await;
    }
    let (cost, _) = send(&three, &[0, 1, 2], Ask::Again(Arc::clone(&hot), HOT_CALLS)).await;
    text += &row("three nodes: a call, known to the node", &cost);
    let quota = Quota::over(&three);
    let (cost, _) = send(&three, &[0, 1, 2], Ask::Again(hot, HOT_CALLS)).await;
    text += &row(&format!("the same with {SHARE} % of a core for each"), &cost);
    drop(quota);

    // Issued at the first node alone, so that no cache of the others has them.
    let (_, tokens) = send(&three, &[0], Ask::Tokens(TOKENS)).await;
    let tokens = Arc::new(tokens);
    three.redis.as_ref().expect("the cluster has a Redis").flush();
    let (cost, _) = send(&three, &[1], Ask::Calls(Arc::clone(&tokens))).await;
    text += &row("a call, known to PostgreSQL only", &cost);
    let (cost, _) = send(&three, &[2], Ask::Calls(Arc::clone(&tokens))).await;
    text += &row("a call, known to Redis and not to the node", &cost);
    let (cost, _) = send(&three, &[2], Ask::Calls(Arc::clone(&tokens))).await;
    text += &row("the same again, known to the node", &cost);

    // Known to one node at least, so that there is something to forget.
    let (alone, together) = (Arc::new(tokens[..LONE].to_vec()), Arc::new(tokens[LONE..].to_vec()));
    let (cost, _) = send_by(1, &three, &[0], Ask::Revocations(alone)).await;
    text += &row("a revocation, in force on three nodes, one at a time", &cost);
    let (cost, _) = send(&three, &[0, 1, 2], Ask::Revocations(together)).await;
    text + &row("the same, 48 at a time", &cost)
}
