//! Figures of a history: how long revocations take, and how soon everything works again.

use std::collections::BTreeMap;

use super::{Breach, Cause, SECOND, Violation, seconds};
use crate::history::{Event, Kind, Micros, Op, Outcome};

/// Of a set of durations; zero when there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    pub count: usize,
    pub p50: Micros,
    pub p99: Micros,
    pub max: Micros,
}

impl Percentiles {
    pub fn of(mut durations: Vec<Micros>) -> Self {
        durations.sort_unstable();
        let Some(&max) = durations.last() else { return Self::default() };
        // The smallest that so many of a hundred do not exceed.
        let rank = |percent: usize| durations[(durations.len() * percent).div_ceil(100).max(1) - 1];
        Self { count: durations.len(), p50: rank(50), p99: rank(99), max }
    }
}

/// Times of the revocations that were answered with success and ended within these instants.
pub fn revocation_times(events: &[Event], within: std::ops::Range<Micros>) -> Percentiles {
    let counts = |event: &&Event| {
        matches!(event.op, Op::Revoke { .. }) && event.outcome == Outcome::Done && within.contains(&event.end)
    };
    Percentiles::of(events.iter().filter(counts).map(|event| event.end - event.begin).collect())
}

/// From the end of a fault to the first success of a kind of operation, at the node that was last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    After(Micros),
    /// What worked before the fault on this node did not work again while anyone looked.
    Never {
        node: usize,
    },
}

/// Recoveries of everything that had worked before `begin`, from a fault that ended at `end`.
pub fn recoveries(events: &[Event], begin: Micros, end: Micros) -> BTreeMap<Kind, Recovery> {
    let mut first: BTreeMap<(Kind, usize), Option<Micros>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.outcome == Outcome::Done) {
        let place = (event.op.kind(), event.node);
        if event.end < begin {
            first.entry(place).or_insert(None);
        } else if event.end >= end
            && let Some(known) = first.get_mut(&place)
        {
            let after = event.end - end;
            *known = Some(known.map_or(after, |earlier| earlier.min(after)));
        }
    }
    let mut slowest = BTreeMap::new();
    for ((kind, node), after) in first {
        let recovery = after.map_or(Recovery::Never { node }, Recovery::After);
        let known = slowest.entry(kind).or_insert(recovery);
        *known = match (*known, recovery) {
            (Recovery::After(one), Recovery::After(other)) => Recovery::After(one.max(other)),
            (never @ Recovery::Never { .. }, _) | (_, never) => never,
        };
    }
    slowest
}

impl Recovery {
    /// The violation there is when a kind of operation does not come back.
    pub fn violation(self, kind: Kind, end: Micros, last: Micros) -> Option<Violation> {
        let Self::Never { node } = self else { return None };
        let proof = format!("no {kind:?} succeeds in the {:.1} s after the fault", seconds(last.saturating_sub(end)));
        Some(Violation { breach: Breach::NotRecovered, cause: Cause::None, at: last, node, proof })
    }

    pub fn milliseconds(self) -> Option<u64> {
        match self {
            Self::After(micros) => Some(micros * 1000 / SECOND),
            Self::Never { .. } => None,
        }
    }
}
