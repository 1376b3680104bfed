//! The checker finds nothing in histories that keep the promise, and everything that is planted into them.

use std::collections::HashSet;

use proptest::prelude::*;

use super::model::{RULES, history};
use crate::checker::{Breach, SECOND, check};
use crate::history::{Event, Id, Micros, Op, Outcome, Pair, Target};

const MOMENTS: usize = 3000;
const SEEDS: u64 = 24;
/// Places of one history where the same violation is planted, one at a time.
const PLACES: usize = 4;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_history_of_a_good_cluster_has_no_violation(seed: u64) {
        let violations = check(&history(seed, MOMENTS), &RULES);
        prop_assert!(violations.is_empty(), "seed {seed}: {}", violations[0]);
    }
}

/// Plants a violation into histories wherever `plant` finds a place for it, and expects one of `breaches` each time, and
/// enough places to mean something.
fn is_found(breaches: &[Breach], plant: impl Fn(&[Event], &Event) -> Option<Change>) {
    let mut planted = 0;
    for seed in 0..SEEDS {
        let good = history(seed, MOMENTS);
        let places = good.iter().enumerate().filter_map(|(at, event)| Some((at, plant(&good, event)?)));
        for (at, change) in places.take(PLACES) {
            planted += 1;
            let found = check(&change.made(&good, at), &RULES);
            let is_known = found.iter().any(|violation| breaches.contains(&violation.breach));
            assert!(is_known, "seed {seed}, event {at}: planted {breaches:?}, found {found:?}");
        }
    }
    assert!(planted >= SEEDS as usize, "planted {planted} times only");
}

/// What is done to a history.
enum Change {
    /// Another event in the place of this one.
    Other(Event),
    /// One event more.
    More(Event),
    /// One event more, and none of those.
    Instead(Event, Box<dyn Fn(&Event) -> bool>),
}

impl Change {
    fn made(self, good: &[Event], at: usize) -> Vec<Event> {
        let mut events = good.to_vec();
        match self {
            Self::Other(event) => events[at] = event,
            Self::More(event) => events.push(event),
            Self::Instead(event, is_gone) => {
                events.retain(|event| !is_gone(event));
                events.push(event);
            }
        }
        events
    }
}

fn with(event: &Event, outcome: Outcome) -> Change {
    Change::Other(Event { outcome, ..event.clone() })
}

/// A short operation, answered so.
fn op(node: usize, begin: Micros, op: Op, outcome: Outcome) -> Event {
    Event { node, op, begin, end: begin + 1, outcome }
}

fn revoked_before(events: &[Event], subject: Id, instant: Micros) -> bool {
    let is_revocation =
        |event: &&Event| event.op == Op::Revoke { of: Target::Token, subject } && event.outcome == Outcome::Done;
    events.iter().filter(is_revocation).any(|event| event.end <= instant)
}

fn is_ever_revoked(events: &[Event], subject: Id) -> bool {
    events.iter().any(|event| event.op == Op::Revoke { of: Target::Token, subject })
}

/// The client of a token by client credentials.
fn owner(events: &[Event], token: Id) -> Option<Id> {
    events.iter().find_map(|event| match &event.op {
        Op::Issue { token: Some(issued), of, .. } if *issued == token => Some(of[0]),
        _ => None,
    })
}

fn was_answered(events: &[Event], item: Id, version: u64) -> bool {
    let change = Op::Change { item, version };
    version == 0 || events.iter().any(|event| event.op == change && event.outcome == Outcome::Done)
}

#[test]
fn a_revoked_token_that_is_let_through_is_found() {
    is_found(&[Breach::LetThrough, Breach::Revived], |events, event| {
        let Op::Call { token } = event.op else { return None };
        revoked_before(events, token, event.begin).then(|| with(event, Outcome::Done))
    });
}

#[test]
fn a_token_of_a_revoked_client_that_is_let_through_is_found() {
    is_found(&[Breach::LetThrough, Breach::Revived], |events, event| {
        let Op::Call { token } = event.op else { return None };
        revoked_before(events, owner(events, token)?, event.begin).then(|| with(event, Outcome::Done))
    });
}

#[test]
fn an_access_token_that_outlives_its_rotation_is_found() {
    is_found(&[Breach::LetThrough, Breach::Revived], |events, event| {
        let Op::Rotate { refresh, pair: Some(_) } = event.op else { return None };
        let replaced = events.iter().find_map(|event| match event.op {
            Op::Redeem { pair, .. } | Op::Rotate { pair, .. } => pair.filter(|pair| pair.refresh == refresh),
            _ => None,
        });
        Some(Change::More(op(0, event.end, Op::Call { token: replaced?.access }, Outcome::Done)))
    });
}

#[test]
fn a_token_of_a_replayed_code_that_is_let_through_is_found() {
    is_found(&[Breach::LetThrough, Breach::Revived], |events, event| {
        let Op::Redeem { code, pair: Some(pair) } = event.op else { return None };
        let is_refused =
            |event: &&Event| event.op == Op::Redeem { code, pair: None } && event.outcome == Outcome::Refused;
        let replay = events.iter().filter(is_refused).find(|replay| replay.begin > event.end)?;
        Some(Change::More(op(0, replay.end, Op::Call { token: pair.access }, Outcome::Done)))
    });
}

#[test]
fn a_token_that_comes_back_after_a_revocation_nobody_answered_is_found() {
    is_found(&[Breach::Revived, Breach::LetThrough], |events, event| {
        let Op::Call { token } = event.op else { return None };
        let is_over = event.outcome == Outcome::Refused && is_ever_revoked(events, token);
        let is_answered = revoked_before(events, token, Micros::MAX);
        let late = event.end + RULES.lease + RULES.margin;
        (is_over && !is_answered).then(|| Change::More(op(1, late, Op::Call { token }, Outcome::Done)))
    });
}

#[test]
fn a_token_that_is_lost_is_found() {
    is_found(&[Breach::Lost], |events, event| {
        let Op::Call { token } = event.op else { return None };
        let ended_before = |subject| {
            events.iter().any(|other| other.op == Op::Revoke { of: Target::Token, subject } && other.begin < event.end)
        };
        let is_safe = !ended_before(token) && !ended_before(owner(events, token)?);
        (is_safe && event.outcome == Outcome::Done).then(|| with(event, Outcome::Refused))
    });
}

#[test]
fn a_code_that_is_lost_is_found() {
    is_found(&[Breach::Lost], |_, event| {
        let Op::Redeem { code, pair: Some(_) } = event.op else { return None };
        let refused = op(0, event.begin, Op::Redeem { code, pair: None }, Outcome::Refused);
        let is_gone = move |event: &Event| matches!(event.op, Op::Redeem { code: other, .. } if other == code);
        Some(Change::Instead(refused, Box::new(is_gone)))
    });
}

#[test]
fn a_refresh_token_that_is_lost_is_found() {
    is_found(&[Breach::Lost], |_, event| {
        let Op::Redeem { code, pair: Some(Pair { access, refresh }) } = event.op else { return None };
        let refused = op(0, event.end, Op::Rotate { refresh, pair: None }, Outcome::Refused);
        // Nothing else may be known of the family.
        let is_gone = move |event: &Event| match event.op {
            Op::Redeem { code: other, .. } => other == code && event.outcome != Outcome::Done,
            Op::Rotate { refresh: other, .. } => other == refresh,
            Op::Revoke { subject, .. } => subject == access,
            _ => false,
        };
        Some(Change::Instead(refused, Box::new(is_gone)))
    });
}

#[test]
fn a_second_winner_of_a_code_is_found() {
    is_found(&[Breach::TwoWinners], |_, event| {
        let Op::Redeem { code, pair: Some(_) } = event.op else { return None };
        let pair = Some(Pair { access: 1, refresh: 2 });
        Some(Change::More(op(2, event.begin, Op::Redeem { code, pair }, Outcome::Done)))
    });
}

#[test]
fn a_second_winner_of_a_refresh_token_is_found() {
    is_found(&[Breach::TwoWinners], |_, event| {
        let Op::Rotate { refresh, pair: Some(_) } = event.op else { return None };
        let pair = Some(Pair { access: 1, refresh: 2 });
        Some(Change::More(op(2, event.begin, Op::Rotate { refresh, pair }, Outcome::Done)))
    });
}

#[test]
fn a_rotation_after_the_grace_is_found() {
    is_found(&[Breach::LateReplay], |_, event| {
        let Op::Rotate { pair: Some(_), .. } = event.op else { return None };
        Some(Change::More(op(0, event.end + RULES.grace + SECOND + 1, event.op.clone(), Outcome::Done)))
    });
}

#[test]
fn a_stale_setting_is_found() {
    is_found(&[Breach::Stale], |events, event| {
        let Op::See { item, version: Some(version) } = event.op else { return None };
        let is_due = |change: &&Event| {
            let since = change.end + RULES.lease + RULES.margin;
            change.op == Op::Change { item, version } && change.outcome == Outcome::Done && since <= event.begin
        };
        events.iter().find(is_due)?;
        let older = version - 1;
        let stale = Event { op: Op::See { item, version: Some(older) }, ..event.clone() };
        was_answered(events, item, older).then_some(Change::Other(stale))
    });
}

#[test]
fn a_setting_that_goes_back_is_found() {
    is_found(&[Breach::Backwards], |events, event| {
        let Op::See { item, version: Some(version) } = event.op else { return None };
        let older = version.checked_sub(1).filter(|older| was_answered(events, item, *older))?;
        Some(Change::More(op(event.node, event.end, Op::See { item, version: Some(older) }, Outcome::Done)))
    });
}

#[test]
fn a_setting_that_nobody_wrote_is_found() {
    is_found(&[Breach::Invented], |_, event| {
        let Op::See { item, version: Some(_) } = event.op else { return None };
        Some(Change::Other(Event { op: Op::See { item, version: Some(1_000_000) }, ..event.clone() }))
    });
}

#[test]
fn the_model_makes_histories_worth_checking() {
    let events = history(1, MOMENTS);
    let kinds: HashSet<_> = events.iter().map(|event| (event.op.kind(), event.outcome)).collect();
    for outcome in [Outcome::Done, Outcome::Refused, Outcome::Unknown, Outcome::Failed, Outcome::Unsent] {
        for op in [Op::Call { token: 0 }, Op::Rotate { refresh: 0, pair: None }, Op::Redeem { code: 0, pair: None }] {
            assert!(kinds.contains(&(op.kind(), outcome)), "{:?} {outcome:?}", op.kind());
        }
    }
}

#[test]
fn the_quick_set_fails_for_what_is_wrong_and_not_for_what_is_late() {
    for breach in [Breach::LetThrough, Breach::Revived, Breach::Lost, Breach::TwoWinners, Breach::Stale] {
        assert!(breach.is_of_consistency(), "{breach}");
    }
    for breach in [Breach::SlowRevocation, Breach::Unavailable, Breach::NotRecovered] {
        assert!(!breach.is_of_consistency(), "{breach}");
    }
}
