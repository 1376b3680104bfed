//! Why a use case says no.

use crate::domain::DeveloperStatus;
use crate::engine::EngineError;
use crate::engine::catalog::CatalogError;
use crate::schema::Violations;
use crate::storage::StorageError;

#[derive(Clone, Debug, thiserror::Error)]
pub enum AccountError {
    /// Too many attempts; the next one may be made after so many seconds.
    #[error("too many attempts, try again in {seconds} s")]
    Locked { seconds: i64 },
    /// No such address, or another password: which, nobody is told.
    #[error("invalid credentials")]
    WrongCredentials,
    /// The right password of a developer who may not log in.
    #[error("the developer is {}", .0.word())]
    NotAdmitted(DeveloperStatus),
    /// Forged, used before, too old, or for something else.
    #[error("the token is not valid")]
    BadToken,
    #[error("the old password is not right")]
    OldPassword,
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<EngineError> for AccountError {
    fn from(error: EngineError) -> Self {
        Self::Catalog(error.into())
    }
}

impl From<StorageError> for AccountError {
    fn from(error: StorageError) -> Self {
        Self::Catalog(error.into())
    }
}

impl From<Violations> for AccountError {
    fn from(violations: Violations) -> Self {
        Self::Catalog(violations.into())
    }
}
