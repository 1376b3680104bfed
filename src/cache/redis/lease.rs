//! Until when a node may answer from memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::protocol::Moment;

/// The node's permission to trust what it remembers; read on every call, by one load and one look at the monotonic
/// clock. Clones share it.
#[derive(Clone, Debug)]
pub struct Lease(Option<Arc<Terminable>>);

/// When a question was sent that renews a lease.
#[derive(Clone, Copy, Debug)]
pub struct Asked(Moment);

#[derive(Debug)]
struct Terminable {
    began: Instant,
    /// Nanoseconds after `began`.
    fresh_until: AtomicU64,
}

impl Lease {
    /// Of a node that is alone: nobody else takes rights away.
    pub fn without_end() -> Self {
        Self(None)
    }

    /// One that is over until it is renewed.
    pub fn ended() -> Self {
        Self(Some(Arc::new(Terminable { began: Instant::now(), fresh_until: AtomicU64::new(0) })))
    }

    /// Another one, by the same clock.
    pub(super) fn beside(&self) -> Self {
        let other = |lease: &Arc<Terminable>| Terminable { began: lease.began, fresh_until: AtomicU64::new(0) };
        Self(self.0.as_ref().map(|lease| Arc::new(other(lease))))
    }

    /// Whether what this node remembers may be trusted now.
    pub fn is_fresh(&self) -> bool {
        self.0.as_ref().is_none_or(|lease| lease.now() < lease.fresh_until.load(Ordering::Acquire))
    }

    /// To be taken before the question whose answer renews the lease.
    pub fn ask(&self) -> Asked {
        Asked(self.now())
    }

    /// What was asked at that time was answered: from then on the lease lasts so long, unless it lasts longer already.
    pub fn renew(&self, Asked(sent): Asked, length: Duration) {
        if let Some(lease) = &self.0 {
            let Moment(until) = sent + length;
            lease.fresh_until.fetch_max(until, Ordering::AcqRel);
        }
    }

    /// How long ago that was asked whose answer renewed the lease last; `length`: of the lease. Since the start, where
    /// nothing has; zero for one without end.
    pub fn age(&self, length: Duration) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |lease| {
            let until = Duration::from_nanos(lease.fresh_until.load(Ordering::Acquire));
            Duration::from_nanos(lease.now()).saturating_sub(until.saturating_sub(length))
        })
    }

    /// What the lease's clock shows.
    pub(super) fn now(&self) -> Moment {
        Moment(self.0.as_ref().map_or(0, |lease| lease.now()))
    }

    pub(super) fn set(&self, Moment(fresh_until): Moment) {
        if let Some(lease) = &self.0 {
            lease.fresh_until.store(fresh_until, Ordering::Release);
        }
    }
}

impl Terminable {
    fn now(&self) -> u64 {
        // 584 years fit.
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_over_until_it_is_renewed_and_one_without_end_never() {
        assert!(Lease::without_end().is_fresh());
        let lease = Lease::ended();
        let other = lease.clone();
        assert!(!lease.is_fresh());
        lease.set(lease.now() + Duration::from_secs(3600));
        assert!(other.is_fresh());
        lease.set(Moment::default());
        assert!(!other.is_fresh());
        let asked = lease.ask();
        lease.renew(asked, Duration::from_secs(3600));
        lease.renew(asked, Duration::ZERO);
        assert!(other.is_fresh(), "an older answer takes nothing away");
    }

    #[test]
    fn the_age_of_a_lease_begins_with_its_renewal() {
        let hour = Duration::from_secs(3600);
        assert_eq!(Lease::without_end().age(hour), Duration::ZERO);
        let lease = Lease::ended();
        lease.renew(lease.ask(), hour);
        std::thread::sleep(Duration::from_millis(5));
        let age = lease.age(hour);
        assert!(age >= Duration::from_millis(5) && age < hour, "{age:?}");
    }
}
