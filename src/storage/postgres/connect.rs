//! Making connections, and looking at them again before they are used again.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult, Timeouts};
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::info;

use crate::storage::{PostgresOptions, StorageError};

use super::address::{Address, Place};
use super::errors::{Refusal, connecting};
use super::server::{self, Latest};
use super::session::Session;
use super::tls;
use super::unanswered::Unanswered;

pub(super) type Lent = Object<Connector>;

/// A connection that was silent for longer is asked before it is used.
const IDLE: Duration = Duration::from_secs(1);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Makes connections to the one host of several that is the primary.
pub(super) struct Connector {
    address: Address,
    tls: MakeRustlsConnect,
    /// The place that was the primary when we last looked; the next one is tried first there.
    primary: AtomicUsize,
    latest: Latest,
    unanswered: Unanswered,
    /// Connections that have said nothing since are thrown away unasked.
    distrusted: Mutex<Option<Instant>>,
}

/// Makes the pool. Nothing is connected yet.
pub(super) fn pool(options: &PostgresOptions) -> Result<Pool<Connector>, StorageError> {
    let address = Address::new(options)?;
    let wait = Some(address.connect_timeout);
    let connector = Connector {
        tls: tls::connector(address.trust.clone())?,
        address,
        primary: AtomicUsize::new(0),
        latest: Latest::default(),
        unanswered: Unanswered::new(options.pool.max(1)),
        distrusted: Mutex::default(),
    };
    // The connector bounds its own waits, host by host.
    let timeouts = Timeouts { wait, create: None, recycle: None };
    let pool = Pool::builder(connector).max_size(options.pool.max(1)).timeouts(timeouts);
    let pool = pool.runtime(deadpool::Runtime::Tokio1).build();
    pool.map_err(|error| StorageError::Other(error.to_string()))
}

impl Manager for Connector {
    type Type = Session;
    type Error = Refusal;

    async fn create(&self) -> Result<Session, Refusal> {
        let places = &self.address.places;
        let first = self.primary.load(Ordering::Relaxed);
        let mut refusals = Vec::with_capacity(places.len());
        for at in (0..places.len()).map(|step| (first + step) % places.len()) {
            let place = &places[at];
            // Boxed, as are the other rare ways: every call to the store carries them along.
            match Box::pin(self.connect(place)).await {
                Ok(session) => {
                    if self.primary.swap(at, Ordering::Relaxed) != at {
                        self.unanswered.forget();
                        info!(database.place = %place, "PostgreSQL at {place} is the primary now");
                    }
                    return Ok(session);
                }
                Err(refusal) => refusals.push(refusal.at(place)),
            }
        }
        Err(Refusal::of_all(refusals))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Refusal> {
        let worn = |reason: &'static str| Err(RecycleError::message(reason));
        if session.client.is_closed() {
            return worn("it is closed");
        }
        if self.is_distrusted(session) || session.server.is_some_and(|server| self.latest.is_after(server)) {
            return worn("the server has failed since, or another is the primary");
        }
        if session.heard.elapsed() > IDLE {
            let limit = self.address.connect_timeout;
            if !timeout(limit, Box::pin(server::is_primary(&session.client))).await.unwrap_or(false) {
                self.distrust();
                return worn("the server is silent, or no primary any more");
            }
            session.heard = Instant::now();
        }
        Ok(())
    }
}

impl Connector {
    pub fn limit(&self) -> Duration {
        self.address.connect_timeout
    }

    pub fn unanswered(&self) -> &Unanswered {
        &self.unanswered
    }

    /// A connection was lost or silent: those that have said nothing since are likely to be, too.
    pub fn distrust(&self) {
        *self.distrusted.lock().expect("no holder of this lock panics") = Some(Instant::now());
    }

    fn is_distrusted(&self, session: &Session) -> bool {
        let since = *self.distrusted.lock().expect("no holder of this lock panics");
        since.is_some_and(|since| session.heard < since)
    }

    /// Tries the addresses of one host; all of them share its time.
    async fn connect(&self, place: &Place) -> Result<Session, Refusal> {
        let limit = self.address.connect_timeout;
        let begun = Instant::now();
        let Host::Tcp(name) = &place.host else {
            return bounded(limit, self.session(place, None)).await;
        };
        let addresses = match place.address {
            Some(address) => vec![SocketAddr::new(address, place.port)],
            None => {
                let found =
                    bounded(limit, async { lookup_host((name.as_str(), place.port)).await.map_err(unresolved) });
                found.await?.take(MOST_ADDRESSES).collect()
            }
        };
        let mut refusal = Refusal::new("the name leads to no address: check database.url");
        for (at, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
            let share = limit.saturating_sub(begun.elapsed()) / left;
            match bounded(share, self.session(place, Some(*address))).await {
                Ok(session) => return Ok(session),
                Err(next) => refusal = next,
            }
        }
        Err(refusal)
    }

    async fn session(&self, place: &Place, address: Option<SocketAddr>) -> Result<Session, Refusal> {
        let Address { has_pooler, statement_timeout, .. } = self.address;
        let config = self.config(place, address);
        let (client, connection) = config.connect(self.tls.clone()).await.map_err(|error| connecting(&error))?;
        // What ends it, its client is told.
        let task = tokio::spawn(async move { drop(connection.await) });
        let mut session = Session::new(client, task, has_pooler, statement_timeout);
        session.server = server::meet(&session.client, has_pooler).await?;
        if session.server.map_or(Ok(false), |server| self.latest.admits(server))? {
            self.unanswered.forget();
        }
        Ok(session)
    }

    fn config(&self, place: &Place, address: Option<SocketAddr>) -> Config {
        let mut config = self.address.config.clone();
        config.port(place.port);
        match &place.host {
            Host::Tcp(name) => config.host(name),
            Host::Unix(path) => config.host_path(path),
        };
        if let Some(address) = address {
            config.hostaddr(address.ip());
        }
        config
    }
}

async fn bounded<T>(limit: Duration, work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let silent = || Refusal::new("the server does not answer: check database.url, and whether it runs");
    timeout(limit, work).await.unwrap_or_else(|_| Err(silent()))
}

fn unresolved(error: std::io::Error) -> Refusal {
    Refusal::new(format!("the name cannot be resolved ({error}): check database.url"))
}
