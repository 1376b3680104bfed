//! Counts that all nodes share.

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use tollgate::cache::redis::Counters;
use tollgate::cache::{Attempts, Leniency};
use tollgate::domain::Timestamp;

use crate::node::{NOW, Node, keyring};
use crate::server::{Server, until};

const MINUTE: Duration = Duration::from_secs(60);
const LENIENCY: Leniency = Leniency { free: 3, first_lock: 30, longest_lock: 100, memory: 600 };

fn counters(node: &Node) -> Counters {
    Counters::new(node.line.clone(), &keyring(), "tollgate")
}

/// The answer; on a busy machine it may need to be asked for again.
async fn answered<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut answer = None;
    until("Redis answers", async || {
        answer = ask().await;
        answer.is_some()
    })
    .await;
    answer.unwrap()
}

#[tokio::test]
async fn every_node_adds_to_one_count_that_ends_with_its_window() {
    let server = Server::start(&[]);
    let (one, other) = (Node::reach(&server.url()).await, Node::reach(&server.url()).await);
    let (one, other) = (counters(&one), counters(&other));
    let first = answered(async || one.add(b"ann@example.com", 2, MINUTE).await).await;
    let second = answered(async || other.add(b"ann@example.com", 3, MINUTE).await).await;
    assert!(second >= first + 3 && first >= 2);
    assert_eq!(answered(async || other.add(b"bob@example.com", 0, MINUTE).await).await, 0);
    for key in server.keys("*") {
        assert!(key.starts_with(b"tollgate:n:") && key.len() == 11 + 32, "nobody's name is written");
        let life: i64 = redis::cmd("PTTL").arg(&key).query(&mut server.connection()).unwrap();
        assert!(life > 0 && life <= 60_000, "{life}");
    }
    answered(async || one.add(b"short", 1, Duration::ZERO).await).await;
    until("the window ends", async || answered(async || one.add(b"short", 1, Duration::ZERO).await).await == 1).await;
}

#[tokio::test]
async fn without_redis_there_is_no_count() {
    let mut server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    let counters = counters(&node);
    server.run("CONFIG SET maxmemory 1");
    assert_eq!(counters.add(b"a", 1, MINUTE).await, None);
    assert!(counters.attempt(b"a", LENIENCY, NOW).await.is_none() && node.line.status().is_ok());
    server.run("CONFIG SET maxmemory 0");
    server.kill();
    until("it is noticed", async || counters.add(b"a", 1, MINUTE).await.is_none() && node.line.status().is_err()).await;
    assert!(counters.attempt(b"a", LENIENCY, NOW).await.is_none());
    assert!(counters.forget(b"a").await.is_none() && counters.take_back(b"a").await.is_none());
    server.start_again();
    assert_eq!(answered(async || counters.add(b"a", 1, MINUTE).await).await, 1);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Attempt,
    Alarm,
    TakeBack,
    Forget,
    Wait(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => Just(Step::Attempt),
        2 => Just(Step::Alarm),
        1 => Just(Step::TakeBack),
        1 => Just(Step::Forget),
        3 => (0_i64..40_000).prop_map(Step::Wait),
        1 => (0_i64..800_000).prop_map(Step::Wait),
    ]
}

/// Shared attempts are judged as a node judges its own; and they are of all nodes.
#[test]
fn attempts_at_two_nodes_are_judged_as_those_at_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Server::start(&[]);
    let nodes = runtime.block_on(async { [Node::reach(&server.url()).await, Node::reach(&server.url()).await] });
    let counters = nodes.each_ref().map(counters);
    let (begun, ended) = (Cell::new(0_u32), Cell::new(0_u32));
    let runs = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(runs);
    runner
        .run(&proptest::collection::vec(any_step(), 1..40), |steps| {
            begun.set(begun.get() + 1);
            let same = runtime.block_on(same(&counters, &begun.get().to_be_bytes(), &steps));
            ended.set(ended.get() + u32::from(same.is_some()));
            Ok(())
        })
        .unwrap();
    assert!(ended.get() > 0);
}

/// `None`: on a busy machine an answer did not come in time, and nobody knows what it would have been.
async fn same(nodes: &[Counters; 2], key: &[u8], steps: &[Step]) -> Option<()> {
    let (mut here, mut now) = (Attempts::new(LENIENCY, 8), Timestamp::from_seconds(1_790_000_000));
    for (at, step) in steps.iter().enumerate() {
        let counters = &nodes[at % 2];
        match step {
            Step::Wait(millis) => now = Timestamp::from_millis(now.millis() + millis),
            Step::TakeBack => {
                here.take_back(&1);
                counters.take_back(key).await?;
            }
            Step::Forget => {
                here.forget(&1);
                counters.forget(key).await?;
            }
            Step::Alarm => {
                let locked = here.locked(&1, now).unwrap_or(0);
                here.count(1, now);
                assert_eq!(counters.alarm(key, LENIENCY, now).await?, locked, "{at}: {steps:?}");
            }
            Step::Attempt => {
                let judged = here.locked(&1, now).map_or(Ok(()), Err);
                if judged.is_ok() {
                    here.count(1, now);
                }
                assert_eq!(counters.attempt(key, LENIENCY, now).await?, judged, "{at}: {steps:?}");
            }
        }
    }
    Some(())
}

#[tokio::test]
async fn a_node_whose_clock_is_ahead_locks_nobody_for_longer() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    let counters = counters(&node);
    for _ in 0..3 {
        answered(async || counters.alarm(b"a", LENIENCY, NOW.plus_seconds(1_000_000)).await).await;
    }
    let left = answered(async || counters.attempt(b"a", LENIENCY, NOW).await).await.unwrap_err();
    assert!((30..=100).contains(&left), "{left}");
    let huge = Leniency { free: u32::MAX, first_lock: i64::MAX, longest_lock: i64::MAX, memory: i64::MAX };
    assert_eq!(answered(async || counters.attempt(b"b", huge, NOW).await).await, Ok(()));
    let strict = Leniency { free: 0, ..huge };
    assert!(answered(async || counters.attempt(b"b", strict, NOW).await).await.is_err());
}
