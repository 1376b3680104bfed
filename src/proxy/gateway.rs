//! The data plane as the rest of the program holds it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::accept::{self, Listener, Workers};
use super::certificates::{Expiry, Resolver};
use super::counts::{Counts, OpenNow};
use super::exchange::Record;
use super::snapshot::Snapshot;
use super::tickets::Tickets;
use super::trust::TrustedNetworks;
use super::verify::provider;
use crate::domain::{Clock, Keyring};
use crate::message::HeadLimits;
use crate::plugins::Plugin;
use crate::telemetry::Sampler;

/// What an operator sets.
#[derive(Clone, Debug)]
pub struct Settings {
    pub trusted: TrustedNetworks,
    pub head: HeadLimits,
    /// For a whole request head, and for a TLS handshake.
    pub head_timeout: Duration,
    /// For the next request on a kept connection to begin.
    pub idle_timeout: Duration,
    /// For the next piece of a client's body to come, or of an answer to be taken.
    pub client_timeout: Duration,
    /// Whose session tickets clients resume with, at this node and every other of the keyring; `None`: they do not.
    pub keyring: Option<Arc<Keyring>>,
    /// Clients' connections at once, of all listeners. Those beyond it wait to be accepted, and idle ones are closed for
    /// them.
    pub most_connections: usize,
    /// Calls under way at once to one upstream, of each worker. One beyond it is answered 503.
    pub most_upstream_calls: usize,
    /// Idle connections a worker keeps per upstream, and for how long.
    pub idle_upstreams: usize,
    pub upstream_idle_timeout: Duration,
    /// Name servers to ask for upstreams' addresses; empty: those the system names.
    pub dns_servers: Vec<SocketAddr>,
    /// Which calls are recorded as traces; `None`: none, and what clients say of traces passes.
    pub sampler: Option<Sampler>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trusted: TrustedNetworks::default(),
            head: HeadLimits::default(),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            client_timeout: Duration::from_secs(60),
            keyring: None,
            most_connections: 16 * 1024,
            most_upstream_calls: 4 * 1024,
            idle_upstreams: 256,
            upstream_idle_timeout: Duration::from_secs(55),
            dns_servers: Vec::new(),
            sampler: None,
        }
    }
}

/// How far a gateway is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum Stage {
    Serving,
    /// No call begins on a connection that has none.
    Draining,
    /// No call goes on.
    Cut,
}

type MakeEngine<E> = Box<dyn Fn() -> E + Send + Sync>;
type Observer = Box<dyn Fn(&Record<'_>) + Send + Sync>;

/// Settings, clock and the configuration in force, shared by every worker.
pub struct Gateway<P: Plugin> {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) snapshot: ArcSwap<Snapshot<P>>,
    make_engine: MakeEngine<P::Engine>,
    observer: Observer,
    stage: watch::Sender<Stage>,
    pub(super) connections: Arc<Connections>,
    /// What each worker holds open; of workers that have ended, nothing.
    counts: Mutex<Vec<Arc<Counts>>>,
}

/// Clients' connections: how many came, and how many went.
#[derive(Default)]
pub(super) struct Connections {
    pub came: AtomicU64,
    pub went: AtomicU64,
}

impl Connections {
    /// Those that are open.
    pub fn active(&self) -> u64 {
        // Those that went are read first, so that none is counted as gone before it came.
        let went = self.went.load(Ordering::Relaxed);
        self.came.load(Ordering::Relaxed).saturating_sub(went)
    }
}

impl<P: Plugin> Gateway<P> {
    /// `make_engine` is called once in each worker thread. `observe` is called after each request, in its worker: it
    /// must be quick and must not wait.
    pub fn new(
        settings: Settings,
        clock: Clock,
        make_engine: impl Fn() -> P::Engine + Send + Sync + 'static,
        observe: impl Fn(&Record<'_>) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings,
            clock,
            snapshot: ArcSwap::from_pointee(Snapshot::default()),
            make_engine: Box::new(make_engine),
            observer: Box::new(observe),
            stage: watch::Sender::new(Stage::Serving),
            connections: Arc::default(),
            counts: Mutex::default(),
        })
    }

    /// Puts a configuration in force: for every request that begins after this returns.
    pub fn replace(&self, snapshot: Snapshot<P>) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Closes connections that wait for a request and lets each other one end with its request. The listeners should be
    /// closed before this ([`Workers::close`]).
    pub fn drain(&self) {
        self.stage.send_replace(Stage::Draining);
    }

    /// Ends what draining has left: calls are answered 503, or broken off where an answer was begun.
    pub fn cut(&self) {
        self.stage.send_replace(Stage::Cut);
    }

    /// Clients' connections accepted so far.
    pub fn connections_accepted(&self) -> u64 {
        self.connections.came.load(Ordering::Relaxed)
    }

    /// Clients' connections that are open.
    pub fn connections_active(&self) -> u64 {
        self.connections.active()
    }

    /// Connections to upstreams and streams of clients that are open.
    pub fn open_now(&self) -> OpenNow {
        OpenNow::sum(self.counts.lock().expect("no one panics while holding it").iter())
    }

    /// When the certificates that can be shown end, the default one among them.
    pub fn expiries(&self) -> Vec<Expiry> {
        self.snapshot.load().certificates.expiries.clone()
    }

    /// Counts for one more worker.
    pub(super) fn counts(&self) -> Arc<Counts> {
        let counts = Arc::new(Counts::default());
        self.counts.lock().expect("no one panics while holding it").push(Arc::clone(&counts));
        counts
    }

    /// Serves so many workers' share of every listener. Needs a running actix System.
    ///
    /// # Errors
    /// A socket cannot be used.
    pub fn serve(self: &Arc<Self>, workers: usize, listeners: Vec<Listener>) -> io::Result<Workers> {
        accept::start(self, workers, listeners)
    }

    pub(super) fn acceptor(self: &Arc<Self>) -> io::Result<TlsAcceptor> {
        let gateway = Arc::clone(self);
        let in_force = Box::new(move |look: &mut dyn FnMut(&super::certificates::Certificates)| {
            look(&gateway.snapshot.load().certificates);
        });
        let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let mut config =
            config.map_err(io::Error::other)?.with_no_client_auth().with_cert_resolver(Arc::new(Resolver { in_force }));
        if let Some(keyring) = &self.settings.keyring {
            config.ticketer = Arc::new(Tickets { keyring: Arc::clone(keyring), clock: self.clock.clone() });
        }
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    pub(super) fn engine(&self) -> P::Engine {
        (self.make_engine)()
    }

    pub(super) fn observe(&self, record: &Record<'_>) {
        (self.observer)(record);
    }

    /// Whether there are as many connections as there may be.
    pub(super) fn is_full(&self) -> bool {
        self.connections.active() >= self.settings.most_connections as u64
    }

    /// Whether idle connections are still to be closed for those that wait: some room is made at a time.
    pub(super) fn lacks_room(&self) -> bool {
        let most = self.settings.most_connections;
        self.connections.active() >= (most - most / 16) as u64
    }

    pub(super) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    pub(super) fn watch_stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }
}
