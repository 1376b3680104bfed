//! TLS towards upstreams: whom to believe and what to show.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// What a service asks of TLS, read from its entity and those it refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Demands {
    /// What it must speak; HTTP/1.1 otherwise.
    pub http2: bool,
    pub verify: bool,
    pub depth: Option<u8>,
    /// PEM; empty = the web's own roots.
    pub authorities: Vec<String>,
    /// PEM of certificate chain and key.
    pub identity: Option<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("certificate does not parse: {0}")]
    Certificate(String),
    #[error("private key does not parse: {0}")]
    Key(String),
    #[error("{0}")]
    Refused(#[from] Error),
    #[error("host `{0}` is no name for a certificate")]
    Name(String),
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The certificates of a PEM text, at least one.
pub(super) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(TlsError::Certificate("no certificate in the text".to_owned())),
        Err(error) => Err(TlsError::Certificate(error.to_string())),
    }
}

pub(super) fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| TlsError::Key(error.to_string()))
}

/// The configuration that meets the demands.
pub(super) fn client_config(demands: &Demands) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let versions = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let verifier: Arc<dyn ServerCertVerifier> = if demands.verify {
        let mut roots = RootCertStore::empty();
        if demands.authorities.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for authority in &demands.authorities {
            certificates(authority)?.into_iter().try_for_each(|root| roots.add(root))?;
        }
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let inner = inner.map_err(|error| TlsError::Certificate(error.to_string()))?;
        let mut pinned = Vec::new();
        for authority in &demands.authorities {
            pinned.extend(certificates(authority)?);
        }
        Arc::new(Bounded { inner, depth: demands.depth, pinned })
    } else {
        Arc::new(Anyone { provider })
    };
    let trusting = versions.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match &demands.identity {
        Some((chain, key)) => trusting.with_client_auth_cert(certificates(chain)?, private_key(key)?)?,
        None => trusting.with_no_client_auth(),
    };
    config.alpn_protocols = vec![if demands.http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(Arc::new(config))
}

/// Verifies as the web does, with a limit on the certificates between leaf and root (`tls_verify_depth`).
#[derive(Debug)]
struct Bounded {
    inner: Arc<WebPkiServerVerifier>,
    depth: Option<u8>,
    /// The authorities themselves: an upstream may show one of them as its own (a self-signed certificate).
    pinned: Vec<CertificateDer<'static>>,
}

/// Whether a certificate that is trusted itself is in force and for this name. The web's rules refuse an authority as a
/// server, but a self-signed certificate is often both.
fn own_authority(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf) else { return false };
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.validity();
    let in_force = (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&seconds);
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return false };
    in_force && names.value.general_names.iter().any(|known| is_named(known, name))
}

fn is_named(known: &GeneralName<'_>, name: &ServerName<'_>) -> bool {
    match (known, name) {
        (GeneralName::DNSName(known), ServerName::DnsName(name)) => {
            let name = name.as_ref();
            let below = |suffix: &str| name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(suffix));
            known.eq_ignore_ascii_case(name) || known.strip_prefix("*.").is_some_and(below)
        }
        (GeneralName::IPAddress(known), ServerName::IpAddress(address)) => match std::net::IpAddr::from(*address) {
            std::net::IpAddr::V4(address) => *known == address.octets(),
            std::net::IpAddr::V6(address) => *known == address.octets(),
        },
        _ => false,
    }
}

impl ServerCertVerifier for Bounded {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let between = intermediates.iter().filter(|certificate| !is_self_issued(certificate)).count();
        if self.depth.is_some_and(|depth| between > usize::from(depth)) {
            return Err(Error::Other(OtherError(Arc::new(TooDeep))));
        }
        match self.inner.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            Err(error) if self.pinned.iter().any(|pinned| pinned == leaf) => {
                own_authority(leaf, name, now).then(ServerCertVerified::assertion).ok_or(error)
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("certificate chain is longer than tls_verify_depth allows")]
struct TooDeep;

/// A root sent along with its chain does not count as a link of it.
fn is_self_issued(certificate: &CertificateDer<'_>) -> bool {
    x509_parser::parse_x509_certificate(certificate).is_ok_and(|(_, parsed)| parsed.subject() == parsed.issuer())
}

/// Believes any certificate: what `tls_verify = false`, and Kong's default, ask for. The handshake itself is still
/// checked, so that the peer does own the key it shows.
#[derive(Debug)]
struct Anyone {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
