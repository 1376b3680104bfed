//! Slow hashes, on threads of their own: Argon2id costs 13 ms, which no worker can spare.

use actix::prelude::*;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::Sha512;
use subtle::ConstantTimeEq;

use crate::domain::{Secret, SecretHash};

/// Kong writes base64 without padding, and reads it with padding too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Bytes of a PBKDF2 hash: fewer would fit by chance, more than one block of SHA-512 only costs.
const PBKDF2_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// Hashes a secret with today's parameters (Argon2id, 19 MiB, 2 passes).
#[derive(Message)]
#[rtype(result = "Result<Secret, HashError>")]
pub struct Hash(pub Secret);

/// Verifies a secret against a PHC string. `phc: None` spends the same time on a hash nobody has, so that an unknown
/// client cannot be told from a known one by the clock.
#[derive(Message)]
#[rtype(result = "Verified")]
pub struct Verify {
    pub phc: Option<Secret>,
    pub secret: Secret,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    Wrong,
    Right,
    /// Right, but hashed with other parameters than today's: hash it again.
    RightButOld,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum HashError {
    #[error("too many secrets are waiting to be hashed")]
    Full,
    #[error("secret could not be hashed: {0}")]
    Failed(String),
}

/// One thread of the pool.
pub struct Hasher {
    dummy: String,
}

/// Starts `threads` hashers.
pub fn hasher_pool(threads: usize) -> Addr<Hasher> {
    // A fixed well-formed hash of a text that is nobody's secret; what it costs to verify is all that matters.
    let dummy = Argon2::default().hash_password(b"nobody's secret").map(|hash| hash.to_string()).unwrap_or_default();
    SyncArbiter::start(threads, move || Hasher { dummy: dummy.clone() })
}

impl Actor for Hasher {
    type Context = SyncContext<Self>;
}

impl Handler<Hash> for Hasher {
    type Result = Result<Secret, HashError>;

    fn handle(&mut self, Hash(secret): Hash, _: &mut Self::Context) -> Self::Result {
        let hash = Argon2::default().hash_password(secret.reveal().as_bytes());
        hash.map(|hash| Secret::new(hash.to_string())).map_err(|error| HashError::Failed(error.to_string()))
    }
}

impl Handler<Verify> for Hasher {
    type Result = MessageResult<Verify>;

    fn handle(&mut self, Verify { phc, secret }: Verify, _: &mut Self::Context) -> Self::Result {
        let Some(phc) = phc else {
            verify_argon2(&self.dummy, &secret);
            return MessageResult(Verified::Wrong);
        };
        MessageResult(verify(phc.reveal(), &secret))
    }
}

fn verify(phc: &str, secret: &Secret) -> Verified {
    match SecretHash::read(phc).filter(SecretHash::is_affordable) {
        Some(SecretHash::Argon2id { .. }) => verify_argon2(phc, secret),
        Some(SecretHash::Pbkdf2Sha512 { iterations, salt, hash }) => verify_pbkdf2(iterations, salt, hash, secret),
        None => Verified::Wrong,
    }
}

/// Kong's hashes. A right one is always to be replaced by one of ours.
fn verify_pbkdf2(iterations: u64, salt: &str, hash: &str, secret: &Secret) -> Verified {
    let (Ok(rounds), Ok(salt), Ok(hash)) = (u32::try_from(iterations), BASE64.decode(salt), BASE64.decode(hash)) else {
        return Verified::Wrong;
    };
    if !PBKDF2_LENGTHS.contains(&hash.len()) {
        return Verified::Wrong;
    }
    let mut derived = vec![0; hash.len()];
    pbkdf2::pbkdf2_hmac::<Sha512>(secret.reveal().as_bytes(), &salt, rounds, &mut derived);
    if bool::from(derived.ct_eq(&hash)) { Verified::RightButOld } else { Verified::Wrong }
}

fn verify_argon2(phc: &str, secret: &Secret) -> Verified {
    let Ok(hash) = PasswordHash::new(phc) else { return Verified::Wrong };
    if Argon2::default().verify_password(secret.reveal().as_bytes(), &hash).is_err() {
        return Verified::Wrong;
    }
    let today = Params::default();
    let used = Params::try_from(&hash);
    let same = used.is_ok_and(|used| {
        (used.m_cost(), used.t_cost(), used.p_cost()) == (today.m_cost(), today.t_cost(), today.p_cost())
    });
    if same { Verified::Right } else { Verified::RightButOld }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_verifies_its_own_secret_only() {
        let phc = Argon2::default().hash_password(b"s3cret").unwrap().to_string();
        assert_eq!(verify_argon2(&phc, &Secret::new("s3cret")), Verified::Right);
        assert_eq!(verify_argon2(&phc, &Secret::new("S3cret")), Verified::Wrong);
        assert_eq!(verify_argon2("not a hash", &Secret::new("s3cret")), Verified::Wrong);
    }

    #[test]
    fn kongs_hashes_are_right_but_old() {
        // Derived by another program: 10000 rounds over the salt "0123456789abcdef".
        let kongs = "$pbkdf2-sha512$i=10000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$j8mBoTbXIowlNXNiE33nTvu5qPQ5QgFs6GsGDJ5CCD4";
        let padded = kongs.replace("RlZg$", "RlZg==$") + "=";
        for phc in [kongs, &padded] {
            assert_eq!(verify(phc, &Secret::new("s3cret")), Verified::RightButOld, "{phc}");
            assert_eq!(verify(phc, &Secret::new("S3cret")), Verified::Wrong, "{phc}");
        }
        assert_eq!(verify(&kongs.replace("i=10000", "i=9999"), &Secret::new("s3cret")), Verified::Wrong);
    }

    #[test]
    fn a_hash_that_costs_or_says_too_little_or_too_much_fits_nothing() {
        let long = "A".repeat(2000);
        for phc in [
            "$pbkdf2-sha512$i=4000000000,l=32$MDEyMzQ1$j8mBoTbXIowlNXNiE33nTvu5qPQ5QgFs6GsGDJ5CCD4".to_owned(),
            "$pbkdf2-sha512$i=1,l=1$MDEyMzQ1$aa".to_owned(),
            format!("$pbkdf2-sha512$i=1,l=1500$MDEyMzQ1${long}"),
            "$pbkdf2-sha512$i=1,l=32$!!$!!".to_owned(),
            "$argon2id$v=19$m=4194304,t=99,p=1$c2FsdHNhbHQ$aGFzaGhhc2g".to_owned(),
        ] {
            assert_eq!(verify(&phc, &Secret::new("s")), Verified::Wrong, "{phc}");
        }
    }

    #[test]
    fn weaker_parameters_are_told() {
        let weak =
            Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let phc = weak.hash_password(b"s").unwrap().to_string();
        assert_eq!(verify_argon2(&phc, &Secret::new("s")), Verified::RightButOld);
    }
}
