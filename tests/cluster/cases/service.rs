//! What is owed during a fault, and how soon: what is not served is found, and nothing else.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::model::RULES;
use crate::checker::{Breach, Serves, Trouble, Violation};
use crate::history::{Event, Id, Micros, Op, Outcome, Pair, Target};

const SERVES: [Serves; 4] = [Serves::All, Serves::Known, Serves::Nothing, Serves::Unconfirmed];
static KNOWN: LazyLock<HashSet<Id>> = LazyLock::new(|| HashSet::from([5]));

fn trouble() -> Trouble<'static> {
    let (known, until, serves) = (&*KNOWN, Micros::MAX, &SERVES);
    Trouble { since: 40, until, quiet: 50, known, begin: 100, end: 200, serves, is_database_silent: false }
}

fn event(node: usize, begin: Micros, op: Op, outcome: Outcome) -> Event {
    Event { node, op, begin, end: begin + 1, outcome }
}

fn call(node: usize, begin: Micros, outcome: Outcome) -> Event {
    event(node, begin, Op::Call { token: 5 }, outcome)
}

fn issue(node: usize, begin: Micros, outcome: Outcome) -> Event {
    event(node, begin, Op::Issue { token: None, of: vec![], lives: 0 }, outcome)
}

fn revoke(node: usize, begin: Micros, outcome: Outcome) -> Event {
    event(node, begin, Op::Revoke { of: Target::Token, subject: 6 }, outcome)
}

/// Node and end of what is found, all of one kind.
fn places(found: &[Violation], breach: Breach) -> Vec<(usize, Micros)> {
    assert!(found.iter().all(|violation| violation.breach == breach), "{found:?}");
    found.iter().map(|violation| (violation.node, violation.at)).collect()
}

#[test]
fn everything_is_owed_where_and_when_nothing_is_wrong() {
    let events = [
        issue(0, 10, Outcome::Failed),
        // In the quiet before the fault.
        issue(0, 60, Outcome::Failed),
        event(0, 70, Op::Ready, Outcome::Failed),
        // At a node that the fault does not touch.
        issue(0, 110, Outcome::Unknown),
        issue(0, 111, Outcome::Refused),
        revoke(0, 112, Outcome::Failed),
        // At one that is gone.
        call(2, 130, Outcome::Unsent),
        // After the fault.
        call(0, 210, Outcome::Failed),
    ];
    assert_eq!(places(&trouble().check(&events, &RULES), Breach::Unavailable), [(0, 61), (0, 111), (0, 113)]);
}

#[test]
fn what_a_node_knows_is_owed_and_nothing_else_of_it() {
    let known = [call(1, 60, Outcome::Done)];
    let found = |events: &[Event]| trouble().check(&[&known[..], events].concat(), &RULES);
    let planted = call(1, 120, Outcome::Failed);
    assert_eq!(places(&found(std::slice::from_ref(&planted)), Breach::Unavailable), [(1, 121)]);
    let elsewhere = event(1, 120, Op::Call { token: 9 }, Outcome::Failed);
    assert_eq!(found(&[elsewhere, issue(1, 121, Outcome::Failed)]), []);
    // Nor need a token be known to all of a node because part of it has let it through.
    let other = |begin, outcome| event(1, begin, Op::Call { token: 9 }, outcome);
    assert_eq!(found(&[other(61, Outcome::Done), other(120, Outcome::Failed)]), []);
    // Somebody has begun to take it away.
    let subject = Op::Revoke { of: Target::Token, subject: 5 };
    assert_eq!(found(&[event(0, 115, subject, Outcome::Done), planted.clone()]), []);
    // What was let through before the quiet may have been forgotten since.
    assert_eq!(trouble().check(&[call(1, 10, Outcome::Done), planted], &RULES), []);
}

#[test]
fn what_takes_rights_may_be_unconfirmed_where_that_is_allowed_and_must_be_answered() {
    let pair = Some(Pair { access: 1, refresh: 2 });
    let events = [
        revoke(3, 110, Outcome::Failed),
        event(3, 111, Op::Change { item: 1, version: 1 }, Outcome::Failed),
        event(3, 112, Op::Rotate { refresh: 1, pair }, Outcome::Failed),
        revoke(3, 120, Outcome::Unknown),
        issue(3, 130, Outcome::Failed),
    ];
    assert_eq!(places(&trouble().check(&events, &RULES), Breach::Unavailable), [(3, 121), (3, 131)]);
}

#[test]
fn an_answer_that_comes_too_late_is_found_whatever_it_says() {
    let (fine, slow) = (RULES.longest_revocation, RULES.longest_revocation + 1);
    let took = |took, event: Event| Event { end: event.begin + took, ..event };
    let events = [
        took(fine, revoke(0, 60, Outcome::Done)),
        took(slow, revoke(0, 61, Outcome::Done)),
        took(slow, revoke(3, 62, Outcome::Failed)),
        took(slow, revoke(1, 63, Outcome::Refused)),
        // It does not run.
        took(slow, revoke(2, 64, Outcome::Done)),
        took(slow, event(0, 65, Op::Ready, Outcome::Done)),
        took(slow, event(0, 66, Op::Redeem { code: 1, pair: None }, Outcome::Refused)),
        // The fault is over.
        took(slow, revoke(2, 200, Outcome::Done)),
    ];
    let late = |trouble: &Trouble<'_>| places(&trouble.check(&events, &RULES), Breach::SlowRevocation);
    let expected = [(0, 61), (3, 62), (1, 63), (0, 66), (2, 200)].map(|(node, begin)| (node, begin + slow));
    assert_eq!(late(&trouble()), expected);
    // Who must ask a database that keeps silent may be late.
    let silent = Trouble { is_database_silent: true, ..trouble() };
    assert_eq!(late(&silent), expected.into_iter().filter(|(node, _)| *node != 1).collect::<Vec<_>>());
    // Before and after, something else is wrong.
    assert_eq!(late(&Trouble { until: 200 + slow, ..trouble() }).len(), expected.len() - 1);
    assert_eq!(late(&Trouble { since: 62, ..trouble() }).len(), expected.len() - 1);
}
