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
    let mut violations = Vec::new();
    for (token, mut calls) in calls {
        calls.sort_by_key(|call| call.begin);
        rights.judge(token, &calls, rules, &mut violations);
    }
    violations
}

impl Rights {
    /// Whether somebody had begun by then to take the token away.
    pub(super) fn may_have_ended(&self, token: Id, by: Micros) -> bool {
        self.endings_of(token).iter().any(|ending| ending.begin <= by)
    }

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
        let given = self.tokens.get(&token).and_then(|token| token.given);
        // Refusals that an ending explains: from then on it must stay refused there, and soon everywhere.
        let mut refusals = Refusals::default();
        for call in calls {
            let may_be_over = tried.is_some_and(|(first, _)| first < call.end);
            match call.outcome {
                Outcome::Done => {
                    let after = answered.filter(|(answered, _)| *answered <= call.begin);
                    let (here, anywhere) = refusals.before(call);
                    // Where nobody was promised anything yet, a node that has heard nothing may go on for a lease.
                    let late = anywhere.filter(|refused| refused.end + rules.lease + rules.margin <= call.begin);
                    let (breach, back) = match (after, here, late) {
                        (Some(_), Some(here), _) => (Breach::Revived, Some(here)),
                        (Some(_), None, _) => (Breach::LetThrough, None),
                        (None, _, Some(late)) => (Breach::Revived, Some(late)),
                        (None, _, None) => continue,
                    };
                    let cause = after.or(tried).map_or(Cause::None, |(_, cause)| cause);
                    let proof = proof(token, call, after.map(|(answered, _)| answered), back);
                    violations.push(Violation { cause, ..Violation::new(breach, call, proof) });
                }
                Outcome::Refused if may_be_over => refusals.add(call),
                Outcome::Refused => {
                    if let Some((since, until)) = given
                        && since <= call.begin
                        && call.end < until.saturating_sub(SECOND)
                    {
                        violations.push(lost(token, call, since));
                    }
                }
                Outcome::Failed | Outcome::Unknown | Outcome::Unsent => {}
            }
        }
    }
}

/// The refusals of a token that ended first, at each node.
#[derive(Default)]
struct Refusals<'a>(HashMap<usize, &'a Event>);

impl<'a> Refusals<'a> {
    fn add(&mut self, call: &'a Event) {
        let first = self.0.entry(call.node).or_insert(call);
        if call.end < first.end {
            *first = call;
        }
    }

    /// Those that ended before `call` began: at the same node, and at any.
    fn before(&self, call: &Event) -> (Option<&'a Event>, Option<&'a Event>) {
        let mut earlier: Vec<_> = self.0.values().filter(|refused| refused.end <= call.begin).copied().collect();
        earlier.sort_by_key(|refused| refused.end);
        let here = earlier.iter().find(|refused| refused.node == call.node).copied();
        (here, earlier.first().copied())
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
