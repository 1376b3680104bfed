//! The default certificate: made once by `tollgate dev`, shown by the Admin API, read again on SIGHUP.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::error::Failure;
use super::private_file;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes `cert.pem` and `key.pem` in `folder`, unless both are there.
pub(super) fn ensure_self_signed(folder: &Path) -> Result<(), Failure> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    if cert.exists() && key.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::Failed(format!("cannot make {}: {error}", folder.display())))?;
    let names = NAMES.map(str::to_owned).to_vec();
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| Failure::Failed(format!("cannot make a certificate: {error}")))?;
    for (path, pem) in [(&key, made.signing_key.serialize_pem()), (&cert, made.cert.pem())] {
        private_file::write(path, pem.as_bytes())
            .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(())
}

/// The certificate in force; handshakes see it swapped.
#[derive(Default)]
pub(super) struct Shown(ArcSwapOption<CertifiedKey>);

impl Shown {
    pub(super) fn replace(&self, certificate: CertifiedKey) {
        self.0.store(Some(Arc::new(certificate)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.load().is_none()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Shown(..)")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

/// A chain and its key, ready to be shown.
///
/// # Errors
/// One of them is not PEM, or they do not belong together.
pub(super) fn certified(cert: &str, key: &str) -> Result<CertifiedKey, Failure> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert.as_bytes()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| Failure::setting("proxy.tls_cert: the file holds no certificate in PEM"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| Failure::setting("proxy.tls_key: the file holds no private key in PEM"))?;
    CertifiedKey::from_der(chain, key, &rustls::crypto::aws_lc_rs::default_provider())
        .map_err(|error| Failure::setting(format!("proxy.tls_cert and proxy.tls_key cannot be used together: {error}")))
}

/// TLS that shows what is in force.
pub(super) fn server_config(shown: Arc<Shown>) -> Result<ServerConfig, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.map_err(|error| Failure::Failed(format!("TLS cannot be set up: {error}")))?;
    Ok(config.with_no_client_auth().with_cert_resolver(shown))
}
