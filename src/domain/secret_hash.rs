//! Hashed client secrets as text: PHC strings, ours and those that Kong wrote.

/// What a stored hash says of itself. Whether a secret fits it is found out by the hashers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretHash<'t> {
    /// `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`
    Argon2id { memory_kib: u64, passes: u64, lanes: u64 },
    /// Kong's `$pbkdf2-sha512$i=10000,l=32$salt$hash`; salt and hash are still base64.
    Pbkdf2Sha512 { iterations: u64, salt: &'t str, hash: &'t str },
}

/// More than anyone recommends, and still no more than half a second of one thread: a hash that is brought along must
/// not stop the logins of everybody else.
const MOST_MEMORY_KIB: u64 = 256 * 1024;
const MOST_MEMORY_PASSES: u64 = 512 * 1024;
const MOST_LANES: u64 = 16;
const MOST_ITERATIONS: u64 = 600_000;

impl<'t> SecretHash<'t> {
    /// `None`: not a hash, so a secret in clear.
    pub fn read(text: &'t str) -> Option<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        if parts.iter().skip(1).any(|part| part.is_empty()) {
            return None;
        }
        match parts.as_slice() {
            ["", "argon2id", version, parameters, _salt, _hash] if version.starts_with("v=") => Some(Self::Argon2id {
                memory_kib: number(parameters, "m")?,
                passes: number(parameters, "t")?,
                lanes: number(parameters, "p")?,
            }),
            ["", "pbkdf2-sha512", parameters, salt, hash] => {
                Some(Self::Pbkdf2Sha512 { iterations: number(parameters, "i")?, salt, hash })
            }
            _ => None,
        }
    }

    /// Whether verifying it costs no more than a gateway can spend on one request.
    pub fn is_affordable(&self) -> bool {
        match self {
            Self::Argon2id { memory_kib, passes, lanes } => {
                *memory_kib <= MOST_MEMORY_KIB
                    && memory_kib.saturating_mul(*passes) <= MOST_MEMORY_PASSES
                    && *lanes <= MOST_LANES
            }
            Self::Pbkdf2Sha512 { iterations, .. } => (1..=MOST_ITERATIONS).contains(iterations),
        }
    }
}

/// The number after `name=` among parameters that commas part.
fn number(parameters: &str, name: &str) -> Option<u64> {
    let values = parameters.split(',').filter_map(|parameter| parameter.split_once('='));
    values.filter(|(known, _)| *known == name).map(|(_, value)| value.parse().ok()).next()?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hashes_are_told_from_clear_secrets() {
        let ours = SecretHash::read("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g");
        assert_eq!(ours, Some(SecretHash::Argon2id { memory_kib: 19_456, passes: 2, lanes: 1 }));
        let kongs = SecretHash::read("$pbkdf2-sha512$i=10000,l=32$salt$hash");
        assert_eq!(kongs, Some(SecretHash::Pbkdf2Sha512 { iterations: 10_000, salt: "salt", hash: "hash" }));
        let clear = ["secret", "$argon2id$", "$argon2id$v=19$m=1$$x", "$pbkdf2-sha512$i=1$salt", "$2b$12$abc", "", "$"];
        assert!(clear.into_iter().all(|clear| SecretHash::read(clear).is_none()));
        assert_eq!(SecretHash::read("$pbkdf2-sha512$i=many,l=32$salt$hash"), None);
    }

    #[test]
    fn a_hash_has_a_price_limit() {
        let affordable = |text: &str| SecretHash::read(text).unwrap().is_affordable();
        assert!(affordable("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"));
        assert!(!affordable("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdA$aGFzaA"));
        assert!(!affordable("$argon2id$v=19$m=19456,t=18446744073709551615,p=1$c2FsdA$aGFzaA"));
        assert!(affordable("$pbkdf2-sha512$i=210000,l=32$c2FsdA$aGFzaA"));
        assert!(!affordable("$pbkdf2-sha512$i=0,l=32$c2FsdA$aGFzaA"));
        assert!(!affordable("$pbkdf2-sha512$i=4000000000,l=32$c2FsdA$aGFzaA"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\$(argon2id|pbkdf2-sha512|[a-z=0-9,]{0,9})){0,7}", other in "\\PC{0,40}") {
            let _ = SecretHash::read(&text).map(|hash| hash.is_affordable());
            let _ = SecretHash::read(&other);
        }
    }
}
