//! Signatures of JSON Web Tokens (RFC 7518): the algorithms, and keys that are parsed once and used often.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How a token is signed. There is no `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
    Ps256,
    Ps384,
    Ps512,
    EdDsa,
}

enum Family {
    Shared(hmac::Algorithm),
    Public(&'static dyn VerificationAlgorithm),
}

const ALL: [(&str, Algorithm); 13] = [
    ("HS256", Algorithm::Hs256),
    ("HS384", Algorithm::Hs384),
    ("HS512", Algorithm::Hs512),
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("ES512", Algorithm::Es512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("EdDSA", Algorithm::EdDsa),
];

impl Algorithm {
    /// As a token's header and the Admin API spell it: case counts.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Whether both sides hold the same secret.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    fn family(self) -> Family {
        match self {
            Self::Hs256 => Family::Shared(hmac::HMAC_SHA256),
            Self::Hs384 => Family::Shared(hmac::HMAC_SHA384),
            Self::Hs512 => Family::Shared(hmac::HMAC_SHA512),
            Self::Rs256 => Family::Public(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Family::Public(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Family::Public(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Es256 => Family::Public(&signature::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Family::Public(&signature::ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Family::Public(&signature::ECDSA_P521_SHA512_FIXED),
            Self::Ps256 => Family::Public(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Family::Public(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Family::Public(&signature::RSA_PSS_2048_8192_SHA512),
            Self::EdDsa => Family::Public(&signature::ED25519),
        }
    }

    /// DER shorter than this holds no RSA key of 2048 bits, whose modulus alone is that long.
    fn shortest_key(self) -> usize {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => 256,
            _ => 0,
        }
    }
}

/// A key of one algorithm. It is never printed.
#[derive(Clone)]
pub struct VerifyingKey(Key);

#[derive(Clone)]
enum Key {
    Shared(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("VerifyingKey(..)")
    }
}

impl VerifyingKey {
    /// The key of a shared secret; `None` for an empty one and for algorithms of public keys.
    pub fn shared(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        match algorithm.family() {
            Family::Shared(hash) if !secret.is_empty() => {
                Some(Self(Key::Shared(Box::new(hmac::Key::new(hash, secret)))))
            }
            Family::Shared(_) | Family::Public(_) => None,
        }
    }

    /// The key of a shared secret told in base64, of either alphabet, padded or not.
    pub fn shared_base64(algorithm: Algorithm, secret: &str) -> Option<Self> {
        Self::shared(algorithm, &decode_base64(secret.as_bytes())?)
    }

    /// A public key in PEM (`PUBLIC KEY`, or `RSA PUBLIC KEY`) of the kind the algorithm needs: the curve must be its
    /// curve, an RSA key must have 2048 bits or more.
    pub fn public(algorithm: Algorithm, pem: &str) -> Option<Self> {
        let Family::Public(verification) = algorithm.family() else { return None };
        let der = ["PUBLIC KEY", "RSA PUBLIC KEY"].into_iter().find_map(|label| der_of(pem, label))?;
        if der.len() < algorithm.shortest_key() {
            return None;
        }
        Some(Self(Key::Public(ParsedPublicKey::new(verification, der).ok()?)))
    }

    /// Whether `signature` is this key's of `message`. Macs are compared in constant time.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Key::Shared(key) => hmac::verify(key, message, signature).is_ok(),
            Key::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

/// The bytes of the first PEM section of that label.
fn der_of(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (text, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    decode_base64(&text)
}

/// Reads base64 of either alphabet, padded or not, as clients write it and Kong reads it.
pub fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    LENIENT.decode(text.iter().map(standard).collect::<Vec<u8>>()).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use proptest::prelude::*;

    use super::*;

    /// RFC 7515 appendix A.1: the header and the claims, their mac, and the key.
    const MESSAGE: &[u8] = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const MAC: &[u8] = b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    #[test]
    fn the_example_of_the_standard_is_verified() {
        let key = VerifyingKey::shared_base64(Algorithm::Hs256, SECRET).unwrap();
        let mac = decode_base64(MAC).unwrap();
        assert!(key.verifies(MESSAGE, &mac));
        assert!(!key.verifies(&MESSAGE[1..], &mac));
        assert!(!key.verifies(MESSAGE, &mac[1..]));
        assert!(!key.verifies(MESSAGE, b""));
        assert!(!VerifyingKey::shared(Algorithm::Hs256, SECRET.as_bytes()).unwrap().verifies(MESSAGE, &mac));
    }

    fn p521() -> (EcdsaKeyPair, String) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
        let der = pair.public_key().as_der().unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        (pair, format!("-----BEGIN PUBLIC KEY-----\r\n{text}\r\n-----END PUBLIC KEY-----\r\n"))
    }

    #[test]
    fn a_public_key_serves_its_own_algorithm_only() {
        let (pair, pem) = p521();
        let signature = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
        let key = VerifyingKey::public(Algorithm::Es512, &pem).unwrap();
        assert!(key.verifies(MESSAGE, signature.as_ref()));
        assert!(!key.verifies(MAC, signature.as_ref()));
        for (name, other) in ALL {
            let taken = VerifyingKey::public(other, &pem).is_some();
            assert_eq!(taken, other == Algorithm::Es512, "{name}");
        }
    }

    #[test]
    fn an_rsa_key_of_1024_bits_is_none() {
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC6nsMVEE07Op0HfPhx8CQ6Us31\n\
            TJiWsW97Ul/hTJgTgS7PJGBlq1PUc7mwrffrbUq8epoF8yShxpu8DHWApwp6iCA6\n\
            Es2aCuxCSF6eT0sr9dL3Yes1g4Hwl7V+mnyMLmWd++mQz9U8QDcV4hsGF/9ScrFV\n\
            OKOVqVPzYxctTU9OEQIDAQAB\n\
            -----END PUBLIC KEY-----\n";
        assert!(VerifyingKey::public(Algorithm::Rs256, pem).is_none());
        assert!(VerifyingKey::public(Algorithm::Ps512, pem).is_none());
    }

    #[test]
    fn a_public_key_is_never_a_shared_secret() {
        let (_, pem) = p521();
        assert!(VerifyingKey::shared(Algorithm::Es512, pem.as_bytes()).is_none());
        assert!(VerifyingKey::public(Algorithm::Hs256, &pem).is_none());
        assert!(VerifyingKey::shared(Algorithm::Hs256, b"").is_none());
        assert!(VerifyingKey::shared_base64(Algorithm::Hs256, "?").is_none());
    }

    #[test]
    fn there_is_no_none() {
        for name in ["none", "None", "", "hs256", "HS256 "] {
            assert_eq!(Algorithm::named(name), None, "{name}");
        }
        assert!(ALL.iter().all(|(name, algorithm)| Algorithm::named(name) == Some(*algorithm)));
    }

    #[test]
    fn keys_do_not_print() {
        let key = VerifyingKey::shared(Algorithm::Hs512, b"hunter2").unwrap();
        assert_eq!(format!("{key:?}"), "VerifyingKey(..)");
    }

    proptest! {
        #[test]
        fn no_key_text_panics(text in "\\PC{0,80}", body in "[A-Za-z0-9+/=\\n]{0,400}", nth in 0..ALL.len()) {
            let algorithm = ALL[nth].1;
            for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
                let pem = format!("{text}-----BEGIN {label}-----{body}-----END {label}-----");
                let _ = VerifyingKey::public(algorithm, &pem);
            }
            let _ = VerifyingKey::public(algorithm, &text);
            let _ = VerifyingKey::shared_base64(algorithm, &text);
        }
    }
}
