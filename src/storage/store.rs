//! The store itself: opening, closing, schema versions.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use arc_swap::ArcSwap;

use crate::domain::{Clock, Keyring, Timestamp};
use crate::schema::Schema;

use super::driver::{Dialect, Driver, PoolState};
use super::migrations::Applied;
use super::table::Table;
use super::value::{Row, Sql, Statement, Value};
use super::{Location, StorageError, migrations, statements};

pub(super) type Outcome<T> = Result<T, StorageError>;

/// The one way to the database. Clones share connections and keys.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    driver: Driver,
    dialect: Dialect,
    keyring: ArcSwap<Keyring>,
    clock: Clock,
    /// Statements of each schema, made at first use.
    tables: RwLock<HashMap<&'static str, Arc<Table>>>,
}

/// One version of the database schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    pub version: i64,
    pub name: String,
    /// `None`: not applied yet.
    pub applied_at: Option<Timestamp>,
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Store({})", self.kind())
    }
}

impl Store {
    /// Opens a store; its schema is neither checked nor changed. A PostgreSQL server may still be down.
    ///
    /// # Errors
    /// A file that is damaged, foreign, locked by another gateway, or cannot be written; an unusable URL.
    pub async fn open(location: Location, keyring: Arc<Keyring>, clock: Clock) -> Outcome<Self> {
        let (driver, dialect) = Driver::open(location).await?;
        let keyring = ArcSwap::new(keyring);
        Ok(Self { inner: Arc::new(Inner { driver, dialect, keyring, clock, tables: RwLock::default() }) })
    }

    /// Finishes what is queued and lets go of the database. Calls after it fail as unavailable.
    pub async fn close(&self) {
        self.inner.driver.close().await;
    }

    /// How busy the connections to the database are.
    pub fn pools(&self) -> Vec<PoolState> {
        self.inner.driver.pools()
    }

    /// `postgres` or `sqlite`.
    pub fn kind(&self) -> &'static str {
        self.inner.dialect.name
    }

    pub fn keyring(&self) -> Arc<Keyring> {
        self.inner.keyring.load_full()
    }

    /// Seals with another keyring from now on; it must still hold the keys of what was sealed before.
    pub fn replace_keyring(&self, keyring: Arc<Keyring>) {
        self.inner.keyring.store(keyring);
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Outcome<()> {
        self.read(PING, Vec::new()).await.map(drop)
    }

    /// What the table of migrations says; empty when there is none.
    async fn applied(&self) -> Outcome<Vec<Applied>> {
        if self.read(self.dialect().has_migrations, Vec::new()).await?.is_empty() {
            return Ok(Vec::new());
        }
        let row = |row: Row| {
            let mut columns = row.read("schema_migrations");
            let (version, checksum) = (columns.int()?, columns.text()?);
            let applied_at = Timestamp::from_millis(columns.int()?);
            Ok(Applied { version, checksum, applied_at, oldest_reader: None })
        };
        let rows = self.read(migrations::APPLIED, Vec::new()).await?;
        let mut applied = rows.into_iter().map(row).collect::<Outcome<Vec<Applied>>>()?;
        if migrations::newer(&applied, migrations::known()).is_some() {
            let reader = |row: Row| {
                let mut columns = row.read("schema_readers");
                Ok((columns.int()?, columns.int()?))
            };
            let rows = self.read(migrations::READERS, vec![migrations::known().into()]).await?;
            migrations::note_readers(&mut applied, &rows.into_iter().map(reader).collect::<Outcome<Vec<_>>>()?);
        }
        Ok(applied)
    }

    /// Applies every migration that is missing and gives the state after it.
    pub async fn migrate_up(&self) -> Outcome<Vec<Migration>> {
        let sources = migrations::sources(self.kind());
        self.inner.driver.migrate(sources.to_vec(), self.now().millis()).await?;
        self.migrate_status().await
    }

    pub async fn migrate_status(&self) -> Outcome<Vec<Migration>> {
        let applied = self.applied().await?;
        migrations::missing(migrations::sources(self.kind()), &applied)?;
        Ok(migrations::status(migrations::sources(self.kind()), &applied))
    }

    /// Whether this program may work on the database: it has the schema this program knows, or a newer one (which is given)
    /// that says it may.
    pub async fn check_schema(&self) -> Outcome<Option<i64>> {
        let applied = self.applied().await?;
        let missing = migrations::missing(migrations::sources(self.kind()), &applied)?;
        if missing.is_empty() {
            return Ok(migrations::newer(&applied, migrations::known()));
        }
        let found = applied.last().map_or(0, |row| row.version);
        Err(StorageError::OldSchema { found, known: migrations::known() })
    }

    /// Prepares every statement of this room, and those generated for `schemas`, without running them.
    ///
    /// # Errors
    /// The first statement that the database does not take.
    pub async fn check_statements(&self, schemas: &[&Schema]) -> Outcome<usize> {
        let every = statements::every(self, schemas)?;
        for sql in &every {
            self.inner.driver.prepare(sql.clone()).await.map_err(|error| {
                let begin: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect();
                StorageError::Other(format!("{error} in: {begin}"))
            })?;
        }
        Ok(every.len())
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.inner.driver
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(super) async fn read(&self, sql: impl Into<Sql>, params: Vec<Value>) -> Outcome<Vec<Row>> {
        self.inner.driver.read(vec![Statement::new(sql, params)]).await.map(only)
    }

    pub(super) async fn write(&self, sql: impl Into<Sql>, params: Vec<Value>) -> Outcome<Vec<Row>> {
        self.inner.driver.write(vec![Statement::new(sql, params)]).await.map(only)
    }

    /// The statements of a schema. A schema is known by its name: two of one name are the same.
    pub(super) fn table(&self, schema: &Schema) -> Arc<Table> {
        let known = self.inner.tables.read().expect("no holder of this lock panics");
        if let Some(table) = known.get(schema.name) {
            return Arc::clone(table);
        }
        drop(known);
        let table = Arc::new(Table::new(schema));
        let mut known = self.inner.tables.write().expect("no holder of this lock panics");
        Arc::clone(known.entry(schema.name).or_insert(table))
    }
}

/// The answer to the only statement.
fn only(mut answers: Vec<Vec<Row>>) -> Vec<Row> {
    answers.pop().unwrap_or_default()
}

pub(super) const PING: &str = "SELECT 1";
