//! Settings: what was answered is in force on every node within the lease, and no node goes back.

use std::collections::{BTreeMap, HashMap};

use super::{Breach, Rules, Violation, seconds};
use crate::history::{Event, Id, Micros, Op, Outcome};

/// A version as its writer saw it.
#[derive(Clone, Copy)]
struct Written {
    begin: Micros,
    /// When it was answered; `None`: nobody knows whether and when it was stored, so it may be seen at any later time.
    answered: Option<Micros>,
}

type Versions = BTreeMap<u64, Written>;

pub(super) fn check(events: &[Event], rules: &Rules) -> Vec<Violation> {
    let mut items: HashMap<Id, Versions> = HashMap::new();
    let mut sights: HashMap<(Id, usize), Vec<(&Event, u64)>> = HashMap::new();
    for event in events {
        match event.op {
            Op::Change { item, version } if event.outcome.may_have_happened() => {
                let answered = (event.outcome == Outcome::Done).then_some(event.end);
                items.entry(item).or_default().insert(version, Written { begin: event.begin, answered });
            }
            Op::See { item, version: Some(version) } if event.outcome == Outcome::Done => {
                sights.entry((item, event.node)).or_default().push((event, version));
            }
            _ => {}
        }
    }
    let mut violations = Vec::new();
    for ((item, _), mut seen) in sights {
        seen.sort_by_key(|(event, _)| event.begin);
        let none = Versions::new();
        let versions = items.get(&item).unwrap_or(&none);
        for (event, version) in &seen {
            violations.extend(judge(event, *version, versions, rules));
        }
        violations.extend(backwards(&seen, versions));
    }
    violations
}

/// Whether `version` may be seen late because nobody was told that it was stored. Version 0 is the first state.
fn may_come_late(version: u64, versions: &Versions) -> bool {
    versions.get(&version).is_some_and(|written| written.answered.is_none())
}

fn judge(event: &Event, version: u64, versions: &Versions, rules: &Rules) -> Option<Violation> {
    let found = |breach, proof| Some(Violation::new(breach, event, proof));
    let written = versions.get(&version);
    if version != 0 && written.is_none_or(|written| event.end < written.begin) {
        return found(Breach::Invented, format!("version {version}"));
    }
    if may_come_late(version, versions) {
        return None;
    }
    let overdue = |(_, written): &(&u64, &Written)| {
        written.answered.is_some_and(|answered| answered + rules.lease + rules.margin <= event.begin)
    };
    let (newer, written) = versions.range(version + 1..).rfind(overdue)?;
    let ago = seconds(event.begin - written.answered.unwrap_or_default());
    found(Breach::Stale, format!("sees version {version}, though version {newer} was answered {ago:.3} s before"))
}

/// Sights of one node, each compared with the newest that had ended before it began.
fn backwards(seen: &[(&Event, u64)], versions: &Versions) -> Vec<Violation> {
    let mut by_end = seen.to_vec();
    by_end.sort_by_key(|(event, _)| event.end);
    let mut ended = by_end.into_iter().peekable();
    let mut newest = 0;
    let mut violations = Vec::new();
    for (event, version) in seen {
        while let Some((_, earlier)) = ended.next_if(|(earlier, _)| earlier.end <= event.begin) {
            newest = newest.max(earlier);
        }
        if *version < newest && !may_come_late(*version, versions) {
            let proof = format!("sees version {version} after version {newest}");
            violations.push(Violation::new(Breach::Backwards, event, proof));
        }
    }
    violations
}
