//! The protocol in a world that is out to break it.
//!
//! Nodes and publishers are the real [`Follower`](super::Follower), [`Barrier`](super::Barrier), [`Seen`](super::Seen)
//! and [`Memory`](crate::cache::redis::memory::Memory). Around them stands a world of which every step is drawn at
//! random: servers that restart from old copies, are promoted without the last writes, live on beside their
//! successors, are flushed, trimmed or hang; messages that are late or lost before or after they had their effect;
//! clocks that run at different speeds; nodes that crash or lose the database; a Redis that gives back any value that
//! was ever written to it. After every step holds: what was revoked with success is trusted by no node.
//!
//! **Invariants:** the same seed gives the same run. Each rule of the protocol, left out, is missed: see
//! [`Flaw`](flaw::Flaw).
//!
//! **Absent on purpose:** the real Redis (`tests/redis_tier/`).

mod flaw;
mod messages;
mod node;
mod publisher;
mod schedule;
mod server;
mod weather;
mod world;

use proptest::prelude::*;

use flaw::Flaw;
use schedule::{run, run_calmly};

const STEPS: usize = 300;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_was_revoked_with_success_is_trusted_by_no_node(seed: u64) {
        let outcome = run(seed, STEPS, None);
        prop_assert!(outcome.is_ok(), "{}", outcome.err().unwrap());
    }
}

#[test]
fn a_world_without_faults_revokes_and_trusts() {
    let told = run_calmly(20);
    assert_eq!(told.revoked, 20);
    assert!(told.trusted > 0 && told.believed > 0, "{told:?}");
}

#[test]
fn every_rule_that_is_left_out_is_missed() {
    let harmless = Flaw::ALL.into_iter().filter(|flaw| {
        let found = (0..3_000).find(|seed| run(*seed, STEPS, Some(*flaw)).is_err());
        println!("{flaw:?}: first missed by seed {found:?}");
        found.is_none()
    });
    let harmless: Vec<Flaw> = harmless.collect();
    assert!(harmless.is_empty(), "{harmless:?} did no harm: either the rule is idle, or the world is too kind");
}
