//! What a worker holds open: counted by it alone, read by whoever is asked for figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that goes up and down in one thread.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// One more, for as long as it is held.
    pub fn one(&self) -> Counted<'_> {
        self.add(1);
        Counted(self)
    }

    // One thread writes: a load and a store are enough, and cost less than one step that others could see.
    pub fn add(&self, number: u64) {
        self.0.store(self.get().wrapping_add(number), Ordering::Relaxed);
    }

    pub fn sub(&self, number: u64) {
        self.0.store(self.get().wrapping_sub(number), Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub(super) struct Counted<'c>(&'c Count);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.sub(1);
    }
}

/// The counts of one worker.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Connections to upstreams, and those of them that carry nothing.
    pub upstreams: Count,
    pub idle_upstreams: Count,
    /// Streams of clients' HTTP/2 connections.
    pub streams: Count,
}

/// A connection to an upstream, counted while it exists.
pub(super) struct OneUpstream(pub Arc<Counts>);

impl OneUpstream {
    pub fn new(counts: &Arc<Counts>) -> Self {
        counts.upstreams.add(1);
        Self(Arc::clone(counts))
    }
}

impl Drop for OneUpstream {
    fn drop(&mut self) {
        self.0.upstreams.sub(1);
    }
}

/// What all workers hold open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenNow {
    pub upstreams_active: u64,
    pub upstreams_idle: u64,
    pub streams: u64,
}

impl OpenNow {
    /// The sum over workers. Each counts while it is read, so the parts may differ by what happened meanwhile.
    pub(super) fn sum<'c>(workers: impl Iterator<Item = &'c Arc<Counts>>) -> Self {
        let mut sum = Self::default();
        for counts in workers {
            let idle = counts.idle_upstreams.get();
            sum.upstreams_idle += idle;
            sum.upstreams_active += counts.upstreams.get().saturating_sub(idle);
            sum.streams += counts.streams.get();
        }
        sum
    }
}
