//! Slow hashes, on threads of their own: Argon2id costs 13 ms, which no worker can spare.

use actix::prelude::*;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};

use crate::domain::Secret;

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
        MessageResult(verify_argon2(phc.reveal(), &secret))
    }
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
    fn weaker_parameters_are_told() {
        let weak =
            Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let phc = weak.hash_password(b"s").unwrap().to_string();
        assert_eq!(verify_argon2(&phc, &Secret::new("s")), Verified::RightButOld);
    }
}
