//! Invitations: the mails are another's; this is the door.

use std::sync::Arc;

use serde_json::Value;

use super::Registration;
use crate::engine::EngineError;
use crate::engine::catalog::{CatalogError, Pending};
use crate::schema::{Body, entities};

/// Who sends invitations to the portal.
pub trait Invite: Send + Sync {
    /// Sends one to each address, which is sound and in lower case.
    fn invite(&self, emails: Vec<String>) -> Pending<'_, Result<Invited, InviteError>>;
}

/// What became of invitations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invited {
    pub sent: Vec<String>,
    /// Addresses, and why their mail was not sent.
    pub failed: Vec<(String, String)>,
    /// Whether mails are kept and not sent.
    pub smtp_mock: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("invitations are switched off")]
    Off,
    #[error("no SMTP server is set")]
    NoSmtp,
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<EngineError> for InviteError {
    fn from(error: EngineError) -> Self {
        Self::Catalog(error.into())
    }
}

impl Registration {
    /// With someone who sends invitations; without, they are refused.
    #[must_use]
    pub fn inviting(mut self, by: Arc<dyn Invite>) -> Self {
        self.invite = Some(by);
        self
    }

    /// Invites the `emails` of a body to register.
    ///
    /// # Errors
    /// All violations at once; [`InviteError::NoSmtp`] where no mail can be sent.
    pub async fn invite(&self, body: Body) -> Result<Invited, InviteError> {
        let catalog = &self.catalog;
        let schema = entities::invitation();
        let judged = catalog.registry.insert(&schema, body, &mut catalog.generator()).map_err(CatalogError::from)?;
        let invite = self.invite.as_ref().ok_or(InviteError::NoSmtp)?;
        let emails = judged.entity.get("emails").and_then(Value::as_array).into_iter().flatten();
        let mut emails: Vec<String> = emails.filter_map(|email| Some(email.as_str()?.trim().to_lowercase())).collect();
        emails.sort_unstable();
        emails.dedup();
        invite.invite(emails).await
    }
}
