//! What caches must forget when registrations change.

use uuid::Uuid;

use super::Registration;
use crate::actors::Event;
use crate::engine::catalog::CatalogError;

/// Each consumer that is forgotten walks the caches once; beyond this many, emptying them costs less.
const MANY: usize = 64;

impl Registration {
    /// Everything of these consumers: credentials, tokens, standings.
    pub(super) async fn forget_consumers(&self, consumers: &[Uuid]) -> Result<(), CatalogError> {
        if consumers.len() > MANY {
            return self.announce(Event::Everything).await;
        }
        // Together: each may take as long as a lease.
        Ok(self.catalog.ports.announce(consumers.iter().copied().map(Event::Consumer).collect()).await?)
    }

    /// How a consumer stands to services.
    pub(super) async fn forget_standing(&self, consumer: Uuid) -> Result<(), CatalogError> {
        self.announce(Event::Standing(consumer)).await
    }

    /// What a consumer was granted for a service, and how it stands to that.
    pub(super) async fn forget_grants(&self, consumer: Uuid, service: Uuid) -> Result<(), CatalogError> {
        self.announce(Event::Grants { consumer, service }).await
    }

    pub(super) async fn announce(&self, event: Event) -> Result<(), CatalogError> {
        Ok(self.catalog.ports.announce(vec![event]).await?)
    }
}
