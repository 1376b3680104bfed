//! Attempts at something that is worth guessing, counted by whoever makes them; too many lock it for a while.

use std::hash::Hash;

use hashlink::LruCache;

use crate::domain::Timestamp;

/// How much is let pass.
#[derive(Clone, Copy, Debug)]
pub struct Leniency {
    /// Attempts before the first lock.
    pub free: u32,
    /// Each further attempt locks for twice as long as the one before, from `first_lock` to `longest_lock` seconds.
    pub first_lock: i64,
    pub longest_lock: i64,
    /// Seconds after the end of a lock (or after the last attempt, where there was none) until all is forgotten.
    pub memory: i64,
}

/// Bounded counts. Who floods them with keys makes them forget others: locks get looser, memory does not grow.
#[derive(Debug)]
pub struct Attempts<K: Eq + Hash> {
    leniency: Leniency,
    counted: LruCache<K, Counted>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    attempts: u32,
    last: Timestamp,
}

impl<K: Eq + Hash> Attempts<K> {
    pub fn new(leniency: Leniency, capacity: usize) -> Self {
        Self { leniency, counted: LruCache::new(capacity) }
    }

    /// Seconds until the next attempt may be made, at least 1; `None`: it may be made now.
    pub fn locked(&mut self, key: &K, now: Timestamp) -> Option<i64> {
        let counted = *self.counted.get(key)?;
        let left_ms = self.ends(counted).millis() - now.millis();
        (left_ms > 0).then(|| (left_ms + 999) / 1000)
    }

    /// Counts an attempt, before it is known how it goes: of many at once no more are let pass than of those in a row.
    pub fn count(&mut self, key: K, now: Timestamp) {
        let before = self.counted.get(&key).copied().filter(|counted| !self.is_forgotten(*counted, now));
        let attempts = before.map_or(0, |counted| counted.attempts).saturating_add(1);
        self.counted.insert(key, Counted { attempts, last: now });
    }

    /// Takes back one attempt, which was no guess.
    pub fn take_back(&mut self, key: &K) {
        if let Some(counted) = self.counted.get_mut(key) {
            counted.attempts = counted.attempts.saturating_sub(1);
        }
    }

    pub fn forget(&mut self, key: &K) {
        self.counted.remove(key);
    }

    fn ends(&self, counted: Counted) -> Timestamp {
        let Some(beyond) = counted.attempts.checked_sub(self.leniency.free) else { return counted.last };
        let doubled = self.leniency.first_lock.saturating_mul(1_i64.checked_shl(beyond.min(32)).unwrap_or(i64::MAX));
        counted.last.plus_seconds(doubled.min(self.leniency.longest_lock))
    }

    fn is_forgotten(&self, counted: Counted, now: Timestamp) -> bool {
        self.ends(counted).plus_seconds(self.leniency.memory) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1000);
    const LENIENCY: Leniency = Leniency { free: 3, first_lock: 30, longest_lock: 100, memory: 600 };

    fn attempts() -> Attempts<u32> {
        Attempts::new(LENIENCY, 8)
    }

    #[test]
    fn locks_begin_after_the_free_attempts_and_grow_to_the_longest() {
        let (mut attempts, mut now) = (attempts(), NOW);
        for _ in 0..3 {
            assert_eq!(attempts.locked(&1, now), None);
            attempts.count(1, now);
        }
        for lock in [30, 60, 100, 100] {
            assert_eq!(attempts.locked(&1, now), Some(lock));
            assert_eq!(attempts.locked(&2, now), None);
            now = now.plus_seconds(lock);
            assert_eq!(attempts.locked(&1, now), None);
            attempts.count(1, now);
        }
        assert_eq!(attempts.locked(&1, Timestamp::from_millis(now.millis() + 99_001)), Some(1));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut attempts = attempts();
        (0..3).for_each(|_| attempts.count(1, NOW));
        let later = NOW.plus_seconds(30 + 600);
        attempts.count(1, later);
        assert_eq!(attempts.locked(&1, later), None);
    }

    #[test]
    fn an_attempt_that_was_none_is_taken_back() {
        let mut attempts = attempts();
        (0..3).for_each(|_| attempts.count(1, NOW));
        attempts.take_back(&1);
        attempts.take_back(&2);
        assert_eq!(attempts.locked(&1, NOW), None);
        attempts.count(1, NOW);
        assert!(attempts.locked(&1, NOW).is_some());
        attempts.forget(&1);
        assert_eq!(attempts.locked(&1, NOW), None);
    }

    #[test]
    fn however_many_attempts_cost_no_more_memory_and_no_overflow() {
        let mut attempts = Attempts::new(Leniency { longest_lock: i64::MAX, ..LENIENCY }, 8);
        (0..10_000).for_each(|_| attempts.count(0, NOW));
        assert!(attempts.locked(&0, NOW).is_some_and(|left| left > 100));
        (0..10_000).for_each(|key| attempts.count(key, NOW));
        assert_eq!(attempts.counted.len(), 8);
    }
}
