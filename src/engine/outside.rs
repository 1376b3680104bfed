//! A command that writes to the store beside running gateways: what it needs of a node, and how gateways hear of it.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use rand::random;
use uuid::Uuid;

use super::catalog::{Change, Pending, Ports};
use super::node::PATIENCE;
use super::{EngineError, Membership};
use crate::actors::{Bus, Event, Hash, Hasher, StoreRoster, Unconfirmed, Verified, Verify, hasher_pool};
use crate::cache::redis::{NodeId, Obey, Obeyed, Settings};
use crate::domain::{Keyring, PlainToken, Secret};
use crate::storage::Store;

/// Longer than two looks of a gateway at the store, which are half a lease apart.
const LOOKS: u32 = 2;
/// Between two looks whether the bus has been joined.
const PAUSE: Duration = Duration::from_millis(20);

/// Writes to the store without being a node. Changes are told all at once, by [`Outside::tell`].
pub struct Outside {
    store: Store,
    keyring: Arc<Keyring>,
    hasher: Addr<Hasher>,
}

impl Outside {
    /// Needs a running actor system, as all of the engine does.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), keyring: store.keyring(), hasher: hasher_pool(1) }
    }

    /// Whether a secret is the one that was hashed.
    ///
    /// # Errors
    /// The hasher is stuck.
    pub async fn fits(&self, hash: Secret, secret: Secret) -> Result<bool, EngineError> {
        let verified = self.hasher.send(Verify { phc: Some(hash), secret }).timeout(PATIENCE).await?;
        Ok(verified != Verified::Wrong)
    }

    /// Has every running gateway go by what is stored. In a cluster by the bus, as the Admin API does: when this
    /// returns, no node trusts anything from before. A gateway that is alone looks at the store twice in a lease, and is
    /// given the time for it.
    ///
    /// # Errors
    /// Some node may still go by what was before; Redis cannot be used.
    pub async fn tell(&self, membership: Option<Membership>, lease: Duration) -> Result<(), EngineError> {
        self.store.renew_configuration().await?;
        match membership {
            Some(membership) => self.tell_cluster(membership).await,
            None => {
                actix_rt::time::sleep(lease / 2 * LOOKS).await;
                Ok(())
            }
        }
    }

    /// Joins the bus for as long as it takes to be heard.
    async fn tell_cluster(&self, membership: Membership) -> Result<(), EngineError> {
        let Membership { redis_url: url, lease, stale_limit } = membership;
        let settings =
            Settings { url, node: NodeId(Uuid::new_v4()), keyring: Arc::clone(&self.keyring), lease, stale_limit };
        // Nothing is remembered here, so there is nothing to forget.
        let obey: Obey = Arc::new(|_| Box::pin(async { Obeyed::All }));
        let roster = Arc::new(StoreRoster(self.store.clone()));
        let bus = Bus::join(settings, roster, obey).map_err(|error| EngineError::Failed(error.to_string()))?;
        let joined = async {
            while !bus.is_following() {
                actix_rt::time::sleep(PAUSE).await;
            }
        };
        // With Redis away the others are found by the roster, and the epoch is closed.
        let _ = actix_rt::time::timeout(lease, joined).await;
        let told: Result<(), Unconfirmed> = bus.announce(vec![Event::Everything, Event::Configuration]).await;
        bus.leave().await;
        Ok(told?)
    }
}

impl Ports for Outside {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn token(&self) -> PlainToken {
        self.keyring.mint(random())
    }

    fn hash(&self, secret: Secret) -> Pending<'_, Result<Secret, EngineError>> {
        Box::pin(async move { Ok(self.hasher.send(Hash(secret)).timeout(PATIENCE).await??) })
    }

    fn changed(&self, _: Change) -> Pending<'_, Result<(), EngineError>> {
        Box::pin(async { Ok(()) })
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn announce(&self, _: Vec<Event>) -> Pending<'_, Result<(), EngineError>> {
        Box::pin(async { Ok(()) })
    }
}
