//! The rules by which no node misses a revocation: what a node may trust, and when a change is known everywhere.
//! `docs/decisions/0010-a-revocation-no-node-can-miss.md` tells them in words and argues why they suffice.
//!
//! **Invariants:** nothing here does input or output, reads a clock or draws randomness. [`Follower`] decides for a
//! node, [`Barrier`] for one that publishes; `model.rs` runs both against a Redis that loses, goes back, splits and
//! hangs, in schedules drawn at random.
//!
//! **Absent on purpose:** Redis, the database, tasks and time limits (`bus`).

mod barrier;
mod follower;
#[cfg(test)]
mod model;
mod seen;

use std::ops::Add;
use std::time::Duration;

pub(super) use barrier::{Barrier, Verdict};
pub use barrier::{Member, Roll};
pub(super) use follower::{Follower, Heard, Terms, Want};
pub(super) use seen::{Applied, NodeLine, Seen};

/// An instant of this process's monotonic clock, in nanoseconds since a start of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub u64);

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, more: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(more.as_nanos()).unwrap_or(u64::MAX)))
    }
}
