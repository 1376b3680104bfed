//! The SQLite driver: one thread that writes, two that read, fed by bounded queues.
//!
//! **Invariants:** a write has reached the disk when it is answered (`synchronous=FULL`); one gateway per file, kept by
//! a lock that the operating system releases when the process dies; a caller waits for a bounded time, for a place in the
//! queue and for the answer; a job whose caller has gone is not begun.
//!
//! **Absent on purpose:** SQL (it comes from the rest of the room), blocking calls on the caller's thread.

mod bind;
mod errors;
mod lane;
mod migrate;
mod open;
mod run;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::driver::PoolState;
use super::migrations::Source;
use super::value::{Row, Statement, Value};
use super::{SqliteOptions, StorageError};

use lane::Lane;

/// Reading threads of a store on disk.
const READERS: usize = 2;

pub(super) struct Sqlite {
    writer: Lane,
    /// Empty for a store in memory, which has a single connection.
    readers: Vec<Lane>,
    turn: AtomicUsize,
}

impl Sqlite {
    pub async fn open(options: SqliteOptions) -> Result<Self, StorageError> {
        let in_memory = options.path.is_none();
        let writer = Lane::start("sqlite-writer", open::writer(&options)).await?;
        let mut readers = Vec::new();
        if !in_memory {
            for _ in 0..READERS {
                readers.push(Lane::start("sqlite-reader", open::reader(&options)).await?);
            }
        }
        Ok(Self { writer, readers, turn: AtomicUsize::new(0) })
    }

    /// Ends the threads and gives up the file, once what is queued has run.
    pub async fn close(&self) {
        for reader in &self.readers {
            reader.stop().await;
        }
        self.writer.stop().await;
    }

    pub fn pools(&self) -> Vec<PoolState> {
        let readers: &[Lane] = &self.readers;
        let kinds = [("sqlite_writer", std::slice::from_ref(&self.writer)), ("sqlite_reader", readers)];
        let state = |(name, lanes): (&'static str, &[Lane])| {
            let in_use = lanes.iter().filter(|lane| lane.is_busy()).count();
            let waiting = lanes.iter().map(Lane::waiting).sum();
            PoolState { name, most: lanes.len(), idle: lanes.len() - in_use, in_use, waiting }
        };
        kinds.into_iter().map(state).collect()
    }

    fn reader(&self) -> &Lane {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let next = self.readers.get(turn % READERS).unwrap_or(&self.writer);
        let other = self.readers.get((turn + 1) % READERS).unwrap_or(&self.writer);
        if other.room() > next.room() { other } else { next }
    }

    /// Runs reads at one moment.
    pub async fn read(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, StorageError> {
        self.reader().run(move |connection| run::reads(connection, &statements)).await
    }

    /// Runs all statements, or none.
    pub async fn write(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, StorageError> {
        self.writer.run(move |connection| run::writes(connection, &statements)).await
    }

    pub async fn insert_tokens(&self, rows: Vec<Vec<Value>>) -> Vec<Result<(), StorageError>> {
        let wanted = rows.len();
        match self.writer.run(move |connection| run::insert_tokens(connection, &rows)).await {
            Ok(outcomes) => outcomes,
            Err(error) => vec![Err(error); wanted],
        }
    }

    /// Tables whose rows must go before a row of `table` can, each with the column that names it.
    pub async fn restricting(&self, table: &'static str) -> Result<Vec<(String, String)>, StorageError> {
        self.writer.run(move |connection| run::restricting(connection, table)).await
    }

    pub async fn prepare(&self, sql: String) -> Result<(), StorageError> {
        self.writer.run(move |connection| run::prepare(connection, &sql)).await
    }

    pub async fn migrate(&self, sources: Vec<Source>, now: i64) -> Result<(), StorageError> {
        self.writer.run_long(move |connection| migrate::up(connection, &sources, now)).await
    }
}
