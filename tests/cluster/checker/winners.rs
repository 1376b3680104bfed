//! What may be used once: each code and each refresh token has one winner, and no good one is refused.

use std::collections::{HashMap, HashSet};

use super::families::Families;
use super::rights::Rights;
use super::{Breach, Rules, SECOND, Violation, seconds};
use crate::history::{Event, Id, Op, Outcome, Pair};

/// Everything that was tried with one code or refresh token, in the order of its beginnings.
type Tries<'a> = HashMap<Id, Vec<(&'a Event, Option<Pair>)>>;

pub(super) fn check(events: &[Event], rules: &Rules, families: &Families, rights: &Rights) -> Vec<Violation> {
    let (mut codes, mut refreshes): (Tries<'_>, Tries<'_>) = Default::default();
    for event in events {
        match event.op {
            Op::Redeem { code, pair } => codes.entry(code).or_default().push((event, pair)),
            Op::Rotate { refresh, pair } => refreshes.entry(refresh).or_default().push((event, pair)),
            _ => {}
        }
    }
    let mut violations = Vec::new();
    for (code, mut tries) in codes {
        tries.sort_by_key(|(event, _)| event.begin);
        // A code has no grace: the second success is one too many, whatever it gave.
        let mut winners = tries.iter().filter(|(event, _)| event.outcome == Outcome::Done);
        let first = winners.next();
        violations.extend(
            winners.map(|(second, _)| two_winners("code", code, first.expect("a second has a first").0, second)),
        );
        violations.extend(refused(&tries).map(|event| lost("code", code, event)));
    }
    for (refresh, mut tries) in refreshes {
        tries.sort_by_key(|(event, _)| event.begin);
        violations.extend(rotated(refresh, &tries, rules));
        let (given, root) = (families.given(refresh), families.root(refresh));
        let is_lost = |event: &&Event| {
            // Of the tries to end the family and the access token, one each is the refused rotation itself.
            let tries = |subject| rights.tries(subject, event.end);
            given.is_some_and(|(access, at)| at <= event.begin && tries(root) <= 1 && tries(access) <= 1)
        };
        violations.extend(refused(&tries).filter(is_lost).map(|event| lost("refresh token", refresh, event)));
    }
    violations
}

/// Those who were refused though nobody else can have used it up before.
fn refused<'a>(tries: &'a [(&'a Event, Option<Pair>)]) -> impl Iterator<Item = &'a Event> {
    let refused = tries.iter().filter(|(event, _)| event.outcome == Outcome::Refused).map(|(event, _)| *event);
    refused.filter(|event| {
        let before = |other: &Event| other.outcome.may_have_happened() && other.begin < event.end;
        !tries.iter().any(|(other, _)| before(other))
    })
}

/// The same pair again is the same winner, within the grace.
fn rotated(refresh: Id, tries: &[(&Event, Option<Pair>)], rules: &Rules) -> Vec<Violation> {
    let done: Vec<_> = tries.iter().filter_map(|(event, pair)| Some((*event, (*pair)?))).collect();
    let Some(first) = done.iter().map(|(event, _)| *event).min_by_key(|event| event.end) else { return Vec::new() };
    let mut pairs = HashSet::new();
    let mut violations = Vec::new();
    for (event, pair) in &done {
        if pairs.insert(*pair) && pairs.len() > 1 {
            violations.push(two_winners("refresh token", refresh, first, event));
        }
        if first.end + rules.grace + SECOND < event.begin {
            let later = seconds(event.begin - first.end);
            let proof = format!("refresh token {refresh:016x}, again {later:.3} s after its rotation");
            violations.push(Violation::new(Breach::LateReplay, event, proof));
        }
    }
    violations
}

fn two_winners(what: &str, used: Id, first: &Event, second: &Event) -> Violation {
    let at = seconds(first.end);
    let proof = format!("{what} {used:016x}, won by node {} at {at:.3} s already", first.node);
    Violation::new(Breach::TwoWinners, second, proof)
}

fn lost(what: &str, used: Id, event: &Event) -> Violation {
    let proof = format!("{what} {used:016x}, which nobody used before");
    Violation::new(Breach::Lost, event, proof)
}
