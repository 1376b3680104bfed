//! From rows to the snapshot that requests read.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::error;
use uuid::Uuid;

use super::access_log::AccessLogs;
use super::descriptors::{self, Room};
use super::error::Failure;
use super::observer::{self, Outlets, observe};
use super::tls::{self, Shown};
use super::traces::Traces;
use crate::config::Settings;
use crate::domain::{Clock, Keyring, Secret};
use crate::engine::catalog;
use crate::engine::{Node, Worker};
use crate::plugins::Compiled;
use crate::proxy::{self, Certificate, Configuration, Snapshot, TrustedNetworks};
use crate::router::{RouteSpec, ServiceSpec};
use crate::schema::{Entity, Registry, Schema};
use crate::telemetry::{RouteLabels, Sampler};

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
    /// Set with it.
    outlets: Arc<OnceLock<Outlets>>,
    pub gateway: Arc<proxy::Gateway<Compiled>>,
}

impl Publisher {
    /// # Errors
    /// The default certificate that the settings name cannot be read.
    pub(super) fn new(registry: Arc<Registry>, settings: &Settings, keyring: Arc<Keyring>) -> Result<Self, Failure> {
        let (node, outlets) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
        let gateway = gateway(settings, keyring, &node, &outlets);
        let (default_certificate, shown) = (Mutex::default(), Arc::default());
        let publisher = Self { registry, default_certificate, shown, node, outlets, gateway };
        publisher.read_default_certificate(settings)?;
        Ok(publisher)
    }

    /// Tells which node the proxy's workers belong to, and where lines of the access log and spans go; before the listeners start.
    pub(super) fn belongs_to(&self, node: &Node, log: Option<AccessLogs>, traces: Option<Traces>) {
        // A second call would change nothing: the first node is the node.
        let _ = self.node.set(node.clone());
        let _ = self.outlets.set(Outlets { meters: Arc::clone(&node.meters), log, traces });
    }

    /// Somebody else has written to the store. In a cluster they say so by the bus; a node that is alone forgets
    /// everything it knows of tokens and clients.
    pub(super) fn unannounced(&self) {
        let Some(node) = self.node.get().filter(|node| node.bus.get().is_none()).cloned() else { return };
        actix_rt::spawn(async move {
            if let Err(error) = node.start_anew().await {
                error!(%error, "what an import changed may not be in force yet");
            }
        });
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
            alt: None,
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
        // Before the new configuration is in force, so that its routes count under their own names from the first call.
        if let Some(outlets) = self.outlets.get() {
            outlets.meters.traffic.keep(labels(&configuration));
        }
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

/// By what the calls of each route are counted.
fn labels(configuration: &Configuration) -> Vec<RouteLabels> {
    let services: HashMap<Uuid, &ServiceSpec> =
        configuration.services.iter().map(|service| (service.id, service)).collect();
    let service_of = |route: &RouteSpec| services.get(&route.service?).copied();
    configuration.routes.iter().map(|route| observer::labels(route, service_of(route))).collect()
}

fn gateway(
    settings: &Settings,
    keyring: Arc<Keyring>,
    node: &Arc<OnceLock<Node>>,
    outlets: &Arc<OnceLock<Outlets>>,
) -> Arc<proxy::Gateway<Compiled>> {
    let trusted = TrustedNetworks(settings.proxy_trusted_ips.clone());
    let (trust, of_worker, of_record) = (settings.cluster_stale_limit, Arc::clone(node), Arc::clone(outlets));
    let Room { connections, upstream_calls } = descriptors::room(settings, descriptors::raise());
    let settings = proxy::Settings {
        trusted,
        keyring: Some(keyring),
        dns_servers: settings.proxy_dns_servers.clone(),
        sampler: settings.telemetry.as_ref().map(|traces| Sampler::new(traces.share)),
        most_connections: connections,
        most_upstream_calls: upstream_calls,
        ..proxy::Settings::default()
    };
    proxy::Gateway::new(
        settings,
        Clock::System,
        move || Worker::start(of_worker.get().expect("listeners start after the node"), trust),
        move |record| observe(record, &of_record),
    )
}
