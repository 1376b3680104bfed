//! Which certificate a client is shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use uuid::Uuid;

use super::verify::{TlsError, certificates, private_key, provider};
use crate::domain::Secret;

/// A certificate with its key, both PEM, and the server names it is shown for.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub id: Uuid,
    pub cert: String,
    pub key: Secret,
    /// `x.org` or `*.x.org`, lower-cased.
    pub snis: Vec<String>,
}

/// Certificates by server name.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    /// Shown to those that name nothing, or nothing known.
    default: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Compiles what parses; the rest is told.
    pub fn compile(all: &[Certificate], default: Option<&Certificate>, problems: &mut Vec<String>) -> Self {
        let mut made = Self::default();
        for certificate in all {
            match certified(certificate) {
                Ok(key) => {
                    // Kong's way to name the default: the server name `*`.
                    if certificate.snis.iter().any(|name| name == "*") {
                        made.default = Some(Arc::clone(&key));
                    }
                    let names = certificate.snis.iter().map(|name| (name.clone(), Arc::clone(&key)));
                    made.by_name.extend(names);
                }
                Err(error) => problems.push(format!("certificate {}: {error}", certificate.id)),
            }
        }
        if made.default.is_none()
            && let Some(default) = default
        {
            match certified(default) {
                Ok(key) => made.default = Some(key),
                Err(error) => problems.push(format!("default certificate: {error}")),
            }
        }
        made
    }

    /// Exact name, then `*.` in place of its first label, then the default.
    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let named = name.and_then(|name| {
            let wildcard = || name.split_once('.').and_then(|(_, rest)| self.by_name.get(&format!("*.{rest}")));
            self.by_name.get(name).or_else(wildcard)
        });
        named.or(self.default.as_ref()).cloned()
    }
}

fn certified(certificate: &Certificate) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = certificates(&certificate.cert)?;
    let key = private_key(certificate.key.reveal())?;
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &provider())?))
}

/// Shows the certificates in force to whom it is given.
pub(super) type InForce = Box<dyn Fn(&mut dyn FnMut(&Certificates)) + Send + Sync>;

/// Asks for the certificates in force at each handshake, so that a change needs no new listener.
pub(super) struct Resolver {
    pub in_force: InForce,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Resolver(..)")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let mut found = None;
        (self.in_force)(&mut |certificates| found = certificates.find(name.as_deref()));
        found
    }
}
