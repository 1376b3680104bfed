//! From rows to the snapshot that requests read.

use std::cell::OnceCell;
use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tracing::error;
use uuid::Uuid;

use super::error::Failure;
use crate::config::Settings;
use crate::domain::{Clock, Secret};
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
    /// Set once the node exists: workers are made by it.
    node: Arc<OnceLock<Node>>,
    pub gateway: Arc<proxy::Gateway<Compiled>>,
}

impl Publisher {
    /// # Errors
    /// The default certificate that the settings name cannot be read.
    pub(super) fn new(registry: Arc<Registry>, settings: &Settings) -> Result<Self, Failure> {
        let node = Arc::new(OnceLock::new());
        let gateway = gateway(settings, &node);
        let publisher = Self { registry, default_certificate: Mutex::default(), node, gateway };
        publisher.read_default_certificate(settings)?;
        Ok(publisher)
    }

    /// Tells which node the proxy's workers belong to; before the listeners start.
    pub(super) fn belongs_to(&self, node: &Node) {
        // A second call would change nothing: the first node is the node.
        let _ = self.node.set(node.clone());
    }

    /// Reads `proxy.tls_cert` and `proxy.tls_key`; in force with the next publication.
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

    /// TLS for the Admin API, by the default certificate.
    pub(super) fn admin_tls(&self) -> Result<rustls::ServerConfig, Failure> {
        let certificate = self.default_certificate.lock().expect("no one panics while holding it").clone();
        let certificate = certificate.ok_or_else(|| {
            Failure::setting("admin.listen_tls needs a certificate: set proxy.tls_cert and proxy.tls_key")
        })?;
        let unusable = |error: &dyn std::fmt::Display| Failure::setting(format!("proxy.tls_cert: {error}"));
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.cert.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(&error))?;
        let key =
            PrivateKeyDer::from_pem_slice(certificate.key.reveal().as_bytes()).map_err(|error| unusable(&error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| unusable(&error))?.with_no_client_auth();
        config.with_single_cert(chain, key).map_err(|error| unusable(&error))
    }
}

fn gateway(settings: &Settings, node: &Arc<OnceLock<Node>>) -> Arc<proxy::Gateway<Compiled>> {
    let trusted = TrustedNetworks(settings.proxy_trusted_ips.clone());
    let (trust, of_worker, of_record) = (settings.cluster_stale_limit, Arc::clone(node), Arc::clone(node));
    proxy::Gateway::new(
        proxy::Settings { trusted, ..proxy::Settings::default() },
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
