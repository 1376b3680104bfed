//! Percentiles and recoveries.

use crate::checker::{Breach, Percentiles, Recovery, SECOND, recoveries, revocation_times};
use crate::history::{Event, Kind, Op, Outcome, Target};

fn event(node: usize, op: Op, end: u64, outcome: Outcome) -> Event {
    Event { node, op, begin: end - 5, end, outcome }
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let hundred = Percentiles::of((1..=100).rev().collect());
    assert_eq!(hundred, Percentiles { count: 100, p50: 50, p99: 99, max: 100 });
    assert_eq!(Percentiles::of(vec![7]), Percentiles { count: 1, p50: 7, p99: 7, max: 7 });
    assert_eq!(Percentiles::of(vec![]), Percentiles::default());
}

#[test]
fn only_answered_revocations_within_the_window_are_measured() {
    let revoke = || Op::Revoke { of: Target::Token, subject: 1 };
    let events = [
        event(0, revoke(), 10, Outcome::Done),
        event(0, revoke(), 20, Outcome::Done),
        event(0, revoke(), 30, Outcome::Failed),
        event(0, Op::Ready, 30, Outcome::Done),
        event(0, revoke(), 40, Outcome::Done),
    ];
    assert_eq!(revocation_times(&events, 20..40).count, 1);
    assert_eq!(revocation_times(&events, 0..50).max, 5);
}

#[test]
fn recovery_is_that_of_the_node_that_was_last() {
    let events = [
        event(0, Op::Ready, 10, Outcome::Done),
        event(1, Op::Ready, 11, Outcome::Done),
        event(0, Op::Ready, 150, Outcome::Done),
        event(0, Op::Ready, 210, Outcome::Done),
        event(1, Op::Ready, 215, Outcome::Refused),
        event(1, Op::Ready, 260, Outcome::Done),
        event(1, Op::Ready, 290, Outcome::Done),
    ];
    assert_eq!(recoveries(&events, 100, 200)[&Kind::Ready], Recovery::After(60));
}

#[test]
fn what_never_comes_back_is_a_violation_and_what_never_was_is_none() {
    let call = || Op::Call { token: 1 };
    let events = [
        event(0, call(), 10, Outcome::Done),
        event(1, call(), 10, Outcome::Done),
        event(0, call(), 300, Outcome::Done),
        event(1, call(), 300, Outcome::Failed),
        event(1, Op::Ready, 20, Outcome::Refused),
    ];
    let found = recoveries(&events, 100, 200);
    assert_eq!(found.len(), 1);
    assert_eq!(found[&Kind::Call], Recovery::Never { node: 1 });
    let violation = found[&Kind::Call].violation(Kind::Call, 200, 200 + SECOND).unwrap();
    assert_eq!((violation.breach, violation.node), (Breach::NotRecovered, 1));
    assert_eq!(Recovery::After(5).violation(Kind::Call, 200, 300), None);
}
