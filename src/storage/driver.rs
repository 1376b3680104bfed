//! The two drivers behind one face.
//!
//! Everything else in this room speaks [`Statement`]s and [`Row`]s; only this file knows that there are two databases.
//! `tests/architecture.rs` counts the places where that matters.

use std::time::Duration;

use super::migrations::Source;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::value::{Row, Statement, Value};
use super::{Location, StorageError};

pub(super) enum Driver {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

/// Connections to the database, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// `postgres`, `sqlite_writer` or `sqlite_reader`.
    pub name: &'static str,
    pub most: usize,
    pub idle: usize,
    pub in_use: usize,
    /// Who waits for one.
    pub waiting: usize,
}

/// The few words that the two dialects spell differently.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    pub name: &'static str,
    /// A table function that gives the elements of a JSON array of texts in a column `value`.
    pub each: &'static str,
    /// An aggregate that makes a JSON array of texts.
    pub gather: &'static str,
    /// What makes a text compare byte by byte.
    pub bytewise: &'static str,
    /// At the end of a question: its rows are held until the end of the transaction. Where there is one writer, a
    /// transaction that writes holds everything.
    pub hold: &'static str,
    /// At the end of a question: rows that somebody holds are left out, the others are held. Where there is one writer,
    /// nobody else holds any.
    pub skip_locked: &'static str,
    /// Gives a row when the table of migrations is there.
    pub has_migrations: &'static str,
}

const POSTGRES: Dialect = Dialect {
    name: "postgres",
    each: "jsonb_array_elements_text",
    gather: "jsonb_agg",
    bytewise: " COLLATE \"C\"",
    hold: " FOR UPDATE",
    skip_locked: " FOR UPDATE SKIP LOCKED",
    has_migrations: "SELECT 1::BIGINT WHERE to_regclass('schema_migrations') IS NOT NULL",
};
const SQLITE: Dialect = Dialect {
    name: "sqlite",
    each: "json_each",
    gather: "json_group_array",
    bytewise: "",
    hold: "",
    skip_locked: "",
    has_migrations: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
};

/// How long a migration run waits for another one to end.
pub(super) const MIGRATION_WAIT: Duration = Duration::from_secs(60);

impl Driver {
    pub async fn open(location: Location) -> Result<(Self, Dialect), StorageError> {
        match location {
            Location::Postgres(options) => Ok((Self::Postgres(Postgres::open(&options)?), POSTGRES)),
            Location::Sqlite(options) => Ok((Self::Sqlite(Sqlite::open(options).await?), SQLITE)),
        }
    }

    /// How busy the connections are.
    pub fn pools(&self) -> Vec<PoolState> {
        match self {
            Self::Postgres(driver) => vec![driver.pool()],
            Self::Sqlite(driver) => driver.pools(),
        }
    }

    /// Finishes what is queued and lets go of the database.
    pub async fn close(&self) {
        match self {
            Self::Postgres(driver) => driver.close(),
            Self::Sqlite(driver) => driver.close().await,
        }
    }

    /// Runs statements that change nothing; they all see the same moment.
    pub async fn read(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, StorageError> {
        match self {
            Self::Postgres(driver) => driver.read(statements).await,
            Self::Sqlite(driver) => driver.read(statements).await,
        }
    }

    /// Runs all statements or none; they have happened, durably, when this returns.
    pub async fn write(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, StorageError> {
        match self {
            Self::Postgres(driver) => driver.write(statements).await,
            Self::Sqlite(driver) => driver.write(statements).await,
        }
    }

    /// Inserts token rows with one commit; a bad row fails alone.
    pub async fn insert_tokens(&self, rows: Vec<Vec<Value>>) -> Vec<Result<(), StorageError>> {
        match self {
            Self::Postgres(driver) => driver.insert_tokens(rows).await,
            Self::Sqlite(driver) => driver.insert_tokens(rows).await,
        }
    }

    /// Tables and columns that restrict deletes from `table`. PostgreSQL names the culprit itself.
    pub async fn restricting(&self, table: &'static str) -> Result<Vec<(String, String)>, StorageError> {
        match self {
            Self::Postgres(_) => Ok(Vec::new()),
            Self::Sqlite(driver) => driver.restricting(table).await,
        }
    }

    /// Prepares a statement without running it.
    pub async fn prepare(&self, sql: String) -> Result<(), StorageError> {
        match self {
            Self::Postgres(driver) => driver.prepare(&sql).await,
            Self::Sqlite(driver) => driver.prepare(sql).await,
        }
    }

    /// Applies what is missing of `sources`, alone: a second run at the same time waits and then finds nothing to do.
    pub async fn migrate(&self, sources: Vec<Source>, now: i64) -> Result<(), StorageError> {
        match self {
            Self::Postgres(driver) => driver.migrate(&sources, now).await,
            Self::Sqlite(driver) => driver.migrate(sources, now).await,
        }
    }
}
