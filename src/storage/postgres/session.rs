//! One connection: its prepared statements, and how statements run on it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{ClientWrapper, StatementCache};
use futures_util::future::join;
use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, IsolationLevel, SimpleQueryMessage, Transaction};

use crate::storage::StorageError;
use crate::storage::value::{Row, Statement};

use super::bind;
use super::errors::{failure, is_lost};
use super::server::{self, Server};

/// Prepared statements that one session keeps. The program has fewer; what generates them is not trusted with that.
const MOST_PREPARED: usize = 1000;

/// Whether statements may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// They change nothing, and see one moment.
    Read,
    Write,
}

/// A statement on its way: a parameter of `Type::UNKNOWN` is of the type that the server takes it for.
pub(super) struct Call<'a> {
    pub sql: &'a str,
    pub params: Vec<(&'a (dyn ToSql + Sync), Type)>,
}

/// An error, and whether the connection was gone rather than the statement wrong.
pub(super) struct Failed {
    pub error: StorageError,
    pub is_lost: bool,
}

pub(super) struct Session {
    /// Ends its connection when it is dropped.
    pub client: ClientWrapper,
    /// A pooler stands between us and the server, which may be another with every transaction: nothing is prepared.
    has_pooler: bool,
    /// Longest run of one statement.
    statement_timeout: Duration,
    /// Whom we speak to, where the server tells.
    pub server: Option<Server>,
    /// When the server last answered.
    pub heard: Instant,
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self { is_lost: is_lost(&error), error: failure(&error) }
    }
}

impl From<StorageError> for Failed {
    fn from(error: StorageError) -> Self {
        Self { error, is_lost: false }
    }
}

impl<'a> From<&'a Statement> for Call<'a> {
    fn from(statement: &'a Statement) -> Self {
        let params = statement.params.iter().map(|value| (value as _, Type::UNKNOWN)).collect();
        Self { sql: statement.sql.text(), params }
    }
}

impl Session {
    pub fn new(client: Client, task: JoinHandle<()>, has_pooler: bool, statement_timeout: Duration) -> Self {
        let client = ClientWrapper::new(client, task);
        Self { client, has_pooler, statement_timeout, server: None, heard: Instant::now() }
    }

    pub fn has_pooler(&self) -> bool {
        self.has_pooler
    }

    /// Runs all calls, or none; one alone needs no transaction.
    pub async fn run(&mut self, access: Access, calls: &[Call<'_>]) -> Result<Vec<Vec<Row>>, Failed> {
        let guard = self.has_pooler.then_some(self.statement_timeout);
        let prepared = (!self.has_pooler).then(|| Arc::clone(&self.client.statement_cache));
        let (client, prepared) = (&mut self.client, prepared.as_deref());
        if let ([call], None) = (calls, guard) {
            return Ok(vec![one(client, prepared, call).await?]);
        }
        let builder = client.build_transaction();
        let transaction = match access {
            Access::Read => builder.isolation_level(IsolationLevel::RepeatableRead).read_only(true),
            Access::Write => builder.isolation_level(IsolationLevel::ReadCommitted),
        };
        let transaction = transaction.start().await?;
        let answers = match guard {
            None => all(transaction.client(), prepared, calls).await?,
            Some(limit) => {
                // On the way together: the guard costs no round trip.
                let client = transaction.client();
                let (guarded, answers) = join(guarded(client, limit), all(client, prepared, calls)).await;
                guarded?;
                answers?
            }
        };
        transaction.commit().await?;
        Ok(answers)
    }

    /// Asks whether the server prepares this statement, and takes its parameters as we send them.
    pub async fn check(&mut self, sql: &str) -> Result<(), Failed> {
        let transaction = self.client.transaction().await?;
        let checked = checked(&transaction, sql).await;
        transaction.rollback().await?;
        checked
    }
}

async fn checked(transaction: &Transaction<'_>, sql: &str) -> Result<(), Failed> {
    let statement = transaction.prepare(sql).await?;
    match statement.params().iter().find(|kind| !bind::is_sent(kind)) {
        None => Ok(()),
        Some(kind) => Err(StorageError::Other(format!("a parameter is of type {kind}, which is never sent")).into()),
    }
}

/// What a session of our own has from its beginning, a shared one gets with each transaction. And it may lead to another
/// server than before.
async fn guarded(client: &Client, limit: Duration) -> Result<(), Failed> {
    let text = format!("SET LOCAL statement_timeout = {}; SELECT pg_is_in_recovery()", limit.as_millis());
    let answers = client.simple_query(&text).await?;
    let is_standby =
        answers.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")));
    if is_standby {
        let error = StorageError::Unavailable(server::STANDBY.to_owned());
        return Err(Failed { error, is_lost: true });
    }
    Ok(())
}

async fn all(client: &Client, prepared: Option<&StatementCache>, calls: &[Call<'_>]) -> Result<Vec<Vec<Row>>, Failed> {
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        answers.push(one(client, prepared, call).await?);
    }
    Ok(answers)
}

async fn one(client: &Client, prepared: Option<&StatementCache>, call: &Call<'_>) -> Result<Vec<Row>, Failed> {
    let rows = match prepared {
        // Without a name, it lives and dies with its one message.
        None => client.query_typed(call.sql, &call.params).await?,
        Some(prepared) => {
            if prepared.size() >= MOST_PREPARED {
                prepared.clear();
            }
            let statement = prepared.prepare(client, call.sql).await?;
            let params: Vec<_> = call.params.iter().map(|(value, _)| *value).collect();
            client.query(&statement, &params).await?
        }
    };
    rows.iter().map(|row| bind::row(row).map_err(Failed::from)).collect()
}
