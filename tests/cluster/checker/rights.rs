//! What was given and taken away: nothing revoked is let through, nothing answered is lost.

use std::collections::{HashMap, HashSet};

use super::families::Families;
use super::{Breach, Cause, Rules, SECOND, Violation, seconds};
use crate::history::{Event, Id, Micros, Op, Outcome};

/// Something that ends a token, or may end it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub begin: Micros,
    /// When it was answered so that no call begun later may be let through; `None`: it may happen at any time from
    /// `begin` on, or never.
    answered: Option<Micros>,
    cause: Cause,
}

/// A token that was answered, and what ends it.
#[derive(Debug, Default)]
struct Token {
    /// When it was answered, and until when it lives at least. `None`: nobody was told that it exists.
    given: Option<(Micros, Micros)>,
    /// Names of what may be revoked and ends it: itself, its client, its consumer, its family.
    subjects: Vec<Id>,
}

/// Everything that was given, and everything that may have ended some of it.
#[derive(Default)]
pub(super) struct Rights {
    tokens: HashMap<Id, Token>,
    endings: HashMap<Id, Vec<Ending>>,
}

pub(super) fn check(events: &[Event], rules: &Rules, rights: &Rights) -> Vec<Violation> {
    let mut calls: HashMap<Id, Vec<&Event>> = HashMap::new();
    for event in events {
        if let Op::Call { token } = event.op {
            calls.entry(token).or_default().push(event);
        }
    }
    let mut violations = slow(events, rules);
    for (token, mut calls) in calls {
        calls.sort_by_key(|call| call.begin);
        rights.judge(token, &calls, rules, &mut violations);
    }
    violations
}

fn slow(events: &[Event], rules: &Rules) -> Vec<Violation> {
    let Some(longest) = rules.longest_revocation else { return Vec::new() };
    let is_slow = |event: &&Event| {
        let is_revocation = matches!(event.op, Op::Revoke { .. }) && event.outcome == Outcome::Done;
        is_revocation && event.end - event.begin > longest
    };
    let slow = events.iter().filter(is_slow).map(|event| {
        let proof = format!("answered after {:.3} s", seconds(event.end - event.begin));
        let cause = if let Op::Revoke { of, .. } = event.op { Cause::Revocation(of) } else { Cause::None };
        Violation { cause, ..Violation::new(Breach::SlowRevocation, event, proof) }
    });
    slow.collect()
}

impl Rights {
    pub(super) fn of(events: &[Event], families: &Families, rules: &Rules) -> Self {
        let mut rights = Self::default();
        for event in events {
            let given = event.outcome == Outcome::Done;
            match &event.op {
                Op::Issue { token: Some(token), of, lives } if given => {
                    let known = rights.tokens.entry(*token).or_default();
                    known.given = Some((event.end, event.begin.saturating_add(*lives)));
                    known.subjects.extend(of.iter().copied().chain([*token]));
                }
                Op::Revoke { of, subject } if event.outcome.may_have_happened() => {
                    rights.end(*subject, event.begin, given.then_some(event.end), Cause::Revocation(*of));
                }
                Op::Redeem { pair: Some(pair), .. } | Op::Rotate { pair: Some(pair), .. } if given => {
                    let known = rights.tokens.entry(pair.access).or_default();
                    let first = known.given.map_or(event.end, |(first, _)| first.min(event.end));
                    known.given = Some((first, Micros::MAX));
                    if known.subjects.is_empty() {
                        known.subjects = vec![pair.access, families.root(pair.refresh)];
                    }
                }
                _ => {}
            }
        }
        families.endings(events, rules, &mut rights);
        rights
    }

    pub(super) fn end(&mut self, subject: Id, begin: Micros, answered: Option<Micros>, cause: Cause) {
        self.endings.entry(subject).or_default().push(Ending { begin, answered, cause });
    }

    /// Attempts begun before `end` to end what bears this name.
    pub(super) fn tries(&self, subject: Id, end: Micros) -> usize {
        self.endings.get(&subject).map_or(0, |endings| endings.iter().filter(|ending| ending.begin < end).count())
    }

    /// What ends `token`: of a gate that was never issued, what bears its own name.
    fn endings_of(&self, token: Id) -> Vec<Ending> {
        let own = [token];
        let known = self.tokens.get(&token).map(|token| token.subjects.as_slice());
        let subjects: HashSet<&Id> = known.filter(|names| !names.is_empty()).unwrap_or(&own).iter().collect();
        subjects.into_iter().filter_map(|subject| self.endings.get(subject)).flatten().copied().collect()
    }

    fn judge(&self, token: Id, calls: &[&Event], rules: &Rules, violations: &mut Vec<Violation>) {
        let endings = self.endings_of(token);
        let answered = endings.iter().filter_map(|ending| Some((ending.answered?, ending.cause))).min();
        let tried = endings.iter().map(|ending| (ending.begin, ending.cause)).min();
        let first_try = tried.map(|(begin, _)| begin);
        let given = self.tokens.get(&token).and_then(|token| token.given);
        // The first refusal that a revocation explains: from then on, or soon after, it must stay refused.
        let mut refused: Option<&Event> = None;
        for call in calls {
            match call.outcome {
                Outcome::Done => {
                    let after = answered.filter(|(answered, _)| *answered <= call.begin);
                    let back = refused.filter(|refused| refused.end <= call.begin);
                    // Nobody was promised anything, yet: a node that has heard nothing may go on for a lease.
                    let late = back.filter(|refused| refused.end + rules.lease + rules.margin <= call.begin);
                    let breach = match (after, back, late) {
                        (Some(_), Some(_), _) | (None, _, Some(_)) => Breach::Revived,
                        (Some(_), None, _) => Breach::LetThrough,
                        (None, _, None) => continue,
                    };
                    let cause = after.or(tried).map_or(Cause::None, |(_, cause)| cause);
                    let proof = proof(token, call, after.map(|(answered, _)| answered), back);
                    violations.push(Violation { cause, ..Violation::new(breach, call, proof) });
                }
                Outcome::Refused => {
                    let may_be_over = first_try.is_some_and(|first| first < call.end);
                    if may_be_over && refused.is_none_or(|earlier| call.end < earlier.end) {
                        refused = Some(call);
                    }
                    if let Some((since, until)) = given {
                        let lives = since <= call.begin && call.end < until.saturating_sub(SECOND);
                        if lives && !may_be_over {
                            violations.push(lost(token, call, since));
                        }
                    }
                }
                Outcome::Failed | Outcome::Unknown | Outcome::Unsent => {}
            }
        }
    }
}

fn proof(token: Id, call: &Event, after: Option<Micros>, back: Option<&Event>) -> String {
    let mut proof = format!("{token:016x}");
    if let Some(after) = after {
        proof += &format!(", revocation answered {:.3} s before the call", seconds(call.begin - after));
    }
    if let Some(back) = back {
        let ago = seconds(call.begin - back.end);
        proof += &format!(", refused {ago:.3} s before it by node {}", back.node);
    }
    proof
}

fn lost(token: Id, call: &Event, since: Micros) -> Violation {
    let proof = format!("{token:016x}, answered {:.3} s before the call", seconds(call.begin - since));
    Violation::new(Breach::Lost, call, proof)
}
