//! Credential look-ups of one worker: single flight, fills, invalidations.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use uuid::Uuid;

use super::contact::Contact;
use super::flights::{Answer, Flights};
use super::link::{self, Obey};
use crate::cache::redis::{Kept, Lease, TokenTier};
use crate::cache::{Common, Key, Lookups};
use crate::domain::{ClientView, Clock, Consumer, JwtSecretView, KeyView, Standing, TokenDigest, TokenView};
use crate::storage::{StorageError, Store};
use crate::telemetry::{Meter, Meters, Owner};

/// Entries per kind and worker: about 60 MB of tokens at most, when every one is hot.
const CAPACITY: usize = 100_000;
const UNKNOWN_MS: i64 = 5_000;
const MAILBOX: usize = 4096;

/// The caches a worker's handlers read directly (borrow, never held across an await) and its actor fills.
pub struct Caches {
    pub tokens: Lookups<TokenDigest, TokenView>,
    common: Common,
    pub clients: Lookups<String, ClientView>,
    pub consumers: Lookups<String, Consumer>,
    pub keys: Lookups<TokenDigest, KeyView>,
    /// By the digest of what tokens name them by: a name is whatever a caller writes, and may be long.
    pub jwt_secrets: Lookups<TokenDigest, JwtSecretView>,
    /// By consumer and service. Every consumer stands somehow, so nothing here is unknown.
    pub standings: Lookups<(Uuid, Uuid), Standing>,
}

impl Caches {
    /// `known_ms`: how long a view may be trusted without asking the store again.
    pub fn new(known_ms: i64) -> Self {
        Self {
            tokens: Lookups::new(CAPACITY, known_ms, UNKNOWN_MS),
            common: Common::new(CAPACITY / 10),
            clients: Lookups::new(CAPACITY / 10, known_ms, UNKNOWN_MS),
            consumers: Lookups::new(CAPACITY / 10, known_ms, UNKNOWN_MS),
            keys: Lookups::new(CAPACITY, known_ms, UNKNOWN_MS),
            jwt_secrets: Lookups::new(CAPACITY / 10, known_ms, UNKNOWN_MS),
            standings: Lookups::new(CAPACITY, known_ms, UNKNOWN_MS),
        }
    }
}

/// A question to the store whose answer is remembered: under which key, where, and how it is asked.
pub trait Ask: Message<Result = Answer<Self::View>> + 'static {
    type Key: Key + Clone + 'static;
    type View: 'static;
    fn key(&self) -> Self::Key;
    fn cache(caches: &mut Caches) -> &mut Lookups<Self::Key, Self::View>;
    fn flights(actor: &mut Credentials) -> &mut Flights<Self::Key, Self::View>;
    fn ask(self, sources: Sources) -> impl Future<Output = Answer<Self::View>> + 'static;
    /// Has a view that will be remembered hold what others hold already.
    fn share(_: &mut Caches, _: &mut Self::View) {}
}

/// Where the actor looks, and what it counts by.
#[derive(Clone)]
pub struct Sources {
    pub store: Store,
    /// What other nodes have asked the store already.
    pub tokens: Option<TokenTier>,
    /// Whether this node may go by anything but the store.
    pub lease: Lease,
    pub contact: Arc<Contact>,
    pub clock: Clock,
    pub meters: Arc<Meters>,
}

impl Sources {
    fn count(&self, meter: Meter) {
        self.meters.count(meter);
    }
}

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

/// Asks the store for an API key.
#[derive(Message)]
#[rtype(result = "Answer<KeyView>")]
pub struct FindKey(pub TokenDigest);

/// Asks the store for what tokens are verified with, by what they name it by and the digest of that.
#[derive(Message)]
#[rtype(result = "Answer<JwtSecretView>")]
pub struct FindJwtSecret {
    pub digest: TokenDigest,
    pub key: String,
}

/// Asks the store how a consumer stands to a service.
#[derive(Message)]
#[rtype(result = "Answer<Standing>")]
pub struct FindStanding {
    pub consumer: Uuid,
    pub service: Uuid,
}

impl Ask for FindToken {
    type Key = TokenDigest;
    type View = TokenView;
    fn key(&self) -> TokenDigest {
        self.0
    }

    fn cache(caches: &mut Caches) -> &mut Lookups<TokenDigest, TokenView> {
        &mut caches.tokens
    }

    fn flights(actor: &mut Credentials) -> &mut Flights<TokenDigest, TokenView> {
        &mut actor.tokens
    }

    fn share(caches: &mut Caches, view: &mut TokenView) {
        caches.common.share(view);
    }

    async fn ask(self, sources: Sources) -> Answer<TokenView> {
        let tokens = sources.tokens.as_ref().filter(|_| sources.lease.is_fresh());
        let Some(tokens) = tokens else {
            sources.count(Meter::TokenLookup);
            return Ok(sources.store.find_token(self.0).await?.map(Arc::new));
        };
        let kept = tokens.find(self.0).await;
        if let Some(kept) = kept.filter(|_| sources.lease.is_fresh()) {
            sources.count(Meter::TokenRedisHit);
            return Ok(match kept {
                Kept::Known(view) => Some(view),
                Kept::Unknown => None,
            });
        }
        let (stamp, asked_at) = (tokens.stamp(), sources.clock.now());
        sources.count(Meter::TokenLookup);
        let found = sources.store.find_token(self.0).await?;
        if let Some(stamp) = stamp {
            tokens.keep(self.0, found.as_ref(), asked_at, stamp);
        }
        Ok(found.map(Arc::new))
    }
}

impl Ask for FindClient {
    type Key = String;
    type View = ClientView;
    fn key(&self) -> String {
        self.0.clone()
    }

    fn cache(caches: &mut Caches) -> &mut Lookups<String, ClientView> {
        &mut caches.clients
    }

    fn flights(actor: &mut Credentials) -> &mut Flights<String, ClientView> {
        &mut actor.clients
    }

    async fn ask(self, sources: Sources) -> Answer<ClientView> {
        sources.count(Meter::ClientLookup);
        Ok(sources.store.find_client(&self.0).await?.map(Arc::new))
    }
}

impl Ask for FindConsumer {
    type Key = String;
    type View = Consumer;
    fn key(&self) -> String {
        self.0.clone()
    }

    fn cache(caches: &mut Caches) -> &mut Lookups<String, Consumer> {
        &mut caches.consumers
    }

    fn flights(actor: &mut Credentials) -> &mut Flights<String, Consumer> {
        &mut actor.consumers
    }

    async fn ask(self, sources: Sources) -> Answer<Consumer> {
        Ok(sources.store.find_consumer(&self.0).await?.map(Arc::new))
    }
}

impl Ask for FindKey {
    type Key = TokenDigest;
    type View = KeyView;
    fn key(&self) -> TokenDigest {
        self.0
    }

    fn cache(caches: &mut Caches) -> &mut Lookups<TokenDigest, KeyView> {
        &mut caches.keys
    }

    fn flights(actor: &mut Credentials) -> &mut Flights<TokenDigest, KeyView> {
        &mut actor.keys
    }

    async fn ask(self, sources: Sources) -> Answer<KeyView> {
        sources.count(Meter::KeyLookup);
        Ok(sources.store.find_key(self.0).await?.map(Arc::new))
    }
}

impl Ask for FindJwtSecret {
    type Key = TokenDigest;
    type View = JwtSecretView;
    fn key(&self) -> TokenDigest {
        self.digest
    }

    fn cache(caches: &mut Caches) -> &mut Lookups<TokenDigest, JwtSecretView> {
        &mut caches.jwt_secrets
    }

    fn flights(actor: &mut Credentials) -> &mut Flights<TokenDigest, JwtSecretView> {
        &mut actor.jwt_secrets
    }

    async fn ask(self, sources: Sources) -> Answer<JwtSecretView> {
        sources.count(Meter::KeyLookup);
        Ok(sources.store.find_jwt_secret(&self.key).await?.map(Arc::new))
    }
}

impl Ask for FindStanding {
    type Key = (Uuid, Uuid);
    type View = Standing;
    fn key(&self) -> (Uuid, Uuid) {
        (self.consumer, self.service)
    }

    fn cache(caches: &mut Caches) -> &mut Lookups<(Uuid, Uuid), Standing> {
        &mut caches.standings
    }

    fn flights(actor: &mut Credentials) -> &mut Flights<(Uuid, Uuid), Standing> {
        &mut actor.standings
    }

    async fn ask(self, sources: Sources) -> Answer<Standing> {
        sources.count(Meter::StandingLookup);
        Ok(Some(Arc::new(sources.store.find_standing(self.consumer, self.service).await?)))
    }
}

/// The actor. It lives on its worker's thread and shares [`Caches`] with that worker's handlers.
pub struct Credentials {
    sources: Sources,
    caches: Rc<RefCell<Caches>>,
    generation: u64,
    tokens: Flights<TokenDigest, TokenView>,
    clients: Flights<String, ClientView>,
    consumers: Flights<String, Consumer>,
    keys: Flights<TokenDigest, KeyView>,
    jwt_secrets: Flights<TokenDigest, JwtSecretView>,
    standings: Flights<(Uuid, Uuid), Standing>,
}

impl Credentials {
    /// Starts the actor on this thread.
    pub fn start_with(sources: Sources, caches: Rc<RefCell<Caches>>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            sources.meters.set_capacity(Owner::Credentials, MAILBOX);
            Self {
                sources,
                caches,
                generation: 0,
                tokens: Flights::new(),
                clients: Flights::new(),
                consumers: Flights::new(),
                keys: Flights::new(),
                jwt_secrets: Flights::new(),
                standings: Flights::new(),
            }
        })
    }
}

impl Credentials {
    /// What was known lately, in place of an answer of the store that is away: every event that could have ended it was
    /// obeyed.
    fn spare<A: Ask>(&mut self, key: &A::Key) -> Option<Arc<A::View>> {
        let may = self.sources.lease.is_fresh() && self.sources.contact.is_spared();
        may.then(|| A::cache(&mut self.caches.borrow_mut()).ended(key)).flatten()
    }
}

impl Actor for Credentials {
    type Context = Context<Self>;
}

impl<A: Ask> Handler<A> for Credentials {
    type Result = ResponseFuture<Answer<A::View>>;

    fn handle(&mut self, asked: A, context: &mut Self::Context) -> Self::Result {
        if !self.sources.lease.is_fresh() {
            // What others asked a moment ago, this node may not rely on: it could have been answered before a change
            // that this node was not told of.
            return Box::pin(asked.ask(self.sources.clone()));
        }
        let key = asked.key();
        // Another look-up may have ended between the handler's miss and this message.
        let found = A::cache(&mut self.caches.borrow_mut()).get(&key, self.sources.clock.now());
        if let Some(found) = found {
            return Box::pin(std::future::ready(Ok(found.known())));
        }
        if let Some(view) = self.spare::<A>(&key) {
            return Box::pin(std::future::ready(Ok(Some(view))));
        }
        let generation = self.generation;
        let (receiver, begin) = A::flights(self).join(&key, generation);
        if begin {
            let asked = asked.ask(self.sources.clone());
            context.spawn(asked.into_actor(self).map(move |answer, actor, _| {
                let now = actor.sources.clock.now();
                let mut answer = match answer {
                    // It went away meanwhile.
                    Err(error) if error.is_transient() => {
                        actor.sources.contact.silent();
                        actor.spare::<A>(&key).map(Some).ok_or(error)
                    }
                    answer => answer,
                };
                if let Ok(Some(view)) = &mut answer
                    && let Some(view) = Arc::get_mut(view)
                {
                    A::share(&mut actor.caches.borrow_mut(), view);
                }
                if A::flights(actor).land(&key, generation, &answer)
                    && actor.generation == generation
                    && let Ok(view) = answer
                {
                    A::cache(&mut actor.caches.borrow_mut()).remember(key, view, now);
                }
            }));
        }
        Box::pin(async move {
            receiver.await.unwrap_or_else(|_| Err(StorageError::Unavailable("the look-up was given up".to_owned())))
        })
    }
}

impl Handler<Obey> for Credentials {
    type Result = bool;

    fn handle(&mut self, Obey(events): Obey, _: &mut Self::Context) -> bool {
        self.generation += 1;
        let mut caches = self.caches.borrow_mut();
        events.iter().for_each(|event| link::apply(event, &mut caches));
        true
    }
}
