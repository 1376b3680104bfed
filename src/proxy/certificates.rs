//! Which certificate a client is shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use uuid::Uuid;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::verify::{TlsError, certificates, private_key, provider};
use crate::domain::Secret;

/// A certificate with its key, both PEM, and the server names it is shown for.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub id: Uuid,
    pub cert: String,
    pub key: Secret,
    /// Another chain with a key of another kind (`cert_alt`, `key_alt`), for clients that would rather have it.
    pub alt: Option<(String, Secret)>,
    /// `x.org`, `*.x.org` or `x.*`, lower-cased.
    pub snis: Vec<String>,
}

/// A certificate's chains: `cert`, and `cert_alt` where there is one.
type Chains = Arc<[Arc<CertifiedKey>]>;

/// Certificates by server name.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    by_name: HashMap<String, Chains>,
    /// Shown to those that name nothing, or nothing known.
    default: Option<Chains>,
    /// Those that end first; at most [`MOST_EXPIRIES`].
    pub expiries: Vec<Expiry>,
}

/// When what is shown for a server name ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// As the certificate is found by; `*`: the default.
    pub sni: String,
    /// Seconds since 1970, of the chain's leaf; of several chains, the one that ends first.
    pub not_after: i64,
}

/// Names whose end is told.
const MOST_EXPIRIES: usize = 1000;

impl Certificates {
    /// Compiles what parses; the rest is told.
    pub fn compile(all: &[Certificate], default: Option<&Certificate>, problems: &mut Vec<String>) -> Self {
        let mut made = Self::default();
        for certificate in all {
            let told = format!("certificate {}", certificate.id);
            let Some(chains) = chains(certificate, &told, problems) else { continue };
            // Kong's way to name the default: the server name `*`.
            if certificate.snis.iter().any(|name| name == "*") {
                made.default = Some(Arc::clone(&chains));
            }
            let names = certificate.snis.iter().map(|name| (name.clone(), Arc::clone(&chains)));
            made.by_name.extend(names);
        }
        if made.default.is_none()
            && let Some(default) = default
        {
            made.default = chains(default, "default certificate", problems);
        }
        made.expiries = made.expiries();
        made
    }

    fn expiries(&self) -> Vec<Expiry> {
        let named = self.by_name.iter().filter(|(name, _)| *name != "*");
        let named = named.map(|(name, chains)| (name.clone(), chains));
        let shown = named.chain(self.default.iter().map(|chains| ("*".to_owned(), chains)));
        let end = |chains: &Chains| chains.iter().filter_map(|chain| not_after(chain)).min();
        let expiries = shown.filter_map(|(sni, chains)| Some(Expiry { sni, not_after: end(chains)? }));
        let mut expiries: Vec<_> = expiries.collect();
        expiries.sort_unstable_by(|one, other| (one.not_after, &one.sni).cmp(&(other.not_after, &other.sni)));
        expiries.truncate(MOST_EXPIRIES);
        expiries
    }

    /// Exact name, then `*.` in place of its first label, then `.*` in place of its last, then the default.
    fn find(&self, name: Option<&str>) -> Option<&Chains> {
        let named = name.and_then(|name| {
            let first = || name.split_once('.').and_then(|(_, rest)| self.by_name.get(&format!("*.{rest}")));
            let last = || name.rsplit_once('.').and_then(|(rest, _)| self.by_name.get(&format!("{rest}.*")));
            self.by_name.get(name).or_else(first).or_else(last)
        });
        named.or(self.default.as_ref())
    }
}

/// A second chain that does not parse is told and left out; without the first there is none.
fn chains(certificate: &Certificate, told: &str, problems: &mut Vec<String>) -> Option<Chains> {
    let first = (&certificate.cert, &certificate.key);
    let second = certificate.alt.as_ref().map(|(cert, key)| (cert, key));
    let mut made = Vec::new();
    for (cert, key) in std::iter::once(first).chain(second) {
        match certified(cert, key) {
            Ok(key) => made.push(key),
            Err(error) => {
                problems.push(format!("{told}: {error}"));
                if made.is_empty() {
                    return None;
                }
            }
        }
    }
    Some(made.into())
}

fn certified(cert: &str, key: &Secret) -> Result<Arc<CertifiedKey>, TlsError> {
    let (chain, key) = (certificates(cert)?, private_key(key.reveal())?);
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &provider())?))
}

fn not_after(chain: &CertifiedKey) -> Option<i64> {
    let (_, leaf) = X509Certificate::from_der(chain.cert.first()?).ok()?;
    Some(leaf.validity().not_after.timestamp())
}

/// The chain whose key signs by what the client names first; the first chain where it names nothing fitting.
fn preferred(chains: &Chains, offered: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
    let place = |chain: &Arc<CertifiedKey>| {
        offered.iter().position(|scheme| chain.key.choose_scheme(&[*scheme]).is_some()).unwrap_or(usize::MAX)
    };
    match &chains[..] {
        [only] => Some(Arc::clone(only)),
        several => several.iter().min_by_key(|chain| place(chain)).cloned(),
    }
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
        (self.in_force)(&mut |certificates| {
            found = certificates.find(name.as_deref()).and_then(|chains| preferred(chains, hello.signature_schemes()));
        });
        found
    }
}
