//! Telling people what was decided: the mails are another's; this is the door.

use std::sync::Arc;

use tracing::warn;
use uuid::Uuid;

use super::Registration;
use super::rows::{reference, text_of};
use crate::domain::{ContractStatus, DeveloperStatus};
use crate::engine::catalog::{CatalogError, Pending};
use crate::schema::Entity;

/// A contract that came to a status, as the mails about it tell.
#[derive(Clone, Copy, Debug)]
pub struct ContractMove<'m> {
    /// The developer's address.
    pub email: &'m str,
    pub application: Uuid,
    pub application_name: &'m str,
    /// The name the service has in the portal.
    pub service: &'m str,
    pub status: ContractStatus,
    /// What the administrator tells the developer.
    pub note: Option<&'m str>,
}

/// Who tells. What was decided is what it is: telling cannot fail it.
pub trait Tell: Send + Sync {
    fn contract_moved<'t>(&'t self, moved: ContractMove<'t>) -> Pending<'t, ()>;

    fn developer_moved<'t>(&'t self, email: &'t str, status: DeveloperStatus) -> Pending<'t, ()>;
}

impl Registration {
    /// With someone who tells people of decisions.
    #[must_use]
    pub fn telling(mut self, by: Arc<dyn Tell>) -> Self {
        self.tell = Some(by);
        self
    }

    pub(super) async fn tell_contract(&self, contract: &Entity, status: ContractStatus) {
        if let Err(error) = self.contract_told(contract, status).await {
            warn!(%error, "nobody was told what a contract came to");
        }
    }

    async fn contract_told(&self, contract: &Entity, status: ContractStatus) -> Result<(), CatalogError> {
        let Some(tell) = &self.tell else { return Ok(()) };
        let mut expanded = [contract.clone()];
        self.expand(&mut expanded).await?;
        let whole = |entity: &Entity, field: &str| entity.get(field).and_then(|value| value.as_object().cloned());
        let application = expanded.first().and_then(|contract| whole(contract, "application")).unwrap_or_default();
        let developer = whole(&application, "developer").unwrap_or_default();
        let service = reference(contract, "service")?;
        let title = self.service(None, service).await.map(|offer| offer.display_name);
        let note = text_of(contract, "note");
        let moved = ContractMove {
            email: text_of(&developer, "email"),
            application: reference(contract, "application")?,
            application_name: text_of(&application, "name"),
            service: title.as_deref().unwrap_or("a service"),
            status,
            note: Some(note).filter(|note| !note.is_empty()),
        };
        if !moved.email.is_empty() {
            tell.contract_moved(moved).await;
        }
        Ok(())
    }

    pub(super) async fn tell_developer(&self, developer: &Entity, status: DeveloperStatus) {
        if let Some(tell) = &self.tell {
            tell.developer_moved(text_of(developer, "email"), status).await;
        }
    }
}
