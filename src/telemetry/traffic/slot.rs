//! The counts of one route in one worker.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::labels::{ConsumerClass, RouteLabels};
use crate::telemetry::histogram::{DURATIONS, Histogram, Histogrammed};

/// Pairs of status code and consumer class that a route has counts of its own for. An upstream chooses its codes.
const PAIRS: usize = 24;
/// Stands for every further code.
const OTHER: u16 = 0;

/// An answer, as it is counted.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    pub status: u16,
    pub class: ConsumerClass,
    /// Bytes of bodies.
    pub received: u64,
    pub sent: u64,
    pub total: Duration,
    /// What the gateway itself took; `None`: nobody knows.
    pub proxy: Option<Duration>,
    /// `None`: nothing was proxied.
    pub upstream: Option<Duration>,
}

/// Written by one worker, read by whoever scrapes.
#[derive(Debug)]
pub struct Slot {
    pub(super) labels: RouteLabels,
    /// A pair and its count; pairs are taken in the order in which they come. No pair is zero.
    pairs: [(AtomicU64, AtomicU64); PAIRS],
    others: [AtomicU64; ConsumerClass::ALL.len()],
    received: AtomicU64,
    sent: AtomicU64,
    total: Histogram,
    proxy: Histogram,
    upstream: Histogram,
}

impl Slot {
    pub(super) fn new(labels: RouteLabels) -> Self {
        Self {
            labels,
            pairs: [const { (AtomicU64::new(0), AtomicU64::new(0)) }; PAIRS],
            others: [const { AtomicU64::new(0) }; ConsumerClass::ALL.len()],
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            total: Histogram::new(&DURATIONS),
            proxy: Histogram::new(&DURATIONS),
            upstream: Histogram::new(&DURATIONS),
        }
    }

    /// Counts an answer. To be called by the worker of this slot only: counts of two at once could be lost.
    pub fn count(&self, answered: &Answered) {
        self.count_pair(answered.status, answered.class);
        bump(&self.received, answered.received);
        bump(&self.sent, answered.sent);
        self.total.record_alone(micros(answered.total));
        for (histogram, time) in [(&self.proxy, answered.proxy), (&self.upstream, answered.upstream)] {
            if let Some(time) = time {
                histogram.record_alone(micros(time));
            }
        }
    }

    fn count_pair(&self, status: u16, class: ConsumerClass) {
        let asked = u64::from(status) << 8 | class as u64 | 1 << 7;
        for (pair, count) in &self.pairs {
            match pair.load(Ordering::Relaxed) {
                known if known == asked => return bump(count, 1),
                0 => {
                    pair.store(asked, Ordering::Relaxed);
                    return bump(count, 1);
                }
                _ => {}
            }
        }
        bump(&self.others[class as usize], 1);
    }
}

/// Adds where no one else does.
fn bump(count: &AtomicU64, number: u64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(number), Ordering::Relaxed);
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Slots added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// By code and place of the class; [`OTHER`] for codes beyond the bound.
    pub requests: BTreeMap<(u16, usize), u64>,
    pub received: u64,
    pub sent: u64,
    pub total: Histogrammed,
    pub proxy: Histogrammed,
    pub upstream: Histogrammed,
}

impl Sums {
    pub fn add(&mut self, slot: &Slot) {
        for (pair, count) in &slot.pairs {
            let pair = pair.load(Ordering::Relaxed);
            if pair != 0 {
                let (code, class) = ((pair >> 8) as u16, (pair & 0x7f) as usize);
                *self.requests.entry((code, class)).or_default() += count.load(Ordering::Relaxed);
            }
        }
        for (class, count) in slot.others.iter().enumerate() {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                *self.requests.entry((OTHER, class)).or_default() += count;
            }
        }
        self.received += slot.received.load(Ordering::Relaxed);
        self.sent += slot.sent.load(Ordering::Relaxed);
        self.total.add(&slot.total);
        self.proxy.add(&slot.proxy);
        self.upstream.add(&slot.upstream);
    }

    pub fn merge(&mut self, other: &Self) {
        for (pair, count) in &other.requests {
            *self.requests.entry(*pair).or_default() += count;
        }
        self.merge_by_service(other);
    }

    /// What is told of a service as a whole.
    pub fn merge_by_service(&mut self, other: &Self) {
        self.received += other.received;
        self.sent += other.sent;
        self.total.merge(&other.total);
        self.proxy.merge(&other.proxy);
        self.upstream.merge(&other.upstream);
    }
}
