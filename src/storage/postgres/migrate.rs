//! Migrations on PostgreSQL: under an advisory lock, each file in a transaction of its own.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::domain::Timestamp;
use crate::storage::StorageError;
use crate::storage::driver::MIGRATION_WAIT;
use crate::storage::migrations::{
    APPLIED, Applied, READERS, RECORD, Source, TABLE, known, missing, newer, note_readers,
};

use super::errors::failure;
use super::session::Session;

/// Our half of the lock's name; the other half is the database schema, so that two gateways may share a database. A lock
/// of the transaction and a lock of the session keep each other off.
const LOCK: &str = "SELECT pg_try_advisory_xact_lock(1953459052, hashtext(current_schema()))";
const LOCK_SESSION: &str = "SELECT pg_try_advisory_lock(1953459052, hashtext(current_schema()))";
const UNLOCK_SESSION: &str = "SELECT pg_advisory_unlock(1953459052, hashtext(current_schema()))";
const PAUSE: Duration = Duration::from_millis(100);

type Outcome<T> = Result<T, StorageError>;

/// What became of one step of a run.
enum Step {
    /// Nothing is missing.
    Done,
    /// One more file has been applied.
    Applied,
    /// Another run is under way.
    Busy,
    /// The next file must run outside of a transaction.
    Outside(Source),
}

/// Runs on a connection of its own; what it leaves behind there goes with it.
pub(super) async fn up(session: &Session, sources: &[Source], now: i64) -> Outcome<()> {
    let client = &session.client;
    let mut deadline = Instant::now() + MIGRATION_WAIT;
    loop {
        match step(client, sources, now).await? {
            Step::Done => return Ok(()),
            Step::Applied => deadline = Instant::now() + MIGRATION_WAIT,
            Step::Busy if Instant::now() >= deadline => {
                return Err(StorageError::Unavailable("another migration run holds the lock".into()));
            }
            Step::Busy => sleep(PAUSE).await,
            Step::Outside(source) if session.has_pooler() => {
                return Err(StorageError::Other(format!(
                    "migration {} does not pass PgBouncer: run `tollgate migrate up` once with a database.url that names \
                     PostgreSQL itself, without pgbouncer=true",
                    source.name
                )));
            }
            Step::Outside(source) => outside(client, sources, &source, now).await?,
        }
    }
}

/// Applies the first file that is missing, in one transaction with the lock.
async fn step(client: &Client, sources: &[Source], now: i64) -> Outcome<Step> {
    run(client, "BEGIN").await?;
    let taken = within(client, sources, now).await;
    // After a failure there may be no connection left to say this on.
    let ended = run(client, if matches!(taken, Ok(Step::Applied | Step::Done)) { "COMMIT" } else { "ROLLBACK" }).await;
    let taken = taken?;
    ended.map(|()| taken)
}

async fn within(client: &Client, sources: &[Source], now: i64) -> Outcome<Step> {
    run(client, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'").await?;
    if !is_true(client, LOCK).await? {
        return Ok(Step::Busy);
    }
    run(client, TABLE).await?;
    let Some(source) = next(client, sources).await? else { return Ok(Step::Done) };
    if source.sql.starts_with("-- no-transaction") {
        return Ok(Step::Outside(source));
    }
    run(client, source.sql).await?;
    record(client, &source, now).await?;
    Ok(Step::Applied)
}

/// Applies a file statement by statement, under a lock of the session. The table of migrations may not be there yet.
async fn outside(client: &Client, sources: &[Source], source: &Source, now: i64) -> Outcome<()> {
    if !is_true(client, LOCK_SESSION).await? {
        sleep(PAUSE).await;
        return Ok(());
    }
    run(client, "SET statement_timeout = 0").await?;
    run(client, "SET lock_timeout = '10s'").await?;
    run(client, TABLE).await?;
    if next(client, sources).await?.is_some_and(|next| next.version == source.version) {
        for statement in source.sql.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            run(client, statement).await?;
        }
        record(client, source, now).await?;
    }
    is_true(client, UNLOCK_SESSION).await.map(drop)
}

async fn next(client: &Client, sources: &[Source]) -> Outcome<Option<Source>> {
    let rows = query(client, APPLIED, &[]).await?;
    let read = |row: &Row| {
        let applied_at = Timestamp::from_millis(row.try_get(2)?);
        Ok(Applied { version: row.try_get(0)?, checksum: row.try_get(1)?, applied_at, oldest_reader: None })
    };
    let applied: Result<Vec<Applied>, _> = rows.iter().map(read).collect();
    let mut applied = applied.map_err(|error| failure(&error))?;
    if newer(&applied, known()).is_some() {
        let rows = query(client, READERS, &[(&known(), Type::INT8)]).await?;
        let readers: Result<Vec<_>, _> = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
        note_readers(&mut applied, &readers.map_err(|error| failure(&error))?);
    }
    Ok(missing(sources, &applied)?.first().copied())
}

async fn record(client: &Client, source: &Source, now: i64) -> Outcome<()> {
    let checksum = source.checksum();
    let params: [(&(dyn ToSql + Sync), Type); 4] =
        [(&source.version, Type::INT8), (&source.name, Type::TEXT), (&checksum, Type::TEXT), (&now, Type::INT8)];
    query(client, RECORD, &params).await.map(drop)
}

async fn is_true(client: &Client, sql: &str) -> Outcome<bool> {
    let rows = query(client, sql, &[]).await?;
    rows.first().map_or(Ok(false), |row| row.try_get(0)).map_err(|error| failure(&error))
}

async fn query(client: &Client, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Outcome<Vec<Row>> {
    client.query_typed(sql, params).await.map_err(|error| failure(&error))
}

async fn run(client: &Client, sql: &str) -> Outcome<()> {
    client.batch_execute(sql).await.map_err(|error| failure(&error))
}
