//! Credential look-ups of one worker: single flight, fills, invalidations.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::link::Forget;
use crate::cache::{Found, Lookups};
use crate::domain::{ClientView, Clock, Consumer, TokenDigest, TokenView};
use crate::storage::{StorageError, Store};
use crate::telemetry::{Meter, Meters};

/// Entries per kind and worker: about 60 MB of tokens at most, when every one is hot.
const CAPACITY: usize = 100_000;
const UNKNOWN_MS: i64 = 5_000;
const MAILBOX: usize = 4096;

/// The caches a worker's handlers read directly (borrow, never held across an await) and its actor fills.
#[derive(Debug)]
pub struct Caches {
    pub tokens: Lookups<TokenDigest, TokenView>,
    pub clients: Lookups<String, ClientView>,
    pub consumers: Lookups<String, Consumer>,
}

impl Caches {
    /// `known_ms`: how long a view may be trusted without asking the store again.
    pub fn new(known_ms: i64) -> Self {
        Self {
            tokens: Lookups::new(CAPACITY, known_ms, UNKNOWN_MS),
            clients: Lookups::new(CAPACITY / 10, known_ms, UNKNOWN_MS),
            consumers: Lookups::new(CAPACITY / 10, known_ms, UNKNOWN_MS),
        }
    }
}

type Answer<V> = Result<Option<Arc<V>>, StorageError>;
/// Who waits for a look-up, and the generation in which it began.
type Flight<V> = (u64, Vec<oneshot::Sender<Answer<V>>>);

/// Asks the store for a token that the cache does not have.
#[derive(Message)]
#[rtype(result = "Answer<TokenView>")]
pub struct FindToken(pub TokenDigest);

/// Asks the store for a client, by `client_id`.
#[derive(Message)]
#[rtype(result = "Answer<ClientView>")]
pub struct FindClient(pub String);

/// Asks the store for a consumer, by id or username.
#[derive(Message)]
#[rtype(result = "Answer<Consumer>")]
pub struct FindConsumer(pub String);

/// Look-ups in flight of one kind. A look-up belongs to the generation in which it began: whoever asks after an
/// invalidation begins another, which takes over those who wait for the old one; what the old one finds is dropped.
struct Flights<K, V> {
    waiting: HashMap<K, Flight<V>>,
}

impl<K: Eq + Hash + Clone, V> Flights<K, V> {
    fn new() -> Self {
        Self { waiting: HashMap::new() }
    }

    /// Joins the flight for `key`; true when there is none and the caller must begin it.
    fn join(&mut self, key: &K, generation: u64) -> (oneshot::Receiver<Answer<V>>, bool) {
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
    fn land(&mut self, key: &K, generation: u64, answer: &Answer<V>) -> bool {
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

/// The actor. It lives on its worker's thread and shares [`Caches`] with that worker's handlers.
pub struct Credentials {
    store: Store,
    clock: Clock,
    meters: Arc<Meters>,
    caches: Rc<RefCell<Caches>>,
    generation: u64,
    tokens: Flights<TokenDigest, TokenView>,
    clients: Flights<String, ClientView>,
    consumers: Flights<String, Consumer>,
}

impl Credentials {
    /// Starts the actor on this thread.
    pub fn start_with(store: Store, clock: Clock, meters: Arc<Meters>, caches: Rc<RefCell<Caches>>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            Self {
                store,
                clock,
                meters,
                caches,
                generation: 0,
                tokens: Flights::new(),
                clients: Flights::new(),
                consumers: Flights::new(),
            }
        })
    }
}

impl Actor for Credentials {
    type Context = Context<Self>;
}

fn landed<V: 'static>(receiver: oneshot::Receiver<Answer<V>>) -> ResponseFuture<Answer<V>> {
    Box::pin(async move {
        receiver.await.unwrap_or_else(|_| Err(StorageError::Unavailable("the look-up was given up".to_owned())))
    })
}

impl Handler<FindToken> for Credentials {
    type Result = ResponseFuture<Answer<TokenView>>;

    fn handle(&mut self, FindToken(digest): FindToken, context: &mut Self::Context) -> Self::Result {
        // Another look-up may have ended between the handler's miss and this message.
        if let Some(found) = self.caches.borrow_mut().tokens.get(&digest, self.clock.now()) {
            return Box::pin(std::future::ready(Ok(known(found))));
        }
        let (receiver, begin) = self.tokens.join(&digest, self.generation);
        if begin {
            self.meters.count(Meter::TokenLookup);
            let (store, generation) = (self.store.clone(), self.generation);
            let asked = async move { store.find_token(digest).await.map(|row| row.map(Arc::new)) };
            context.spawn(asked.into_actor(self).map(move |answer, actor, _| {
                let now = actor.clock.now();
                if actor.tokens.land(&digest, generation, &answer)
                    && actor.generation == generation
                    && let Ok(view) = answer
                {
                    actor.caches.borrow_mut().tokens.remember(digest, view, now);
                }
            }));
        }
        landed(receiver)
    }
}

impl Handler<FindClient> for Credentials {
    type Result = ResponseFuture<Answer<ClientView>>;

    fn handle(&mut self, FindClient(id): FindClient, context: &mut Self::Context) -> Self::Result {
        if let Some(found) = self.caches.borrow_mut().clients.get(&id, self.clock.now()) {
            return Box::pin(std::future::ready(Ok(known(found))));
        }
        let (receiver, begin) = self.clients.join(&id, self.generation);
        if begin {
            self.meters.count(Meter::ClientLookup);
            let (store, generation, key) = (self.store.clone(), self.generation, id.clone());
            let asked = async move { store.find_client(&key).await.map(|row| row.map(Arc::new)) };
            context.spawn(asked.into_actor(self).map(move |answer, actor, _| {
                let now = actor.clock.now();
                if actor.clients.land(&id, generation, &answer)
                    && actor.generation == generation
                    && let Ok(view) = answer
                {
                    actor.caches.borrow_mut().clients.remember(id, view, now);
                }
            }));
        }
        landed(receiver)
    }
}

impl Handler<FindConsumer> for Credentials {
    type Result = ResponseFuture<Answer<Consumer>>;

    fn handle(&mut self, FindConsumer(id): FindConsumer, context: &mut Self::Context) -> Self::Result {
        if let Some(found) = self.caches.borrow_mut().consumers.get(&id, self.clock.now()) {
            return Box::pin(std::future::ready(Ok(known(found))));
        }
        let (receiver, begin) = self.consumers.join(&id, self.generation);
        if begin {
            let (store, generation, key) = (self.store.clone(), self.generation, id.clone());
            let asked = async move { store.find_consumer(&key).await.map(|row| row.map(Arc::new)) };
            context.spawn(asked.into_actor(self).map(move |answer, actor, _| {
                let now = actor.clock.now();
                if actor.consumers.land(&id, generation, &answer)
                    && actor.generation == generation
                    && let Ok(view) = answer
                {
                    actor.caches.borrow_mut().consumers.remember(id, view, now);
                }
            }));
        }
        landed(receiver)
    }
}

fn known<V>(found: Found<V>) -> Option<Arc<V>> {
    match found {
        Found::Known(view) => Some(view),
        Found::Unknown => None,
    }
}

impl Handler<Forget> for Credentials {
    type Result = ();

    fn handle(&mut self, forget: Forget, _: &mut Self::Context) {
        self.generation += 1;
        forget.apply(&mut self.caches.borrow_mut());
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
