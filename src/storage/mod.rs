//! The store: SQL and row mapping once, driven twice (PostgreSQL, SQLite).

mod error;
mod location;
mod page;
mod store;

pub use error::StorageError;
pub use location::{Location, PostgresOptions, Role, SqliteOptions};
pub use page::{AdminRole, AdminToken, AuditRecord, ListQuery, Lookup, Page, TagFilter, Tagged};
pub use store::{Migration, ResealCursor, Resealed, Store};
