//! What must be served while something is wrong, and how soon.

use std::collections::HashMap;

use super::families::Families;
use super::rights::Rights;
use super::{Breach, Cause, Rules, Violation, seconds};
use crate::history::{Event, Id, Micros, Op, Outcome};

/// What a node owes its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// An answer that decides, to everything.
    All,
    /// The same to calls with tokens that this node has let through already and that nobody has begun to revoke: one
    /// that is revoked may be answered "try again later" as well as "no".
    Known,
    Nothing,
}

/// A fault, as far as clients are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Trouble<'a> {
    pub begin: Micros,
    pub end: Micros,
    /// What the node of that number owes meanwhile. At any other time it is everything.
    pub serves: &'a [Serves],
}

impl Trouble<'_> {
    /// What the node owes to this operation.
    fn owes(&self, event: &Event) -> Serves {
        let is_touched = self.begin <= event.end && event.begin < self.end;
        if is_touched { self.serves[event.node] } else { Serves::All }
    }

    /// What should have been served and was not, and revocations that took too long.
    pub fn check(&self, events: &[Event], rules: &Rules) -> Vec<Violation> {
        let rights = Rights::of(events, &Families::of(events), rules);
        let mut violations = self.unserved(events, &rights);
        violations.extend(self.late(events, rules));
        violations
    }

    /// What comes after the fault is judged by how soon everything works again, so not here.
    fn unserved(&self, events: &[Event], rights: &Rights) -> Vec<Violation> {
        let mut known: HashMap<(Id, usize), Micros> = HashMap::new();
        for event in events {
            if let (Op::Call { token }, Outcome::Done) = (&event.op, event.outcome) {
                let first = known.entry((*token, event.node)).or_insert(event.end);
                *first = event.end.min(*first);
            }
        }
        let is_owed = |event: &&Event| match (self.owes(event), &event.op) {
            // A node may say of itself that it is not ready.
            (_, Op::Ready) | (Serves::Nothing, _) => false,
            (Serves::All, _) => true,
            (Serves::Known, Op::Call { token }) => {
                let is_known = known.get(&(*token, event.node)).is_some_and(|since| *since < event.begin);
                is_known && !rights.may_have_ended(*token, event.end)
            }
            (Serves::Known, _) => false,
        };
        let is_unserved =
            |event: &&Event| event.begin < self.end && !matches!(event.outcome, Outcome::Done | Outcome::Refused);
        let unserved = events.iter().filter(is_unserved).filter(is_owed).map(|event| {
            let (kind, outcome, took) = (event.op.kind(), event.outcome, seconds(event.end - event.begin));
            Violation::new(Breach::Unavailable, event, format!("{kind:?} ended as {outcome:?} after {took:.3} s"))
        });
        unserved.collect()
    }

    fn late(&self, events: &[Event], rules: &Rules) -> Vec<Violation> {
        let late = events.iter().filter_map(|event| {
            let Op::Revoke { of, .. } = event.op else { return None };
            let took = event.end - event.begin;
            let is_judged = event.outcome == Outcome::Done && self.owes(event) == Serves::All;
            let proof = format!("answered after {:.3} s", seconds(took));
            let violation = Violation::new(Breach::SlowRevocation, event, proof);
            (is_judged && took > rules.longest_revocation)
                .then_some(Violation { cause: Cause::Revocation(of), ..violation })
        });
        late.collect()
    }
}
