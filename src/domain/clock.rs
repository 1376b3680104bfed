//! Instants and the clock that gives them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// An instant: milliseconds since 1970-01-01T00:00:00Z. The Admin API shows whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds; saturates at the ends of the range.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by `seconds`; saturates at the ends of the range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }
}

/// Where the time comes from: the system, or a hand the tests move.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// Milliseconds since the epoch; every clone sees the same hand.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    pub fn fixed(now: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(now.millis())))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Fixed(hand) => Timestamp(hand.load(Ordering::Relaxed)),
        }
    }

    /// Moves a fixed clock; the system's clock is nobody's to move.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Self::Fixed(hand) = self {
            hand.fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_down_before_the_epoch_too() {
        assert_eq!(Timestamp::from_millis(1999).seconds(), 1);
        assert_eq!(Timestamp::from_millis(-1).seconds(), -1);
    }

    #[test]
    fn every_clone_of_a_fixed_clock_moves_together() {
        let clock = Clock::fixed(Timestamp::from_seconds(100));
        clock.clone().advance_seconds(5);
        assert_eq!(clock.now().seconds(), 105);
    }
}
