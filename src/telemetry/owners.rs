//! The owners of state (the actors) as figures: what waits for each, how much may, and how much it does at once.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::{Histogram, Histogrammed, SIZES};

/// An actor, as `actor` in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Credentials,
    Issuer,
    Exchanger,
    Hasher,
    Link,
    Keeper,
    Recorder,
    Ledger,
    Mailer,
    Scribe,
    Tracer,
}

const OWNERS: [(Owner, &str); 11] = [
    (Owner::Credentials, "credentials"),
    (Owner::Issuer, "issuer"),
    (Owner::Exchanger, "exchanger"),
    (Owner::Hasher, "hasher"),
    (Owner::Link, "link"),
    (Owner::Keeper, "keeper"),
    (Owner::Recorder, "recorder"),
    (Owner::Ledger, "ledger"),
    (Owner::Mailer, "mailer"),
    (Owner::Scribe, "scribe"),
    (Owner::Tracer, "tracer"),
];
const DEPTH: &str = "tollgate_mailbox_depth";
const CAPACITY: &str = "tollgate_mailbox_capacity";
const BATCH: &str = "tollgate_batch_size";

/// Who does several things at once; the issuer's batches have a histogram of their own.
const BATCHING: [(Owner, &str); 5] = [
    (Owner::Recorder, "recorder"),
    (Owner::Ledger, "ledger"),
    (Owner::Mailer, "mailer"),
    (Owner::Scribe, "scribe"),
    (Owner::Tracer, "tracer"),
];

/// The figures of one worker, or of what the node has one of.
#[derive(Debug)]
pub(super) struct Owners {
    depths: [AtomicU64; OWNERS.len()],
    capacities: [AtomicU64; OWNERS.len()],
    batches: [Histogram; BATCHING.len()],
}

impl Default for Owners {
    fn default() -> Self {
        Self {
            depths: [const { AtomicU64::new(0) }; OWNERS.len()],
            capacities: [const { AtomicU64::new(0) }; OWNERS.len()],
            batches: std::array::from_fn(|_| Histogram::new(&SIZES)),
        }
    }
}

impl Owners {
    pub fn begin(&self, owner: Owner) {
        self.depths[owner as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn end(&self, owner: Owner) {
        self.depths[owner as usize].fetch_sub(1, Ordering::Relaxed);
    }

    pub fn set_depth(&self, owner: Owner, waiting: usize) {
        self.depths[owner as usize].store(number(waiting), Ordering::Relaxed);
    }

    pub fn set_capacity(&self, owner: Owner, capacity: usize) {
        self.capacities[owner as usize].store(number(capacity), Ordering::Relaxed);
    }

    /// Counts for those that batch; for others it does nothing.
    pub fn count_batch(&self, owner: Owner, size: usize) {
        if let Some(place) = BATCHING.iter().position(|(known, _)| *known == owner) {
            self.batches[place].record(number(size));
        }
    }

    pub fn depth(&self, owner: Owner) -> u64 {
        self.depths[owner as usize].load(Ordering::Relaxed)
    }

    /// The sums of all, as Prometheus' text format.
    pub fn render<'o>(all: impl Iterator<Item = &'o Self> + Clone, text: &mut String) {
        let sum = |of: fn(&Self) -> &[AtomicU64; OWNERS.len()], owner: Owner| -> u64 {
            all.clone().map(|owners| of(owners)[owner as usize].load(Ordering::Relaxed)).sum()
        };
        let _ = writeln!(text, "# HELP {DEPTH} What an owner was given and has not answered.\n# TYPE {DEPTH} gauge");
        for (owner, actor) in OWNERS {
            let _ = writeln!(text, "{DEPTH}{{actor=\"{actor}\"}} {}", sum(|owners| &owners.depths, owner));
        }
        let _ = writeln!(text, "# HELP {CAPACITY} How much may wait for an owner.\n# TYPE {CAPACITY} gauge");
        for (owner, actor) in OWNERS {
            let _ = writeln!(text, "{CAPACITY}{{actor=\"{actor}\"}} {}", sum(|owners| &owners.capacities, owner));
        }
        let _ = writeln!(text, "# HELP {BATCH} How much an owner did at once.\n# TYPE {BATCH} histogram");
        for (place, (_, actor)) in BATCHING.iter().enumerate() {
            let mut sum = Histogrammed::default();
            all.clone().for_each(|owners| sum.add(&owners.batches[place]));
            sum.write(&SIZES, BATCH, &format!("actor=\"{actor}\""), text);
        }
    }
}

fn number(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_by_name_and_summed() {
        for (nth, (owner, _)) in OWNERS.iter().enumerate() {
            assert_eq!(*owner as usize, nth);
        }
        let (one, other) = (Owners::default(), Owners::default());
        one.begin(Owner::Link);
        other.begin(Owner::Link);
        other.begin(Owner::Link);
        other.end(Owner::Link);
        one.set_capacity(Owner::Scribe, 64);
        one.count_batch(Owner::Mailer, 3);
        one.count_batch(Owner::Keeper, 3);
        let mut text = String::new();
        Owners::render([&one, &other].into_iter(), &mut text);
        for line in [
            "tollgate_mailbox_depth{actor=\"link\"} 2\n",
            "tollgate_mailbox_capacity{actor=\"scribe\"} 64\n",
            "tollgate_batch_size_sum{actor=\"mailer\"} 3\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("batch_size_sum{actor=\"keeper\"}"));
    }
}
