//! The configuration compiled: everything a request looks at, immutable, swapped whole.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::certificates::{Certificate, Certificates};
use super::verify::{Demands, TlsError, client_config};
use crate::domain::Secret;
use crate::plugins::{Attachment, Chain, Chains, Plugin};
use crate::router::{RouteSpec, Router, ServiceSpec, SpecError, entity_id, entity_reference};

/// What the data plane is to do, typed but not compiled.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    pub services: Vec<ServiceSpec>,
    pub routes: Vec<RouteSpec>,
    pub plugins: Vec<Attachment>,
    pub certificates: Vec<Certificate>,
    /// Server names: name, certificate.
    pub snis: Vec<(String, Uuid)>,
    /// PEM of certificate authorities.
    pub ca_certificates: HashMap<Uuid, String>,
    /// Shown where no server name fits (`proxy.tls_cert`).
    pub default_certificate: Option<Certificate>,
}

impl Configuration {
    /// Adds an admin entity of one of the collections that matter here; entities of others are ignored.
    ///
    /// # Errors
    /// The entity is not what its schema promises. Nothing was added.
    pub fn add(&mut self, collection: &str, entity: &Map<String, Value>) -> Result<(), SpecError> {
        let text = |field: &'static str| {
            entity.get(field).and_then(Value::as_str).map(str::to_owned).ok_or(SpecError::Missing(field))
        };
        match collection {
            "services" => self.services.push(ServiceSpec::from_entity(entity)?),
            "routes" => self.routes.push(RouteSpec::from_entity(entity)?),
            "plugins" => self.plugins.push(Attachment::from_entity(entity)?),
            "certificates" => {
                let (id, cert, key) = (entity_id(entity)?, text("cert")?, Secret::new(text("key")?));
                let alt = text("cert_alt").ok().zip(text("key_alt").ok().map(Secret::new));
                self.certificates.push(Certificate { id, cert, key, alt, snis: Vec::new() });
            }
            "snis" => {
                let certificate = entity_reference(entity, "certificate")?.ok_or(SpecError::Missing("certificate"))?;
                self.snis.push((text("name")?.to_ascii_lowercase(), certificate));
            }
            "ca_certificates" => drop(self.ca_certificates.insert(entity_id(entity)?, text("cert")?)),
            _ => {}
        }
        Ok(())
    }
}

/// A service as connections are made to it.
#[derive(Debug)]
pub(super) struct Upstream {
    pub spec: Arc<ServiceSpec>,
    /// Connections of one key may be used for one another.
    pub key: u64,
    /// `host`, with the port where it is not the scheme's own.
    pub authority: Box<[u8]>,
    /// What it speaks; HTTP/1.1 otherwise.
    pub is_http2: bool,
    /// `Err`: what the service demands of TLS cannot be met, told at compilation.
    pub tls: Option<Result<(Arc<ClientConfig>, ServerName<'static>), ()>>,
}

/// What a route leads to.
pub(super) struct Target<P> {
    pub route: Arc<RouteSpec>,
    pub upstream: Option<Arc<Upstream>>,
    pub chain: Arc<Chain<P>>,
}

/// A compiled configuration.
pub struct Snapshot<P> {
    pub(super) router: Router,
    pub(super) targets: Vec<Target<P>>,
    pub(super) certificates: Certificates,
}

impl<P> Default for Snapshot<P> {
    fn default() -> Self {
        Self { router: Router::default(), targets: Vec::new(), certificates: Certificates::default() }
    }
}

impl<P: Plugin> Snapshot<P> {
    /// Compiles a configuration. The sentences tell what could not be, for the log; the rest works.
    pub fn compile(mut configuration: Configuration) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let (mut chains, errors) = Chains::<P>::compile(std::mem::take(&mut configuration.plugins));
        problems.extend(errors.iter().map(ToString::to_string));
        let upstreams = upstreams(&mut configuration, &mut problems);
        let disabled = |id: Uuid| upstreams.get(&id).is_none_or(|upstream| !upstream.spec.enabled);
        let routes = std::mem::take(&mut configuration.routes);
        let routes = routes.into_iter().filter(|route| !route.service.is_some_and(disabled)).map(Arc::new);
        let routes: Vec<_> = routes.collect();
        let (router, bad) = Router::compile(&routes);
        problems.extend(bad.iter().map(ToString::to_string));
        let targets = routes.into_iter().map(|route| {
            let upstream = route.service.and_then(|id| upstreams.get(&id)).cloned();
            let chain = chains.of(&route);
            Target { route, upstream, chain }
        });
        let targets = targets.collect();
        let default = configuration.default_certificate.as_ref();
        let certificates = Certificates::compile(&configuration.certificates, default, &mut problems);
        (Self { router, targets, certificates }, problems)
    }
}

/// Services by id, and server names moved into the certificates they name.
fn upstreams(configuration: &mut Configuration, problems: &mut Vec<String>) -> HashMap<Uuid, Arc<Upstream>> {
    for (name, id) in std::mem::take(&mut configuration.snis) {
        match configuration.certificates.iter_mut().find(|certificate| certificate.id == id) {
            Some(certificate) => certificate.snis.push(name),
            None => problems.push(format!("server name `{name}` names an unknown certificate {id}")),
        }
    }
    let mut configs = HashMap::new();
    let services = std::mem::take(&mut configuration.services);
    let compiled = services.into_iter().map(|spec| {
        let tls = spec.protocol.is_secure().then(|| {
            connector(&spec, configuration, &mut configs).map_err(|error| {
                problems.push(format!("service {}: TLS to the upstream: {error}", spec.id));
            })
        });
        (
            spec.id,
            Arc::new(Upstream {
                key: endpoint_key(&spec, configuration),
                authority: authority(&spec),
                is_http2: spec.protocol.is_grpc(),
                tls,
                spec: Arc::new(spec),
            }),
        )
    });
    compiled.collect()
}

type Configs = HashMap<Demands, Arc<ClientConfig>>;

/// Services of equal demands share a configuration, and with it the sessions that shorten later handshakes.
fn connector(
    spec: &ServiceSpec,
    configuration: &Configuration,
    configs: &mut Configs,
) -> Result<(Arc<ClientConfig>, ServerName<'static>), TlsError> {
    let host = spec.host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(spec.host.clone()))?;
    let config = match configs.entry(demands(spec, configuration)?) {
        Entry::Occupied(made) => Arc::clone(made.get()),
        Entry::Vacant(vacant) => {
            let config = client_config(vacant.key())?;
            Arc::clone(vacant.insert(config))
        }
    };
    Ok((config, name))
}

fn demands(spec: &ServiceSpec, configuration: &Configuration) -> Result<Demands, TlsError> {
    let missing = |what: &str, id: &Uuid| TlsError::Certificate(format!("{what} {id} does not exist"));
    let authority = |id| configuration.ca_certificates.get(id).cloned().ok_or_else(|| missing("ca_certificate", id));
    let identity = spec.client_certificate.map(|id| -> Result<_, TlsError> {
        let found = configuration.certificates.iter().find(|certificate| certificate.id == id);
        let found = found.ok_or_else(|| missing("client_certificate", &id))?;
        Ok((found.cert.clone(), found.key.reveal().to_owned()))
    });
    Ok(Demands {
        http2: spec.protocol.is_grpc(),
        verify: spec.tls_verify.unwrap_or(false),
        depth: spec.tls_verify_depth,
        authorities: spec.ca_certificates.iter().map(authority).collect::<Result<_, TlsError>>()?,
        identity: identity.transpose()?,
    })
}

/// Tells endpoints apart, including whom they were verified against. Made of what administrators write only.
fn endpoint_key(spec: &ServiceSpec, configuration: &Configuration) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&spec.host, spec.port, spec.protocol.is_secure(), spec.protocol.is_grpc()).hash(&mut hasher);
    if spec.protocol.is_secure() {
        demands(spec, configuration).ok().hash(&mut hasher);
    }
    hasher.finish()
}

fn authority(spec: &ServiceSpec) -> Box<[u8]> {
    let usual = if spec.protocol.is_secure() { 443 } else { 80 };
    let text = if spec.port == usual { spec.host.clone() } else { format!("{}:{}", spec.host, spec.port) };
    text.into_bytes().into()
}
