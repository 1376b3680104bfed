//! A store for each test: SQLite in memory, SQLite on disk, PostgreSQL in a schema of its own.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::NoTls;
use tollgate::domain::{Clock, Keyring, Timestamp};
use tollgate::schema::{Schema, entities};
use tollgate::storage::{Location, PostgresOptions, Role, SqliteOptions, Store};
use uuid::Uuid;

use crate::servers::{PgBouncer, Pooling};

/// Where every test begins.
pub const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

pub struct Bench {
    pub store: Store,
    pub clock: Clock,
    schemas: Vec<Schema>,
    place: Place,
}

pub enum Place {
    Memory,
    Disk(Folder),
    /// `through`: the URL that the store takes instead, when it goes through a pooler.
    Postgres {
        url: String,
        schema: String,
        through: Option<String>,
    },
}

/// A folder that goes with its test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tollgate-test-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("gate.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Runs one asynchronous case.
pub fn run(case: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case);
}

pub fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::new([1; 32], [2; 32]))
}

pub fn disk(path: &Path, role: Role) -> Location {
    Location::Sqlite(SqliteOptions { path: Some(path.to_owned()), role, max_pages: None })
}

pub async fn open(location: Location) -> Store {
    Store::open(location, keyring(), Clock::fixed(START)).await.unwrap()
}

/// The server of the PostgreSQL half.
pub fn postgres_url() -> String {
    std::env::var("TOLLGATE_TEST_POSTGRES").expect(
        "set TOLLGATE_TEST_POSTGRES to the URL of a PostgreSQL server for tests (postgres://user@host:port/database), \
         or run tests/run, which starts one",
    )
}

/// Runs SQL outside of the store.
pub async fn sql(url: &str, text: &str) -> Vec<Vec<String>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(text).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let rows = messages.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| (0..row.len()).map(|place| row.get(place).unwrap_or("NULL").to_owned()).collect()).collect()
}

/// A PostgreSQL schema of its own, and the URL that leads into it.
pub async fn postgres_place() -> Place {
    place_in(&format!("t_{}", Uuid::new_v4().simple()), None).await
}

async fn place_in(schema: &str, through: Option<String>) -> Place {
    let base = postgres_url();
    sql(&base, &format!("CREATE SCHEMA {schema}")).await;
    let joint = if base.contains('?') { '&' } else { '?' };
    Place::Postgres { url: format!("{base}{joint}options=-csearch_path%3D{schema}"), schema: schema.into(), through }
}

/// A PgBouncer in transaction mode, whose databases are schemas of the one server.
pub struct Pooled {
    pgbouncer: PgBouncer,
    name: String,
    made: AtomicUsize,
}

/// Places of one [`Pooled`].
const PLACES: usize = 40;

impl Pooled {
    pub async fn start() -> Self {
        let name = format!("t_{}", Uuid::new_v4().simple());
        let (host, database) = postgres_url().rsplit_once('@').unwrap().1.split_once('/').map(owned).unwrap();
        let (host, port) = host.split_once(':').unwrap();
        let place = |number: usize| {
            let schema = format!("{name}_{number}");
            let searched = format!("SET search_path TO {schema}");
            format!("{schema} = host={host} port={port} dbname={database} connect_query='{searched}'\n")
        };
        let databases: String = (0..PLACES).map(place).collect();
        let pgbouncer = PgBouncer::with_databases(&databases, Pooling::Transaction, "").await;
        Self { pgbouncer, name, made: AtomicUsize::new(0) }
    }

    pub async fn bench(&self) -> Bench {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        assert!(number < PLACES, "more places are needed");
        let schema = format!("{}_{number}", self.name);
        let through = self.pgbouncer.url(&schema, "pgbouncer=true");
        Bench::at(place_in(&schema, Some(through)).await).await
    }
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

impl Place {
    pub fn location(&self) -> Location {
        match self {
            Self::Memory => Location::memory(),
            Self::Disk(folder) => disk(&folder.file(), Role::Tool),
            Self::Postgres { url, through, .. } => {
                let url = through.as_ref().unwrap_or(url);
                Location::Postgres(PostgresOptions { pool: 4, ..PostgresOptions::new(url) })
            }
        }
    }

    pub async fn clear(self) {
        if let Self::Postgres { schema, .. } = self {
            sql(&postgres_url(), &format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

impl Bench {
    pub async fn at(place: Place) -> Self {
        let clock = Clock::fixed(START);
        let store = Store::open(place.location(), keyring(), clock.clone()).await.unwrap();
        store.migrate_up().await.unwrap();
        Self { store, clock, schemas: entities::all(), place }
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn schema(&self, name: &str) -> &Schema {
        self.schemas.iter().find(|schema| schema.name == name).unwrap()
    }

    pub fn schemas(&self) -> Vec<&Schema> {
        self.schemas.iter().collect()
    }

    /// Everything the database holds, as bytes or text, to look for what must not be there.
    pub async fn raw(&self) -> Option<Vec<u8>> {
        match &self.place {
            Place::Memory => None,
            Place::Disk(folder) => {
                let files = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path());
                Some(files.flat_map(|path| std::fs::read(path).unwrap()).collect())
            }
            Place::Postgres { url, .. } => {
                let mut text = String::new();
                for schema in &self.schemas {
                    let rows = sql(url, &format!("SELECT t::text FROM {} AS t", schema.name)).await;
                    text.extend(rows.into_iter().flatten());
                }
                Some(text.into_bytes())
            }
        }
    }

    pub async fn finish(self) {
        self.store.close().await;
        self.place.clear().await;
    }
}

/// Gives every case to every backend.
#[macro_export]
macro_rules! conformance {
    ($($case:ident),* $(,)?) => {
        mod in_memory {
            $(#[test] fn $case() { $crate::bench::run(async {
                let bench = $crate::bench::Bench::at($crate::bench::Place::Memory).await;
                super::$case(&bench).await;
                bench.finish().await;
            }) })*
        }
        mod on_disk {
            $(#[test] fn $case() { $crate::bench::run(async {
                let place = $crate::bench::Place::Disk($crate::bench::Folder::new());
                let bench = $crate::bench::Bench::at(place).await;
                super::$case(&bench).await;
                bench.finish().await;
            }) })*
        }
        mod on_postgres {
            $(#[test] fn $case() { $crate::bench::run(async {
                let bench = $crate::bench::Bench::at($crate::bench::postgres_place().await).await;
                super::$case(&bench).await;
                bench.finish().await;
            }) })*
        }
        /// All of them on one PgBouncer, whose server sessions are shared from transaction to transaction.
        mod through_pgbouncer {
            #[test] fn every_case() { $crate::bench::run(async {
                let pooled = $crate::bench::Pooled::start().await;
                $({
                    println!("{}", stringify!($case));
                    let bench = pooled.bench().await;
                    Box::pin(super::$case(&bench)).await;
                    bench.finish().await;
                })*
            }) }
        }
    };
}
