//! Migrations on PostgreSQL: under an advisory lock, each file in a transaction of its own.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use crate::domain::Timestamp;
use crate::storage::StorageError;
use crate::storage::driver::MIGRATION_WAIT;
use crate::storage::migrations::{APPLIED, Applied, RECORD, Source, TABLE, missing};

use super::errors::failure;

/// Our half of the lock's name; the other half is the database schema, so that two gateways may share a database.
const LOCK: &str = "SELECT pg_try_advisory_lock(1953459052, hashtext(current_schema()))";
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn applied(client: &Client) -> Result<Vec<Applied>, StorageError> {
    let exists = "SELECT to_regclass('schema_migrations') IS NOT NULL";
    let exists = client.query_one(exists, &[]).await.and_then(|row| row.try_get::<_, bool>(0));
    if !exists.map_err(|error| failure(&error))? {
        return Ok(Vec::new());
    }
    let rows = client.query(APPLIED, &[]).await.map_err(|error| failure(&error))?;
    let read = |row: &tokio_postgres::Row| {
        let applied_at = Timestamp::from_millis(row.try_get(2)?);
        Ok(Applied { version: row.try_get(0)?, checksum: row.try_get(1)?, applied_at })
    };
    rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| failure(&error))
}

/// Runs on a connection of its own; the lock goes with it.
pub(super) async fn up(client: &Client, sources: &[Source], now: i64) -> Result<(), StorageError> {
    run(client, "SET statement_timeout = 0").await?;
    run(client, "SET lock_timeout = '10s'").await?;
    lock(client).await?;
    run(client, TABLE).await?;
    for source in missing(sources, &applied(client).await?)? {
        let version = source.version;
        let checksum = source.checksum();
        if source.sql.starts_with("-- no-transaction") {
            for statement in source.sql.split(";\n").filter(|statement| !statement.trim().is_empty()) {
                run(client, statement).await?;
            }
        } else {
            run(client, "BEGIN").await?;
            run(client, source.sql).await?;
        }
        let recorded = client.execute(RECORD, &[&version, &source.name, &checksum, &now]).await;
        recorded.map_err(|error| failure(&error))?;
        // Ends the transaction; outside of one it only earns a warning.
        run(client, "COMMIT").await?;
    }
    Ok(())
}

async fn lock(client: &Client) -> Result<(), StorageError> {
    let deadline = Instant::now() + MIGRATION_WAIT;
    loop {
        let taken = client.query_one(LOCK, &[]).await.and_then(|row| row.try_get::<_, bool>(0));
        if taken.map_err(|error| failure(&error))? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(StorageError::Unavailable("another migration run holds the lock".into()));
        }
        sleep(PAUSE).await;
    }
}

async fn run(client: &Client, sql: &str) -> Result<(), StorageError> {
    client.batch_execute(sql).await.map_err(|error| failure(&error))
}
