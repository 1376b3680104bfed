//! What all threads of this node share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::Addr;
use tokio::sync::Semaphore;
use tracing::{debug, warn};
use uuid::Uuid;

use super::EngineError;
use crate::actors::{
    Announce, Balance, Bus, Contact, Event, Exchange, Exchanger, Hash, HashError, Hasher, Keeper, Lease, Ledger, Link,
    Obey, Rebuild, Recorder, Tallies, Verified, Verify,
};
use crate::cache::CustomTokens;
use crate::cache::redis::Counters;
use crate::domain::{Clock, Keyring, Secret, TokenDigest};
use crate::storage::{StorageError, Store};
use crate::telemetry::{Owner, Registry};

/// Secrets that may wait for a hasher: at 13 ms each on one thread the last one waits under a second.
const HASHES_WAITING: usize = 64;
/// How long an owner may take before a request gives up on it.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
const CUSTOM_PAGE: usize = 10_000;

/// The owners' addresses and the shared parts; cheap to clone.
#[derive(Clone)]
pub struct Node {
    pub id: Uuid,
    pub store: Store,
    pub clock: Clock,
    pub keyring: Arc<Keyring>,
    pub meters: Arc<Registry>,
    pub custom: Arc<CustomTokens>,
    pub exchanger: Addr<Exchanger>,
    pub hasher: Addr<Hasher>,
    pub link: Addr<Link>,
    pub keeper: Addr<Keeper>,
    pub recorder: Addr<Recorder>,
    pub ledger: Addr<Ledger>,
    pub tallies: Tallies,
    pub hashing: Hashing,
    pub reading_custom: Arc<tokio::sync::Mutex<()>>,
    /// Fresh: the configuration in force is the one that is stored, or was a lease ago.
    pub configuration: Lease,
    pub contact: Arc<Contact>,
    /// Empty: this node is alone.
    pub bus: Arc<OnceLock<Bus>>,
}

/// Permission to wait for a hasher.
#[derive(Clone, Debug)]
pub struct Hashing(Arc<Semaphore>);

impl Default for Hashing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(HASHES_WAITING)))
    }
}

impl Node {
    /// Tells how much may wait for the owners that a node has one of.
    pub fn tell_capacities(&self) {
        for (owner, capacity) in [
            (Owner::Exchanger, Exchanger::MOST),
            (Owner::Hasher, HASHES_WAITING),
            (Owner::Link, Link::MAILBOX),
            (Owner::Keeper, Keeper::MAILBOX),
            (Owner::Ledger, Ledger::MAILBOX),
        ] {
            self.meters.node.set_capacity(owner, capacity);
        }
    }

    /// Something may have been imported that this node was not told of.
    pub(super) fn doubt_custom_tokens(&self) {
        self.custom.doubt();
        let node = self.clone();
        actix_rt::spawn(async move { node.load_custom_tokens().await });
    }

    /// Makes every worker of every node go by a change that is stored.
    ///
    /// # Errors
    /// Somebody may not: what was to be revoked may still be answered there.
    pub async fn announce(&self, events: Vec<Event>) -> Result<(), EngineError> {
        if events.is_empty() {
            return Ok(());
        }
        Ok(self.link.send(Announce(events)).timeout(PATIENCE).await??)
    }

    /// Uses up a code or a refresh token, or ends what they gave; false when somebody else came first.
    ///
    /// # Errors
    /// It did not happen, as far as anybody knows.
    pub(super) async fn exchange(&self, exchange: Exchange) -> Result<bool, EngineError> {
        let _waiting = self.meters.node.waiting(Owner::Exchanger);
        Ok(self.exchanger.send(exchange).timeout(PATIENCE).await??)
    }

    /// Goes by the store alone: somebody has written to it who could not tell this node, such as an import.
    ///
    /// # Errors
    /// A worker is stuck.
    pub async fn start_anew(&self) -> Result<(), EngineError> {
        self.doubt_custom_tokens();
        // The bus knows of it from elsewhere, if there is one.
        let obeyed = self.link.send(Obey([Event::Everything].into())).timeout(PATIENCE).await?;
        if obeyed { Ok(()) } else { Err(EngineError::Overloaded) }
    }

    /// Puts the stored configuration in force for the next request to this node.
    ///
    /// # Errors
    /// The store could not be read, or the keeper is stuck.
    pub async fn rebuild(&self) -> Result<(), EngineError> {
        use crate::actors::PublishError;
        let _waiting = self.meters.node.waiting(Owner::Keeper);
        self.keeper.send(Rebuild).timeout(PATIENCE).await?.map_err(|error| match error {
            PublishError::Storage(error) => EngineError::Storage(error),
            PublishError::GivenUp => EngineError::Overloaded,
        })
    }

    /// # Errors
    /// Too many secrets wait already.
    pub async fn hash(&self, secret: Secret) -> Result<Secret, EngineError> {
        let _permit = self.hashing.0.try_acquire().map_err(|_| HashError::Full)?;
        let _waiting = self.meters.node.waiting(Owner::Hasher);
        Ok(self.hasher.send(Hash(secret)).timeout(PATIENCE).await??)
    }

    /// # Errors
    /// Too many secrets wait already.
    pub async fn verify(&self, phc: Option<Secret>, secret: Secret) -> Result<Verified, EngineError> {
        let _permit = self.hashing.0.try_acquire().map_err(|_| HashError::Full)?;
        let _waiting = self.meters.node.waiting(Owner::Hasher);
        Ok(self.hasher.send(Verify { phc, secret }).timeout(PATIENCE).await?)
    }

    /// Spends a hash on a secret of nobody's, unless the hashers are busy with real ones.
    pub(super) async fn verify_nothing(&self, secret: Secret) {
        if self.hashing.0.available_permits() == HASHES_WAITING {
            let _ = self.verify(None, secret).await;
        }
    }

    /// The counts that nodes share; `None`: this node is alone.
    pub(super) fn counters(&self) -> Option<&Counters> {
        self.bus.get().map(Bus::counters)
    }

    /// Has every call of an application that was counted so far added up in the store.
    ///
    /// # Errors
    /// The ledger is stuck.
    pub async fn balance(&self) -> Result<(), EngineError> {
        let _waiting = self.meters.node.waiting(Owner::Ledger);
        Ok(self.ledger.send(Balance).timeout(PATIENCE).await?)
    }

    /// Learns which imported tokens and keys exist. Until it ends every one that was not minted is looked up.
    pub async fn load_custom_tokens(&self) {
        // One at a time: a second reader would begin a new filter under the first one's hands.
        let _reading = self.reading_custom.lock().await;
        if self.custom.is_loaded() && !self.custom.is_outgrown() {
            return;
        }
        let mut expected = CUSTOM_PAGE;
        loop {
            let reading = self.custom.begin(expected);
            match self.read_custom_tokens().await {
                Ok(held) if !self.custom.is_outgrown() && self.custom.finish(reading) => {
                    debug!(tokens = held, "know {held} imported tokens and keys");
                    return;
                }
                Ok(held) => expected = held.saturating_mul(2).max(CUSTOM_PAGE),
                Err(error) => {
                    warn!(%error, "imported tokens and keys could not be read, trying again");
                    actix_rt::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Makes the filter know an imported token, and grow when it must.
    pub(super) fn know_custom_token(&self, digest: TokenDigest) {
        self.custom.insert(digest);
        if self.custom.is_outgrown() && self.reading_custom.try_lock().is_ok() {
            // A task of its own: nobody need wait, for until it ends every token is looked up, and a client that goes
            // away must not leave the filter half built.
            let node = self.clone();
            actix_rt::spawn(async move { node.load_custom_tokens().await });
        }
    }

    /// Reads everything imported into the filter; gives how many there are.
    async fn read_custom_tokens(&self) -> Result<usize, StorageError> {
        let store = &self.store;
        Ok(self.read_digests(|after| store.custom_token_digests(after, CUSTOM_PAGE)).await?
            + self.read_digests(|after| store.key_digests(after, CUSTOM_PAGE)).await?
            + self.read_digests(|after| store.jwt_secret_digests(after, CUSTOM_PAGE)).await?
            + self.read_digests(|after| store.client_id_digests(after, CUSTOM_PAGE)).await?)
    }

    async fn read_digests(
        &self,
        page: impl AsyncFn(Option<Uuid>) -> Result<Vec<(Uuid, TokenDigest)>, StorageError>,
    ) -> Result<usize, StorageError> {
        let (mut held, mut after) = (0, None);
        loop {
            let page = page(after).await?;
            page.iter().for_each(|(_, digest)| self.custom.insert(*digest));
            held += page.len();
            match page.last() {
                Some((last, _)) if page.len() == CUSTOM_PAGE => after = Some(*last),
                _ => return Ok(held),
            }
        }
    }
}
