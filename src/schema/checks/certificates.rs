//! Certificates and keys in PEM.

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// A chain in PEM, the leaf first.
pub fn certificate(value: &Value) -> Option<String> {
    chain(value.as_str()?).err().map(|why| format!("invalid certificate: {why}"))
}

/// A private key in PEM (PKCS#1, PKCS#8 or SEC1). What is wrong with it is said without showing it.
pub fn private_key(value: &Value) -> Option<String> {
    let key = PrivateKeyDer::from_pem_slice(value.as_str()?.as_bytes());
    let why = match key {
        Err(_) => "expected a private key in PEM",
        Ok(key) if any_supported_type(&key).is_err() => "unsupported kind of key",
        Ok(_) => return None,
    };
    Some(format!("invalid key: {why}"))
}

/// Whether the key belongs to the certificate. Unreadable ones pass: they have their own violation.
pub fn key_matches(certificate: &str, key: &str) -> bool {
    let Ok(chain) = chain(certificate) else { return true };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok().and_then(|key| any_supported_type(&key).ok());
    let Some(public) = key.and_then(|key| key.public_key().map(|public| public.to_vec())) else { return true };
    match chain.first().map(|leaf| X509Certificate::from_der(leaf)) {
        Some(Ok((_, leaf))) => leaf.tbs_certificate.subject_pki.raw == public.as_slice(),
        _ => true,
    }
}

/// A certificate authority: exactly one certificate, in force at `now` (seconds), allowed to sign others.
pub fn authority(certificate: &str, now: i64) -> Option<String> {
    let chain = chain(certificate).ok()?;
    if chain.len() > 1 {
        return Some("please submit only one certificate at a time".to_owned());
    }
    let (_, parsed) = X509Certificate::from_der(chain.first()?).ok()?;
    if parsed.validity().not_after.timestamp() < now {
        return Some("certificate expired, \"Not After\" time is in the past".to_owned());
    }
    (!parsed.is_ca())
        .then(|| "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint".to_owned())
}

/// SHA-256 of a certificate's DER, in hexadecimal.
pub fn digest(certificate: &str) -> Option<String> {
    let chain = chain(certificate).ok()?;
    let digest = Sha256::digest(chain.first()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let chain = read.map_err(|_| "broken PEM")?;
    if chain.is_empty() {
        return Err("expected a certificate in PEM");
    }
    if chain.iter().any(|der| X509Certificate::from_der(der).is_err()) {
        return Err("not an X.509 certificate");
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    use serde_json::json;

    fn leaf() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["a.com".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn ca() -> String {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_pair_that_belongs_together_passes() {
        let (cert, key) = leaf();
        assert_eq!(certificate(&json!(cert)), None);
        assert_eq!(private_key(&json!(key)), None);
        assert!(key_matches(&cert, &key));
        assert!(!key_matches(&cert, &leaf().1));
    }

    #[test]
    fn rubbish_is_named_and_a_key_is_not_shown() {
        assert!(certificate(&json!("x")).unwrap().starts_with("invalid certificate: "));
        let text = private_key(&json!("hunter2")).unwrap();
        assert!(text.starts_with("invalid key: ") && !text.contains("hunter2"));
    }

    #[test]
    fn an_authority_is_one_certificate_in_force_that_may_sign() {
        let now = 1_700_000_000;
        let authority_pem = ca();
        assert_eq!(authority(&authority_pem, now), None);
        assert!(authority(&leaf().0, now).unwrap().contains("does not appear to be a CA"));
        assert!(authority(&authority_pem, 99_999_999_999).unwrap().starts_with("certificate expired"));
        let two = format!("{authority_pem}{}", ca());
        assert_eq!(authority(&two, now).as_deref(), Some("please submit only one certificate at a time"));
        assert_eq!(digest(&authority_pem).unwrap().len(), 64);
    }
}
