//! The PostgreSQL driver: a bounded pool of connections to the primary.
//!
//! **Invariants:** every wait is bounded (for a host, for a connection, for a statement, for an answer of a silent server);
//! nothing is read from a standby, also not by chance: every connection is asked whom it leads to, when it is made and
//! when it was idle; a connection that did not answer in time is thrown away, and with one that was lost all that have
//! said nothing since; a read that lost its connection is tried once more on a fresh one, a write never is, since nobody
//! knows whether it happened, and the writes that nobody has an answer of are few; nothing is kept in a session that a pooler shares with others.
//!
//! **Absent on purpose:** SQL of the room, apart from the batch insert, which needs arrays; reading from standbys;
//! choosing who becomes the primary.

mod address;
mod batch;
mod bind;
mod connect;
mod errors;
mod migrate;
mod server;
mod session;
mod tls;
mod unanswered;

use std::time::{Duration, Instant};

use deadpool::managed::{Object, Pool, PoolError};
use tokio::time::{sleep, timeout};

use super::driver::PoolState;
use super::migrations::Source;
use super::value::{Row, Statement, Value};
use super::{PostgresOptions, StorageError};

pub(super) use batch::INSERT_TOKENS;
use connect::{Connector, Lent};
use errors::pool_failure;
use session::{Access, Call, Failed, Session};
use unanswered::Used;

type Outcome<T> = Result<T, StorageError>;

/// What a statement may take beyond the time the server gives it: the way there and back.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait for one of our own connections before a server that is full is asked again.
const FULL_PAUSE: Duration = Duration::from_millis(100);

const STUCK: &str =
    "earlier writes are not answered yet: does the database wait for a synchronous standby that is away?";

pub(super) struct Postgres {
    pool: Pool<Connector>,
    limit: Duration,
}

impl Postgres {
    /// Makes the pool. Nothing is connected yet: a database that is down now may come up later.
    pub fn open(options: &PostgresOptions) -> Outcome<Self> {
        let pool = connect::pool(options)?;
        Ok(Self { pool, limit: options.statement_timeout + GRACE })
    }

    pub fn pool(&self) -> PoolState {
        let status = self.pool.status();
        let idle = status.available.min(status.size);
        let in_use = status.size - idle;
        PoolState { name: "postgres", most: status.max_size, idle, in_use, waiting: status.waiting }
    }

    pub fn close(&self) {
        self.pool.close();
    }

    async fn connection(&self) -> Outcome<Lent> {
        let begun = Instant::now();
        loop {
            match self.pool.get().await {
                Ok(lent) => return Ok(lent),
                Err(PoolError::Backend(refusal))
                    if refusal.is_full && begun.elapsed() < self.pool.manager().limit() =>
                {
                    sleep(FULL_PAUSE).await;
                }
                Err(error) => return Err(pool_failure(error)),
            }
        }
    }

    /// Runs `work` on a connection within the limit. Whoever asked may go away meanwhile.
    async fn within<T>(
        &self,
        access: Access,
        lent: Lent,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let connector = self.pool.manager();
        let mut used = Used::new(lent, access, connector.unanswered());
        match timeout(self.limit, work(used.session())).await {
            Err(_) => {
                connector.distrust();
                let error = StorageError::Unavailable("the database did not answer in time".into());
                Err(Failed { error, is_lost: false })
            }
            Ok(Err(lost @ Failed { is_lost: true, .. })) => {
                connector.distrust();
                used.throw_away();
                Err(lost)
            }
            Ok(outcome) => {
                used.session().heard = Instant::now();
                used.give_back();
                outcome
            }
        }
    }

    /// Runs all calls, or none.
    async fn run(&self, access: Access, calls: &[Call<'_>]) -> Result<Vec<Vec<Row>>, Failed> {
        let lent = self.connection().await?;
        // Only now, for a new connection may have led to a new primary.
        if access == Access::Write && !self.pool.manager().unanswered().has_room() {
            return Err(StorageError::Unavailable(STUCK.to_owned()).into());
        }
        self.within(access, lent, async |session| session.run(access, calls).await).await
    }

    pub async fn read(&self, statements: Vec<Statement>) -> Outcome<Vec<Vec<Row>>> {
        let calls: Vec<Call<'_>> = statements.iter().map(Call::from).collect();
        match self.run(Access::Read, &calls).await {
            Err(Failed { is_lost: true, .. }) => self.run(Access::Read, &calls).await,
            first => first,
        }
        .map_err(|failed| failed.error)
    }

    pub async fn write(&self, statements: Vec<Statement>) -> Outcome<Vec<Vec<Row>>> {
        let calls: Vec<Call<'_>> = statements.iter().map(Call::from).collect();
        self.run(Access::Write, &calls).await.map_err(|failed| failed.error)
    }

    pub async fn insert_tokens(&self, rows: Vec<Vec<Value>>) -> Vec<Outcome<()>> {
        batch::insert_tokens(self, rows).await
    }

    pub async fn prepare(&self, sql: &str) -> Outcome<()> {
        let lent = self.connection().await?;
        self.within(Access::Read, lent, async |session| session.check(sql).await).await.map_err(|failed| failed.error)
    }

    pub async fn migrate(&self, sources: &[Source], now: i64) -> Outcome<()> {
        // Its own connection, which takes the lock and the altered settings with it when it goes.
        let session = Object::take(self.connection().await?);
        migrate::up(&session, sources, now).await
    }
}
