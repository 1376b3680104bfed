//! From rows to the snapshot that requests read.

use std::cell::OnceCell;
use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::error;
use uuid::Uuid;

use super::error::Failure;
use super::tls::{self, Shown};
use crate::config::Settings;
use crate::domain::{Clock, Keyring, Secret};
use crate::engine::catalog;
use crate::engine::{Node, Worker};
use crate::plugins::Compiled;
use crate::proxy::{self, Certificate, Configuration, Record, Snapshot, TrustedNetworks};
use crate::schema::{Entity, Registry, Schema};
use crate::telemetry::Meters;

/// The tables that the data plane is configured by.
const TABLES: [&str; 6] = ["services", "routes", "plugins", "certificates", "snis", "ca_certificates"];

/// Compiles configurations and swaps them whole.
pub(super) struct Publisher {
    registry: Arc<Registry>,
    default_certificate: Mutex<Option<Certificate>>,
    /// The same, as the Admin API shows it.
    shown: Arc<Shown>,
    /// Set once the node exists: workers are made by it.
    node: Arc<OnceLock<Node>>,
    pub gateway: Arc<proxy::Gateway<Compiled>>,
}

impl Publisher {
    /// # Errors
    /// The default certificate that the settings name cannot be read.
    pub(super) fn new(registry: Arc<Registry>, settings: &Settings, keyring: Arc<Keyring>) -> Result<Self, Failure> {
        let node = Arc::new(OnceLock::new());
        let gateway = gateway(settings, keyring, &node);
        let publisher = Self { registry, default_certificate: Mutex::default(), shown: Arc::default(), node, gateway };
        publisher.read_default_certificate(settings)?;
        Ok(publisher)
    }

    /// Tells which node the proxy's workers belong to; before the listeners start.
    pub(super) fn belongs_to(&self, node: &Node) {
        // A second call would change nothing: the first node is the node.
        let _ = self.node.set(node.clone());
    }

    /// Reads `proxy.tls_cert` and `proxy.tls_key`; in force with the next publication.
    ///
    /// # Errors
    /// They cannot be read or do not belong together; what was read before stays.
    pub(super) fn read_default_certificate(&self, settings: &Settings) -> Result<(), Failure> {
        let Some((cert, key)) = &settings.proxy_tls else { return Ok(()) };
        let read = |name: &str, path: &std::path::Path| {
            fs::read_to_string(path)
                .map_err(|error| Failure::setting(format!("{name}: cannot read {}: {error}", path.display())))
        };
        let certificate = Certificate {
            id: Uuid::nil(),
            cert: read("proxy.tls_cert", cert)?,
            key: Secret::new(read("proxy.tls_key", key)?),
            snis: Vec::new(),
        };
        let parsed = tls::certified(&certificate.cert, certificate.key.reveal())?;
        self.shown.replace(parsed);
        *self.default_certificate.lock().expect("no one panics while holding it") = Some(certificate);
        Ok(())
    }

    /// The schemas of the tables, in the order in which [`Publisher::publish`] takes their rows.
    pub(super) fn tables(&self) -> Vec<Schema> {
        TABLES.iter().filter_map(|name| self.registry.entity(name)).cloned().collect()
    }

    /// Puts a configuration in force for the next request. What does not compile is logged and refuses its calls; the
    /// rest works.
    pub(super) fn publish(&self, tables: Vec<Vec<Entity>>) {
        let mut configuration = Configuration::default();
        for (name, rows) in TABLES.iter().zip(tables) {
            for row in rows {
                let entity = catalog::restored(&self.registry, name, row);
                if let Err(problem) = configuration.add(name, &entity) {
                    error!(entity = name, %problem, "a row of `{name}` cannot be used");
                }
            }
        }
        configuration.default_certificate =
            self.default_certificate.lock().expect("no one panics while holding it").clone();
        let (snapshot, problems) = Snapshot::compile(configuration);
        for problem in problems {
            error!(%problem, "a part of the configuration cannot be used");
        }
        self.gateway.replace(snapshot);
    }

    /// TLS for the Admin API or the portal, by the default certificate in force. `setting`: what asks for it.
    pub(super) fn own_tls(&self, setting: &str) -> Result<rustls::ServerConfig, Failure> {
        if self.shown.is_empty() {
            let why = format!("{setting} needs a certificate: set proxy.tls_cert and proxy.tls_key");
            return Err(Failure::setting(why));
        }
        tls::server_config(Arc::clone(&self.shown))
    }
}

fn gateway(settings: &Settings, keyring: Arc<Keyring>, node: &Arc<OnceLock<Node>>) -> Arc<proxy::Gateway<Compiled>> {
    let trusted = TrustedNetworks(settings.proxy_trusted_ips.clone());
    let (trust, of_worker, of_record) = (settings.cluster_stale_limit, Arc::clone(node), Arc::clone(node));
    proxy::Gateway::new(
        proxy::Settings { trusted, keyring: Some(keyring), ..proxy::Settings::default() },
        Clock::System,
        move || Worker::start(of_worker.get().expect("listeners start after the node"), trust),
        move |record| observe(record, &of_record),
    )
}

thread_local! {
    /// This worker's counters of answers: no other thread touches their cache line.
    static ANSWERS: OnceCell<Arc<Meters>> = const { OnceCell::new() };
}

fn observe(record: &Record<'_>, node: &OnceLock<Node>) {
    let Some(node) = node.get() else { return };
    ANSWERS.with(|meters| meters.get_or_init(|| node.meters.worker()).count_status(record.status));
}
