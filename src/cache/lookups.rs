//! Answers to look-ups: the known in one bounded map, the unknown in another, so that guesses push out nothing good.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use hashlink::LruCache;

use uuid::Uuid;

use crate::domain::{Hashed, Timestamp, TokenDigest};

/// By what is looked up.
pub trait Key: Eq + Hash {
    /// What callers can choose needs a hash that they cannot know.
    type Hash: BuildHasher + Default;
}

impl Key for TokenDigest {
    type Hash = Hashed;
}

impl Key for String {
    type Hash = RandomState;
}

impl Key for (Uuid, Uuid) {
    type Hash = RandomState;
}

/// What is remembered under a key.
#[derive(Clone, Debug)]
pub enum Found<V> {
    Known(Arc<V>),
    /// The store was asked lately and had nothing.
    Unknown,
}

impl<V> Found<V> {
    /// What is there, if anything is.
    pub fn known(self) -> Option<Arc<V>> {
        match self {
            Self::Known(view) => Some(view),
            Self::Unknown => None,
        }
    }
}

/// Bounded memory of one kind of look-up. Entries end after a time even when nobody revokes them, so that a store
/// changed behind the gateway's back is noticed.
pub struct Lookups<K: Key, V> {
    known: LruCache<K, (Arc<V>, Timestamp), K::Hash>,
    unknown: LruCache<K, Timestamp, K::Hash>,
    known_ms: i64,
    unknown_ms: i64,
}

impl<K: Key, V> Lookups<K, V> {
    /// `capacity` entries of each kind; life times in milliseconds.
    pub fn new(capacity: usize, known_ms: i64, unknown_ms: i64) -> Self {
        let (known, unknown) = (K::Hash::default(), K::Hash::default());
        Self {
            known: LruCache::with_hasher(capacity, known),
            unknown: LruCache::with_hasher(capacity, unknown),
            known_ms,
            unknown_ms,
        }
    }

    /// What is remembered under `key` at `now`; `None`: the store must be asked.
    pub fn get<Q>(&mut self, key: &Q, now: Timestamp) -> Option<Found<V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some((value, ends)) = self.known.get(key) {
            return (*ends > now).then(|| Found::Known(Arc::clone(value)));
        }
        self.unknown.get(key).is_some_and(|ends| *ends > now).then_some(Found::Unknown)
    }

    /// What was known under `key` when the store was last asked, however long ago.
    pub fn ended(&mut self, key: &K) -> Option<Arc<V>> {
        self.known.get(key).map(|(value, _)| Arc::clone(value))
    }

    pub fn remember(&mut self, key: K, value: Option<Arc<V>>, now: Timestamp) {
        match value {
            Some(value) => {
                self.unknown.remove(&key);
                self.known.insert(key, (value, Timestamp::from_millis(now.millis() + self.known_ms)));
            }
            None => {
                self.known.remove(&key);
                self.unknown.insert(key, Timestamp::from_millis(now.millis() + self.unknown_ms));
            }
        }
    }

    /// Forgets every view that `gone` names, and everything that was unknown (it may exist now).
    pub fn forget(&mut self, mut gone: impl FnMut(&K, &V) -> bool) {
        self.unknown.clear();
        self.known.retain(|key, (value, _)| !gone(key, value));
    }

    /// What was unknown may exist now.
    pub fn forget_unknown(&mut self) {
        self.unknown.clear();
    }

    /// Forgets what is remembered under one key.
    pub fn remove(&mut self, key: &K) {
        self.known.remove(key);
        self.unknown.remove(key);
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Key for u32 {
        type Hash = RandomState;
    }

    const NOW: Timestamp = Timestamp::from_seconds(10);

    fn known(lookups: &mut Lookups<u32, &str>, key: u32, now: Timestamp) -> Option<Option<&'static str>> {
        lookups.get(&key, now).map(|found| match found {
            Found::Known(_) => Some("known"),
            Found::Unknown => None,
        })
    }

    #[test]
    fn guesses_do_not_push_out_what_is_known() {
        let mut lookups = Lookups::new(4, 60_000, 1_000);
        lookups.remember(1, Some(Arc::new("good")), NOW);
        for guess in 100..1000 {
            lookups.remember(guess, None, NOW);
        }
        assert_eq!(known(&mut lookups, 1, NOW), Some(Some("known")));
        assert_eq!(known(&mut lookups, 999, NOW), Some(None));
        assert_eq!(known(&mut lookups, 100, NOW), None);
    }

    #[test]
    fn entries_end() {
        let mut lookups = Lookups::new(4, 60_000, 1_000);
        lookups.remember(1, Some(Arc::new("good")), NOW);
        lookups.remember(2, None, NOW);
        assert_eq!(known(&mut lookups, 2, NOW.plus_seconds(1)), None);
        assert_eq!(known(&mut lookups, 1, NOW.plus_seconds(59)), Some(Some("known")));
        assert_eq!(known(&mut lookups, 1, NOW.plus_seconds(60)), None);
        assert_eq!(lookups.ended(&1).as_deref(), Some(&"good"));
        assert_eq!(lookups.ended(&2), None);
    }

    #[test]
    fn forgetting_takes_what_it_names_and_every_unknown() {
        let mut lookups = Lookups::new(4, 60_000, 1_000);
        lookups.remember(1, Some(Arc::new("a")), NOW);
        lookups.remember(2, Some(Arc::new("b")), NOW);
        lookups.remember(3, None, NOW);
        lookups.forget(|_, value| *value == "a");
        assert_eq!(known(&mut lookups, 1, NOW), None);
        assert_eq!(known(&mut lookups, 2, NOW), Some(Some("known")));
        assert_eq!(known(&mut lookups, 3, NOW), None);
    }
}
