//! The gateway's life: settings, store, actors, snapshot, listeners, signals, stop.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::access_log::AccessLogs;
use super::cli::Source;
use super::error::Failure;
use super::listeners::Listeners;
use super::readiness::Readiness;
use super::servers::{Parts, Servers};
use super::snapshot::Publisher;
use super::stop::{Step, stop};
use super::surroundings::NodeSurroundings;
use super::traces::Traces;
use super::vitals::Vitals;
use super::{admin_tokens, demo, keyring, migrate, portal, private_file, reload};
use crate::actors::{Contact, Exchanger, Janitor, Keeper, Lease, Ledger, Link, Recorder, Tallies, Watch, hasher_pool};
use crate::config::Settings;
use crate::domain::{Clock, Keyring, Secret};
use crate::engine::catalog::Catalog;
use crate::engine::registration::Registration;
use crate::engine::{Membership, Node};
use crate::plugins;
use crate::schema::Registry;
use crate::storage::{AdminRole, Role, Store};
use crate::telemetry::{self, LogHandle, start_logs};

/// How long calls that are ended because the gateway stops may take for it.
const FAREWELL: Duration = Duration::from_secs(2);
/// More than the proxy needs to close its listeners.
const CLOSING: Duration = Duration::from_secs(5);

/// Threads that verify slow hashes: half the cores, so that guesses at hashed secrets leave the other half to calls.
fn hashers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (usize::from(cores) / 2).max(1))
}

/// What `tollgate dev` adds to a gateway, in its data folder.
pub(super) enum Demo {
    None,
    /// An admin token, and nothing to look at.
    Empty(PathBuf),
    /// An admin token and the demo.
    In(PathBuf),
}

pub(super) fn run_with(settings: Settings, source: Source, demo: Demo) -> Result<(), Failure> {
    let log = start_logs(settings.log_format, settings.log_level, settings.log_file.as_deref())
        .map_err(|error| Failure::setting(format!("log.file: {error}")))?;
    let system = actix_rt::System::new();
    system.block_on(async move {
        // Before `ready` is told: whoever waits for that word may signal at once.
        let mut signals = Signals::listen()?;
        let gateway = tokio::select! {
            started = Gateway::start(settings, source, log, demo) => started?,
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Err(Failure::Interrupted),
        };
        gateway.until_stopped(signals).await
    })
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")));
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hang_up: on(SignalKind::hangup())?,
        })
    }
}

struct Gateway {
    node: Node,
    servers: Servers,
    readiness: Readiness,
    publisher: Arc<Publisher>,
    surroundings: Arc<NodeSurroundings>,
    source: Source,
    log: LogHandle,
    echo: Option<demo::Echo>,
    access_log: Option<AccessLogs>,
    traces: Option<Traces>,
    /// How long calls under way may take when the gateway stops.
    drain_timeout: Duration,
}

impl Gateway {
    async fn start(settings: Settings, source: Source, log: LogHandle, demo: Demo) -> Result<Self, Failure> {
        tell_shortcomings(&settings);
        let keyring = keyring::load(&settings)?;
        let listeners = Listeners::bind(&settings)?;
        let (store, first_start) = open(&settings, keyring).await?;
        if let Demo::In(folder) | Demo::Empty(folder) = &demo {
            ensure_admin_token(&store, folder).await?;
        }
        admit_admin(&settings, &store).await?;
        let registry = Arc::new(Registry::new(plugins::schemas()));
        let publisher = Arc::new(Publisher::new(Arc::clone(&registry), &settings, store.keyring())?);
        let node = start_node(&store, &publisher, &settings);
        node.tell_capacities();
        let access_log = AccessLogs::start(&settings, &node.meters)?;
        let traces = Traces::start(settings.telemetry.as_ref(), &node.id.to_string(), &node.meters)?;
        publisher.belongs_to(&node, access_log.clone(), traces.clone());
        join_cluster(&node, &settings)?;
        node.rebuild().await.map_err(|error| Failure::Failed(format!("cannot load the configuration: {error}")))?;
        actix_rt::spawn(load_custom_tokens(node.clone()));
        let catalog = Catalog::new(registry, store.clone(), Clock::System, Arc::new(node.clone()));
        let readiness = Readiness::new(store.clone());
        let (echo, shown) = prepare_demo(&demo, &catalog, first_start).await?;
        if let Some(path) = settings.keyring_file.clone() {
            actix_rt::spawn(reload::watch_keyring(path, store));
        }
        let is_dev = !matches!(demo, Demo::None);
        let registration = Registration::new(catalog, settings.portal.app_auth);
        let accounts = portal::accounts(&settings, &node, registration.clone(), listeners.portal_url(), is_dev)?;
        let registration = registration.inviting(Arc::new(accounts.clone())).telling(Arc::new(accounts.clone()));
        let addresses: Vec<_> = listeners.all().collect();
        let vitals = Vitals::new(readiness.clone(), &node, Arc::clone(&publisher.gateway));
        let surroundings = Arc::new(NodeSurroundings::new(node.clone(), vitals.clone(), &source.layers()));
        surroundings.take_tokens(&settings.admin_tokens);
        let drain_timeout = settings.proxy_drain_timeout;
        let parts = Parts {
            settings,
            accounts,
            registration,
            node: node.clone(),
            vitals,
            publisher: Arc::clone(&publisher),
            surroundings: Arc::clone(&surroundings),
        };
        let servers = Servers::start(listeners, parts)?;
        Listeners::announce(&addresses);
        info!("ready");
        tell_demo(shown.as_ref(), &addresses);
        Ok(Self {
            node,
            servers,
            readiness,
            publisher,
            surroundings,
            source,
            log,
            echo,
            access_log,
            traces,
            drain_timeout,
        })
    }

    async fn until_stopped(self, signals: Signals) -> Result<(), Failure> {
        let Signals { mut terminate, mut interrupt, mut hang_up } = signals;
        let name = loop {
            tokio::select! {
                _ = terminate.recv() => break "SIGTERM",
                _ = interrupt.recv() => break "SIGINT",
                _ = hang_up.recv() => self.reload().await,
            }
        };
        info!(signal = name, "stopping");
        let stopped = self.stop();
        tokio::select! {
            () = stopped => {}
            _ = terminate.recv() => warn!("second signal, ending at once"),
            _ = interrupt.recv() => warn!("second signal, ending at once"),
        }
        info!("stopped");
        if name == "SIGINT" { Err(Failure::Interrupted) } else { Ok(()) }
    }

    async fn reload(&self) {
        info!("SIGHUP: reading settings and certificates again");
        if let Err(failure) = self.log.reopen() {
            warn!(error = %failure, "the log cannot be opened again, keeping the old file");
        }
        if let Some(log) = &self.access_log {
            log.reopen().await;
        }
        let Some(settings) = reload::settings(&self.source, &self.log) else { return };
        self.surroundings.take_tokens(&settings.admin_tokens);
        if let Err(failure) = self.publisher.read_default_certificate(&settings) {
            error!(%failure, "the certificate cannot be used, keeping the old one");
            return;
        }
        if let Err(failure) = self.node.rebuild().await {
            error!(error = %failure, "the configuration could not be read again");
        }
    }

    async fn stop(self) {
        let Self { node, servers, readiness, publisher, echo, access_log, traces, drain_timeout, .. } = self;
        let echo = async move {
            if let Some(echo) = echo {
                echo.handle.stop(false).await;
            }
        };
        let access_log = async move {
            if let Some(log) = access_log {
                log.settle().await;
            }
        };
        let traces = async move {
            if let Some(traces) = traces {
                traces.finish().await;
            }
        };
        let portal = async move {
            if let Some(portal) = servers.portal {
                portal.stop(true).await;
            }
        };
        stop(vec![
            Step::new("readiness", Duration::from_secs(1), async move { readiness.drain() }),
            Step::new("proxy", drain_timeout + FAREWELL + CLOSING, async move {
                // Listeners close first: draining also ends connections that have sent nothing yet.
                let mut workers = servers.proxy;
                workers.close().await;
                publisher.gateway.drain();
                if timeout(drain_timeout, workers.ended()).await.is_err() {
                    warn!("calls are still under way, ending them");
                    publisher.gateway.cut();
                    let _ = timeout(FAREWELL, workers.ended()).await;
                }
            }),
            Step::new("access log", Duration::from_secs(5), access_log),
            Step::new("traces", Duration::from_secs(5), traces),
            Step::new("admin", Duration::from_secs(10), servers.admin.stop(true)),
            Step::new("portal", Duration::from_secs(10), portal),
            Step::new("status", Duration::from_secs(2), servers.status.stop(false)),
            Step::new("echo", Duration::from_secs(2), echo),
            Step::new("ledger", Duration::from_secs(5), balance(node.clone())),
            Step::new("bus", Duration::from_secs(2), leave(node.clone())),
            // Everything answered is durable; what is left is handing the file back in good order.
            Step::new("store", Duration::from_secs(10), async move { node.store.close().await }),
        ])
        .await;
    }
}

/// Settings that do less than an operator may believe.
fn tell_shortcomings(settings: &Settings) {
    if settings.redis_url.is_some() && settings.database_url.is_sqlite() {
        warn!(
            "redis.url is set, but a gateway on SQLite is alone and does not use Redis: set database.url to postgres://…"
        );
    }
    if !settings.proxy_listen_tls.is_empty() && settings.proxy_tls.is_none() {
        warn!(
            "proxy.listen_tls has no default certificate: TLS works only for the server names of the Admin API's \
             certificates; set proxy.tls_cert and proxy.tls_key, or proxy.listen_tls = none"
        );
    }
}

/// Opens the store at this program's schema. True: it was empty before.
async fn open(settings: &Settings, keyring: Keyring) -> Result<(Store, bool), Failure> {
    let store = migrate::open_store(settings, Arc::new(keyring), Role::Gateway).await?;
    let first_start = store.migrate_status().await?.iter().all(|migration| migration.applied_at.is_none());
    if settings.database_auto_migrate {
        store.migrate_up().await?;
    }
    if let Some(newer) = store.check_schema().await? {
        info!(schema = newer, "the database is a newer program's, and for this one too");
    }
    Ok((store, first_start))
}

/// Beyond loopback the Admin API needs a token to exist, or the word that it may be open (admin-api.md section 6).
async fn admit_admin(settings: &Settings, store: &Store) -> Result<(), Failure> {
    let set = settings.admin_allow_insecure || !settings.admin_tokens.is_empty();
    if settings.admin_is_loopback() || set || !store.list_admin_tokens().await?.is_empty() {
        return Ok(());
    }
    Err(Failure::setting(
        "admin.listen is not loopback and there is no admin token: make one with `tollgate admin-token create NAME`, \
         set admin.tokens, or set admin.allow_insecure = true",
    ))
}

/// The admin token of `dev`: in a file only its owner can read, made on first start.
async fn ensure_admin_token(store: &Store, folder: &Path) -> Result<(), Failure> {
    let path = folder.join("admin-token");
    if path.exists() || !store.list_admin_tokens().await?.is_empty() {
        return Ok(());
    }
    let token = admin_tokens::create(store, "dev", AdminRole::Admin).await?;
    private_file::write(&path, format!("{}\n", token.reveal()).as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
}

/// With Redis this node is one of several; on SQLite there can be no other.
fn join_cluster(node: &Node, settings: &Settings) -> Result<(), Failure> {
    let Some(membership) = membership(settings) else { return Ok(()) };
    node.join(membership).map_err(|error| Failure::setting(error.to_string()))
}

/// How the settings have a node take part in a cluster; `None`: it is alone.
pub(super) fn membership(settings: &Settings) -> Option<Membership> {
    let redis_url = redis_url(settings)?;
    Some(Membership { redis_url, lease: settings.cluster_lease, stale_limit: settings.cluster_stale_limit })
}

fn redis_url(settings: &Settings) -> Option<Secret> {
    settings.redis_url.clone().filter(|_| !settings.database_url.is_sqlite())
}

fn start_node(store: &Store, publisher: &Arc<Publisher>, settings: &Settings) -> Node {
    let meters = Arc::new(telemetry::Registry::default());
    let (tables, publish) = (publisher.tables(), Arc::clone(publisher));
    let tallies = Tallies::default();
    let link = Link::start_with(Arc::clone(&meters));
    // Who is alone knows every change of the configuration: it made it.
    let configuration = redis_url(settings).map_or_else(Lease::without_end, |_| Lease::ended());
    let contact = Arc::new(Contact::new(settings.cluster_stale_limit));
    let (lease, watched) = (settings.cluster_lease, configuration.clone());
    let told = Arc::clone(publisher);
    let watch = Watch {
        configuration: watched,
        lease,
        contact: Arc::clone(&contact),
        clock: Clock::System,
        meters: Arc::clone(&meters),
        unannounced: Rc::new(move || told.unannounced()),
    };
    Node {
        id: Uuid::new_v4(),
        exchanger: Exchanger::start_with(store.clone(), link.clone()),
        store: store.clone(),
        clock: Clock::System,
        keyring: store.keyring(),
        custom: Arc::default(),
        hasher: hasher_pool(hashers()),
        link,
        keeper: Keeper::start_with(store.clone(), tables, watch, move |rows| publish.publish(rows)),
        configuration,
        contact,
        recorder: Recorder::start_with(store.clone(), meters.worker()),
        ledger: Ledger::start_with(store.clone(), Clock::System, tallies.clone(), meters.worker()),
        tallies,
        hashing: Default::default(),
        reading_custom: Arc::default(),
        bus: Arc::default(),
        meters,
    }
}

/// What was counted of calls is added up before the store closes.
async fn balance(node: Node) {
    if let Err(failure) = node.balance().await {
        warn!(error = %failure, "the last calls of applications could not be added up");
    }
}

/// Nobody need wait for this node any more.
async fn leave(node: Node) {
    if let Some(bus) = node.bus.get() {
        bus.leave().await;
    }
}

async fn load_custom_tokens(node: Node) {
    node.load_custom_tokens().await;
    Janitor::start_with(node.store.clone(), node.clock.clone(), node.meters.worker());
}

async fn prepare_demo(
    demo: &Demo,
    catalog: &Catalog,
    first_start: bool,
) -> Result<(Option<demo::Echo>, Option<crate::schema::Entity>), Failure> {
    let Demo::In(_) = demo else { return Ok((None, None)) };
    let echo = demo::start_echo()?;
    let shown = demo::ensure(catalog, first_start, echo.address).await?;
    Ok((Some(echo), shown))
}

fn tell_demo(application: Option<&crate::schema::Entity>, addresses: &[(&'static str, SocketAddr)]) {
    let address = |name: &str| addresses.iter().find(|(known, _)| *known == name).map(|(_, address)| *address);
    if let (Some(application), Some(proxy), Some(proxy_tls)) = (application, address("proxy"), address("proxy_tls")) {
        // Nobody may be reading; the gateway serves all the same.
        let _ = writeln!(io::stdout(), "{}", demo::lines(application, proxy, proxy_tls));
    }
}
