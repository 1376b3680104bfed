//! What the catalog refuses, in terms a client understands.

use serde_json::{Map, Value};

use crate::engine::EngineError;
use crate::schema::Violations;
use crate::storage::StorageError;

/// The texts of `Display` name fields only: values may be secrets and stay out of logs.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("not found")]
    NotFound,
    #[error("{}", .0.message())]
    Violations(Violations),
    /// An entity without a key was asked for by something that is no UUID.
    #[error("id is not a UUID")]
    NoUuid,
    /// An id that is taken.
    #[error("primary key violation")]
    PrimaryKey { id: Value },
    /// `field` names an entity of `entity` that does not exist.
    #[error("field `{field}` names one of `{entity}` that does not exist")]
    ForeignKey { field: String, entity: String, key: Value },
    /// A reference by name that leads nowhere.
    #[error("field `{field}` names one of `{entity}` that does not exist")]
    Unresolved { field: String, entity: String, by: &'static str, value: String },
    #[error("rows of `{by}` reference this one of `{entity}`")]
    Referenced { by: String, entity: &'static str },
    /// Names and values that another entity has already.
    #[error("another entity has the same {}", .0.keys().cloned().collect::<Vec<_>>().join(", "))]
    Unique(Map<String, Value>),
    /// What is asked for goes against what there is.
    #[error("{0}")]
    Conflict(String),
    #[error("offset is not one of ours")]
    InvalidOffset(String),
    #[error("size is not between 1 and 1000")]
    InvalidSize,
    #[error("option `{option}`: {text}")]
    InvalidOption { option: String, text: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<StorageError> for CatalogError {
    fn from(error: StorageError) -> Self {
        Self::Engine(EngineError::Storage(error))
    }
}

impl From<Violations> for CatalogError {
    fn from(violations: Violations) -> Self {
        Self::Violations(violations)
    }
}
