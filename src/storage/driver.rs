//! The two drivers behind one face.
//!
//! Everything else in this room speaks [`Statement`]s and [`Row`]s; only this file knows that there are two databases,
//! apart from the few places that a test counts.

use std::time::Duration;

use super::migrations::{Applied, Source};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::value::{Row, Statement, Value};
use super::{Location, StorageError};

pub(super) enum Driver {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

/// The few words that the two dialects spell differently.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    pub name: &'static str,
    /// A table function that gives the elements of a JSON array of texts in a column `value`.
    pub each: &'static str,
}

/// How long a migration run waits for another one to end.
pub(super) const MIGRATION_WAIT: Duration = Duration::from_secs(60);

impl Driver {
    pub async fn open(location: Location) -> Result<Self, StorageError> {
        match location {
            Location::Postgres(options) => Postgres::open(&options).map(Self::Postgres),
            Location::Sqlite(options) => Sqlite::open(options).await.map(Self::Sqlite),
        }
    }

    /// Finishes what is queued and lets go of the database.
    pub async fn close(&self) {
        match self {
            Self::Postgres(driver) => driver.close(),
            Self::Sqlite(driver) => driver.close().await,
        }
    }

    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect { each: "jsonb_array_elements_text", name: "postgres" },
            Self::Sqlite(_) => Dialect { each: "json_each", name: "sqlite" },
        }
    }

    /// Runs a statement that changes nothing.
    pub async fn read(&self, statement: Statement) -> Result<Vec<Row>, StorageError> {
        match self {
            Self::Postgres(driver) => driver.read(statement).await,
            Self::Sqlite(driver) => driver.read(vec![statement]).await.map(first),
        }
    }

    /// Runs reads that all see the same moment.
    pub async fn snapshot(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, StorageError> {
        match self {
            Self::Postgres(driver) => driver.snapshot(statements).await,
            Self::Sqlite(driver) => driver.read(statements).await,
        }
    }

    /// Runs one statement that writes; it has happened, durably, when this returns.
    pub async fn write(&self, statement: Statement) -> Result<Vec<Row>, StorageError> {
        match self {
            Self::Postgres(driver) => driver.write(statement).await,
            Self::Sqlite(driver) => driver.write(vec![statement]).await.map(first),
        }
    }

    /// Runs all statements or none.
    pub async fn transaction(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, StorageError> {
        match self {
            Self::Postgres(driver) => driver.transaction(statements).await,
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

    /// What the table of migrations says; empty when there is none.
    pub async fn applied(&self) -> Result<Vec<Applied>, StorageError> {
        match self {
            Self::Postgres(driver) => driver.applied().await,
            Self::Sqlite(driver) => driver.applied().await,
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

fn first(mut answers: Vec<Vec<Row>>) -> Vec<Row> {
    answers.swap_remove(0)
}
