//! What must be served while something is wrong, and how soon.

use std::collections::{HashMap, HashSet};

use super::families::Families;
use super::rights::Rights;
use super::{Breach, Cause, Rules, Violation, seconds};
use crate::history::{Event, Id, Kind, Micros, Op, Outcome};

/// What a node owes its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// An answer that decides, to everything.
    All,
    /// The same, but what takes rights away may be answered "stored, but not every node has confirmed it".
    Unconfirmed,
    /// An answer that decides to calls with known tokens that nobody has begun to revoke: one that is revoked may be
    /// answered "try again later" as well as "no".
    Known,
    Nothing,
}

/// A fault, as far as clients are concerned.
#[derive(Clone, Debug)]
pub struct Trouble<'a> {
    /// Nothing else was wrong from then on, nor
    pub since: Micros,
    /// until then.
    pub until: Micros,
    /// From then on until it began everything was owed, and what was forgotten was what was revoked.
    pub quiet: Micros,
    /// Tokens that every node was asked for in the quiet: known wherever they were let through.
    pub known: &'a HashSet<Id>,
    pub begin: Micros,
    pub end: Micros,
    /// What the node of that number owes meanwhile.
    pub serves: &'a [Serves],
    /// A database that is asked says nothing, rather than that it is away: whoever must ask it may be late.
    pub is_database_silent: bool,
}

impl Trouble<'_> {
    /// What the node owes to this operation.
    fn owes(&self, event: &Event) -> Serves {
        let is_touched = self.begin <= event.end && event.begin < self.end;
        if is_touched { self.serves[event.node] } else { Serves::All }
    }

    /// What should have been served and was not, and what took rights away too slowly. What comes after the fault is
    /// judged by how soon everything works again, so not here.
    pub fn check(&self, events: &[Event], rules: &Rules) -> Vec<Violation> {
        let rights = Rights::of(events, &Families::of(events), rules);
        let within = |event: &&Event| self.since <= event.begin && (self.quiet..self.until).contains(&event.end);
        let events: Vec<&Event> = events.iter().filter(within).collect();
        let mut violations = self.unserved(&events, &rights);
        violations.extend(events.iter().filter_map(|event| self.late(event, rules)));
        violations
    }

    fn unserved(&self, events: &[&Event], rights: &Rights) -> Vec<Violation> {
        let mut let_through: HashMap<(Id, usize), Micros> = HashMap::new();
        for event in events {
            if let (Op::Call { token }, Outcome::Done) = (&event.op, event.outcome) {
                let first = let_through.entry((*token, event.node)).or_insert(event.end);
                *first = event.end.min(*first);
            }
        }
        let is_owed = |event: &&&Event| match (self.owes(event), &event.op) {
            // A node may say of itself that it is not ready.
            (_, Op::Ready) | (Serves::Nothing, _) => false,
            (Serves::All, _) => true,
            (Serves::Unconfirmed, op) => event.outcome != Outcome::Failed || !takes_rights(op),
            (Serves::Known, Op::Call { token }) => {
                let since = let_through.get(&(*token, event.node)).filter(|_| self.known.contains(token));
                since.is_some_and(|since| *since < event.begin) && !rights.may_have_ended(*token, event.end)
            }
            (Serves::Known, _) => false,
        };
        let is_unserved =
            |event: &&&Event| event.begin < self.end && !matches!(event.outcome, Outcome::Done | Outcome::Refused);
        let unserved = events.iter().filter(is_unserved).filter(is_owed).map(|event| {
            let (kind, outcome, took) = (event.op.kind(), event.outcome, seconds(event.end - event.begin));
            Violation::new(Breach::Unavailable, event, format!("{kind:?} ended as {outcome:?} after {took:.3} s"))
        });
        unserved.collect()
    }

    /// Whoever takes a right away is told in time, though it be that it is not known whether it has gone.
    fn late(&self, event: &Event, rules: &Rules) -> Option<Violation> {
        let is_judged = match self.owes(event) {
            Serves::All | Serves::Unconfirmed => takes_rights(&event.op),
            Serves::Known => takes_rights(&event.op) && !self.is_database_silent,
            Serves::Nothing => false,
        };
        let took = event.end - event.begin;
        let (kind, outcome) = (event.op.kind(), event.outcome);
        let proof = format!("{kind:?} ended as {outcome:?} after {:.3} s", seconds(took));
        let violation = Violation::new(Breach::SlowRevocation, event, proof);
        let cause = match event.op {
            Op::Revoke { of, .. } => Cause::Revocation(of),
            _ => Cause::None,
        };
        (is_judged && took > rules.longest_revocation).then_some(Violation { cause, ..violation })
    }
}

/// Whether every node must know of it before it is answered with success.
fn takes_rights(op: &Op) -> bool {
    matches!(op.kind(), Kind::Revoke | Kind::Change | Kind::Redeem | Kind::Rotate)
}
