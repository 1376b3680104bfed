//! Look-ups that are under way: who asks for the same waits for the same answer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::storage::StorageError;

pub type Answer<V> = Result<Option<Arc<V>>, StorageError>;
/// Who waits for a look-up, and the generation in which it began.
type Flight<V> = (u64, Vec<oneshot::Sender<Answer<V>>>);

/// Look-ups in flight of one kind. A look-up belongs to the generation in which it began: whoever asks after an
/// invalidation begins another, which takes over those who wait for the old one; what the old one finds is dropped.
pub struct Flights<K, V> {
    waiting: HashMap<K, Flight<V>>,
}

impl<K: Eq + Hash + Clone, V> Flights<K, V> {
    pub fn new() -> Self {
        Self { waiting: HashMap::new() }
    }

    /// Joins the flight for `key`; true when there is none and the caller must begin it.
    pub fn join(&mut self, key: &K, generation: u64) -> (oneshot::Receiver<Answer<V>>, bool) {
        let (sender, receiver) = oneshot::channel();
        match self.waiting.get_mut(key) {
            Some((begun, waiting)) if *begun == generation => {
                waiting.push(sender);
                (receiver, false)
            }
            _ => {
                let older = self.waiting.remove(key).map(|(_, waiting)| waiting).unwrap_or_default();
                self.waiting.insert(key.clone(), (generation, older.into_iter().chain([sender]).collect()));
                (receiver, true)
            }
        }
    }

    /// Ends the flight of that generation; answers everyone who waits. False: a newer flight has taken over.
    pub fn land(&mut self, key: &K, generation: u64, answer: &Answer<V>) -> bool {
        if self.waiting.get(key).is_none_or(|(begun, _)| *begun != generation) {
            return false;
        }
        let (_, waiting) = self.waiting.remove(key).unwrap_or_default();
        for sender in waiting {
            // Who no longer waits does not need it.
            let _ = sender.send(answer.clone());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flights() -> Flights<u32, u32> {
        Flights::new()
    }

    #[test]
    fn who_asks_for_the_same_joins_the_flight() {
        let mut flights = flights();
        let (mut first, begins) = flights.join(&1, 0);
        let (mut second, joins) = flights.join(&1, 0);
        assert!(begins && !joins);
        assert!(flights.land(&1, 0, &Ok(Some(Arc::new(7)))));
        assert_eq!(first.try_recv().unwrap().unwrap().as_deref(), Some(&7));
        assert_eq!(second.try_recv().unwrap().unwrap().as_deref(), Some(&7));
    }

    #[test]
    fn after_an_invalidation_the_old_flight_answers_nobody() {
        let mut flights = flights();
        let (mut before, _) = flights.join(&1, 0);
        let (mut after, begins) = flights.join(&1, 1);
        assert!(begins, "a revoked token must not be answered from a look-up begun before");
        assert!(!flights.land(&1, 0, &Ok(Some(Arc::new(7)))));
        assert!(before.try_recv().is_err() && after.try_recv().is_err());
        assert!(flights.land(&1, 1, &Ok(None)));
        assert_eq!(before.try_recv().unwrap(), Ok(None));
        assert_eq!(after.try_recv().unwrap(), Ok(None));
    }
}
