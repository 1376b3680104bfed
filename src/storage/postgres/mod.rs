//! The PostgreSQL driver: a bounded pool of connections with prepared statements.
//!
//! **Invariants:** every wait is bounded (for a connection, for a statement, for an answer of a silent server); a
//! connection that did not answer in time is thrown away; a read that lost its connection is tried once more on a fresh
//! one, a write never is, since nobody knows whether it happened.
//!
//! **Absent on purpose:** SQL of the room, apart from the batch insert, which needs arrays.

mod batch;
mod bind;
mod connect;
mod errors;
mod migrate;
mod tls;

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::time::timeout;
use tokio_postgres::IsolationLevel;
use tokio_postgres::types::ToSql;

use super::migrations::{Applied, Source};
use super::value::{Row, Statement, Value};
use super::{PostgresOptions, StorageError};

pub(super) use batch::INSERT_TOKENS;
use errors::{failure, pool_failure};

type Outcome<T> = Result<T, StorageError>;

/// What a statement may take beyond the time the server gives it: the way there and back.
const GRACE: Duration = Duration::from_secs(2);

pub(super) struct Postgres {
    pool: Pool,
    limit: Duration,
}

/// An error, and whether the connection was gone rather than the statement wrong.
struct Failed {
    error: StorageError,
    lost: bool,
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        let lost = error.is_closed() || errors::is_io(&error) || errors::is_shutdown(&error);
        Self { error: failure(&error), lost }
    }
}

impl Postgres {
    /// Makes the pool. Nothing is connected yet: a database that is down now may come up later.
    pub fn open(options: &PostgresOptions) -> Outcome<Self> {
        let pool = connect::pool(options)?;
        Ok(Self { pool, limit: options.statement_timeout + GRACE })
    }

    pub fn close(&self) {
        self.pool.close();
    }

    async fn connection(&self) -> Outcome<Object> {
        self.pool.get().await.map_err(|error| pool_failure(&error))
    }

    /// Runs `work` on a connection within the limit.
    async fn within<T>(
        &self,
        mut connection: Object,
        work: impl AsyncFnOnce(&mut Object) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let silent = StorageError::Unavailable("the database did not answer in time".into());
        let unanswered = Err(Failed { error: silent, lost: false });
        let outcome = timeout(self.limit, work(&mut connection)).await;
        let answered = outcome.is_ok();
        let outcome = outcome.unwrap_or(unanswered);
        if !answered || matches!(outcome, Err(Failed { lost: true, .. })) {
            drop(Object::take(connection));
        }
        outcome
    }

    pub async fn read(&self, statements: Vec<Statement>) -> Outcome<Vec<Vec<Row>>> {
        match self.try_read(&statements).await {
            Err(Failed { lost: true, .. }) => self.try_read(&statements).await,
            first => first,
        }
        .map_err(|failed| failed.error)
    }

    async fn try_read(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Failed> {
        let connection = self.connection().await.map_err(|error| Failed { error, lost: false })?;
        let work = async |connection: &mut Object| {
            if let [statement] = statements {
                return Ok(vec![run(connection, statement).await?]);
            }
            let level = IsolationLevel::RepeatableRead;
            let transaction = connection.build_transaction().isolation_level(level).read_only(true).start().await?;
            let answers = run_all(&transaction, statements).await?;
            transaction.commit().await?;
            Ok(answers)
        };
        self.within(connection, work).await
    }

    pub async fn write(&self, statements: Vec<Statement>) -> Outcome<Vec<Vec<Row>>> {
        let connection = self.connection().await?;
        let work = async |connection: &mut Object| {
            if let [statement] = statements.as_slice() {
                return Ok(vec![run(connection, statement).await?]);
            }
            let transaction = connection.transaction().await?;
            let answers = run_all(&transaction, &statements).await?;
            transaction.commit().await?;
            Ok(answers)
        };
        self.within(connection, work).await.map_err(|failed| failed.error)
    }

    pub async fn insert_tokens(&self, rows: Vec<Vec<Value>>) -> Vec<Outcome<()>> {
        batch::insert_tokens(self, rows).await
    }

    pub async fn prepare(&self, sql: &str) -> Outcome<()> {
        self.connection().await?.prepare(sql).await.map(drop).map_err(|error| failure(&error))
    }

    pub async fn applied(&self) -> Outcome<Vec<Applied>> {
        let connection = self.connection().await?;
        migrate::applied(&connection).await
    }

    pub async fn migrate(&self, sources: &[Source], now: i64) -> Outcome<()> {
        // Its own connection, which takes the lock and the altered settings with it when it goes.
        let connection = Object::take(self.connection().await?);
        migrate::up(&connection, sources, now).await
    }
}

async fn run(connection: &Object, statement: &Statement) -> Result<Vec<Row>, Failed> {
    let prepared = connection.prepare_cached(statement.sql.text()).await?;
    let params: Vec<&(dyn ToSql + Sync)> = statement.params.iter().map(|value| value as _).collect();
    let rows = connection.query(&prepared, &params).await?;
    rows.iter().map(|row| bind::row(row).map_err(Failed::from)).collect()
}

async fn run_all(
    transaction: &deadpool_postgres::Transaction<'_>,
    statements: &[Statement],
) -> Result<Vec<Vec<Row>>, Failed> {
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        let prepared = transaction.prepare_cached(statement.sql.text()).await?;
        let params: Vec<&(dyn ToSql + Sync)> = statement.params.iter().map(|value| value as _).collect();
        let rows = transaction.query(&prepared, &params).await?;
        answers.push(rows.iter().map(bind::row).collect::<Result<_, _>>()?);
    }
    Ok(answers)
}
