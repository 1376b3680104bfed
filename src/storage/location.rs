//! Where a store is, and how it is opened.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::Secret;

use super::StorageError;

/// Who opens a database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The gateway: keeps every other gateway off the same file for as long as it lives.
    Gateway,
    /// A command that may run beside a gateway.
    Tool,
}

#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// `None`: in memory, gone with the store.
    pub path: Option<PathBuf>,
    pub role: Role,
    /// A bound on the size of the file, in pages of 4 KiB; a full store refuses writes and keeps reading.
    pub max_pages: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// `postgres://user:password@host/database?sslmode=verify-full&sslrootcert=/path`
    pub url: Secret,
    /// Most connections at once.
    pub pool: usize,
    /// Longest wait for a connection to be made, or to come free.
    pub connect_timeout: Duration,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
}

#[derive(Clone, Debug)]
pub enum Location {
    Sqlite(SqliteOptions),
    Postgres(PostgresOptions),
}

impl Location {
    /// Reads a database URL: `postgres://…`, `postgresql://…`, `sqlite:PATH` or `sqlite::memory:`.
    ///
    /// # Errors
    /// Any other scheme, or no path.
    pub fn parse(url: &str, role: Role) -> Result<Self, StorageError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(PostgresOptions::new(url)));
        }
        match url.strip_prefix("sqlite:") {
            Some(":memory:") => Ok(Self::Sqlite(SqliteOptions { path: None, role, max_pages: None })),
            Some(path) if !path.is_empty() => {
                let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
                Ok(Self::Sqlite(SqliteOptions { path: Some(path), role, max_pages: None }))
            }
            _ => Err(StorageError::Other("database.url begins with neither `postgres://` nor `sqlite:`".into())),
        }
    }

    pub fn memory() -> Self {
        Self::Sqlite(SqliteOptions { path: None, role: Role::Gateway, max_pages: None })
    }
}

impl PostgresOptions {
    pub fn new(url: &str) -> Self {
        Self {
            url: Secret::new(url),
            pool: 16,
            connect_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
        }
    }
}
