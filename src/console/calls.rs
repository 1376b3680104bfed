//! Calls of an application over time.

use std::collections::HashMap;

use uuid::Uuid;

use super::refusal::Refusal;
use super::visit::Visit;
use crate::domain::Timestamp;
use crate::engine::EngineError;
use crate::pages::{Bar, Picture, chart, iso};

/// How far back a chart looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    Hour,
    Day,
    Week,
}

impl Range {
    pub(super) const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// The one that a query names; a day where it names none.
    pub(super) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|range| range.word() == word).unwrap_or(Self::Day)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Hour => "1 hour",
            Self::Day => "24 hours",
            Self::Week => "7 days",
        }
    }

    /// Seconds of a bar, and how many bars there are. The store counts by minute and by hour.
    fn bars(self) -> (i64, i64) {
        match self {
            Self::Hour => (60, 60),
            Self::Day => (3600, 24),
            Self::Week => (3600, 168),
        }
    }
}

/// A chart, and what it adds up to.
pub(super) struct Calls {
    pub chart: Picture,
    pub admitted: u64,
    pub refused: u64,
}

pub(super) async fn calls(visit: &Visit, application: Uuid, range: Range) -> Result<Calls, Refusal> {
    let (width, number) = range.bars();
    let node = &visit.state.node;
    let to = end(node.clock.now(), width);
    let from = to.plus_seconds(-width * number);
    let counted = node.store.application_requests(application, None, width, from, to).await;
    let counted = counted.map_err(|error| Refusal::Engine(EngineError::Storage(error)))?;
    let counted: HashMap<i64, (u64, u64)> = counted
        .into_iter()
        .map(|(at, admitted, refused)| (at.seconds(), (admitted.unsigned_abs(), refused.unsigned_abs())))
        .collect();
    let bars = bars(&counted, from, width, number);
    let (admitted, refused) = (bars.iter().map(|bar| bar.admitted).sum(), bars.iter().map(|bar| bar.refused).sum());
    let label = format!("Calls of the last {}: {admitted} let through, {refused} refused", range.text());
    Ok(Calls { chart: chart(&bars, &label), admitted, refused })
}

/// When the step ends that is under way.
fn end(now: Timestamp, width: i64) -> Timestamp {
    Timestamp::from_seconds(now.seconds().div_euclid(width).saturating_add(1).saturating_mul(width))
}

fn bars(counted: &HashMap<i64, (u64, u64)>, from: Timestamp, width: i64, number: i64) -> Vec<Bar> {
    let bar = |nth: i64| {
        let at = from.plus_seconds(width * nth);
        let (admitted, refused) = counted.get(&at.seconds()).copied().unwrap_or_default();
        // `2026-11-22T11:33:48Z`: the day for long ranges, the time for short ones.
        let iso = iso(at);
        let time = if number > 100 { iso.get(5..10) } else { iso.get(11..16) };
        Bar { time: time.unwrap_or_default().to_owned(), admitted, refused }
    };
    (0..number).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bar_is_the_step_that_is_under_way() {
        assert_eq!(end(Timestamp::from_seconds(7199), 3600), Timestamp::from_seconds(7200));
        assert_eq!(end(Timestamp::from_seconds(7200), 3600), Timestamp::from_seconds(10_800));
        let counted = HashMap::from([(3600, (5, 1))]);
        let bars = bars(&counted, Timestamp::from_seconds(0), 3600, 3);
        let seen: Vec<_> = bars.iter().map(|bar| (bar.time.as_str(), bar.admitted, bar.refused)).collect();
        assert_eq!(seen, [("00:00", 0, 0), ("01:00", 5, 1), ("02:00", 0, 0)]);
    }
}
