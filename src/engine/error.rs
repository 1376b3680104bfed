//! What can go wrong in a use case.

use actix::MailboxError;

use crate::actors::{HashError, IssueError, Unconfirmed};
use crate::oauth2::OAuthError;
use crate::storage::StorageError;

#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The protocol says no.
    #[error("{}", .0.description())]
    OAuth(OAuthError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A bounded queue is full, or its owner does not answer in time.
    #[error("too much is waiting already, try again later")]
    Overloaded,
    /// Stored, but some node may still go by what was before.
    #[error(transparent)]
    Unconfirmed(#[from] Unconfirmed),
    /// Nobody knows whether it happened.
    #[error("the change took too long and may or may not be stored; repeat it")]
    Overdue,
    #[error("{0}")]
    Failed(String),
}

impl EngineError {
    /// Whether trying again later may help (503 with Retry-After).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Overloaded | Self::Unconfirmed(_) | Self::Overdue => true,
            Self::Storage(error) => error.is_transient(),
            Self::OAuth(_) | Self::Failed(_) => false,
        }
    }
}

impl From<OAuthError> for EngineError {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<MailboxError> for EngineError {
    fn from(_: MailboxError) -> Self {
        Self::Overloaded
    }
}

impl From<IssueError> for EngineError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Full => Self::Overloaded,
            IssueError::Storage(StorageError::Unstorable { field }) => OAuthError::Unstorable(field).into(),
            // Deleted while the request was under way.
            IssueError::Storage(StorageError::ForeignKey { field, .. }) if field.starts_with("credential") => {
                OAuthError::InvalidClient { in_header: false }.into()
            }
            IssueError::Storage(StorageError::ForeignKey { .. }) => {
                Self::Storage(StorageError::Unavailable("what the token is for has just been deleted".to_owned()))
            }
            IssueError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<HashError> for EngineError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Full => Self::Overloaded,
            HashError::Failed(why) => Self::Failed(why),
        }
    }
}
