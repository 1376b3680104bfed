//! What can go wrong with a store.

use uuid::Uuid;

use crate::domain::KeyringError;

/// Every way a store refuses or fails. Texts hold names of tables and fields, never values.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StorageError {
    #[error("another row has the same {}", .fields.join(", "))]
    Unique { fields: Vec<String> },
    /// The row names something that does not exist. `table` is the row's own table.
    #[error("{table}.{field} names a row that does not exist")]
    ForeignKey { table: String, field: String },
    /// The row cannot go while rows of table `by` name it.
    #[error("rows of {by} still name this row")]
    Referenced { by: String },
    /// A text that one of the stores cannot hold: it has a NUL character, or is too long for an index. The first is
    /// refused by both, so that they stay alike; the second is what schemas bound.
    #[error("{field} holds a NUL character or is too long, and cannot be kept")]
    Unstorable { field: String },
    /// A filter on a field that the table does not have, or cannot be searched by.
    #[error("{table} cannot be filtered by {field}")]
    UnknownField { table: String, field: String },
    /// For now: the same call may succeed later without anyone changing anything but the surroundings.
    #[error("store is unavailable: {0}")]
    Unavailable(String),
    #[error("no space is left for the database; nothing was written")]
    Full,
    #[error("database is damaged: {0}")]
    Corrupt(String),
    #[error("database has schema version {found}, this program knows {known}: run a newer tollgate")]
    NewerSchema { found: i64, known: i64 },
    #[error("database has schema version {found}, this program needs {known}: run `tollgate migrate up`")]
    OldSchema { found: i64, known: i64 },
    #[error("migration {version} was applied with other contents than this program's")]
    MigrationChanged { version: i64 },
    /// Columns that contradict each other or the schema.
    #[error("row {id} of {table} is inconsistent: {reason}")]
    Inconsistent { table: &'static str, id: Uuid, reason: String },
    #[error(transparent)]
    Sealed(#[from] KeyringError),
    #[error("store failed: {0}")]
    Other(String),
}

impl StorageError {
    /// Whether to answer "try again later" (503 with Retry-After) and not "something is broken".
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full)
    }
}
