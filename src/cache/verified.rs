//! Secrets verified lately, so that a slow hash is paid once and not per request.

use hashlink::LruCache;

use crate::domain::{Keyring, Secret, Timestamp, TokenDigest};

const CAPACITY: usize = 10_000;
const LIFE_MS: i64 = 300_000;

/// Remembers that a secret fits a hash, under a keyed digest of both: a changed hash is another key, so a changed
/// secret is forgotten by itself. Only good secrets are remembered.
#[derive(Debug)]
pub struct VerifiedSecrets {
    keyring: Keyring,
    verified: LruCache<TokenDigest, Timestamp>,
}

impl VerifiedSecrets {
    /// `key`: random bytes of this process.
    pub fn new(key: [u8; 32]) -> Self {
        Self { keyring: Keyring::new(key, key), verified: LruCache::new(CAPACITY) }
    }

    pub fn knows(&mut self, phc: &Secret, secret: &Secret, now: Timestamp) -> bool {
        let pair = self.pair(phc, secret);
        self.verified.get(&pair).is_some_and(|ends| *ends > now)
    }

    pub fn remember(&mut self, phc: &Secret, secret: &Secret, now: Timestamp) {
        let pair = self.pair(phc, secret);
        self.verified.insert(pair, Timestamp::from_millis(now.millis() + LIFE_MS));
    }

    fn pair(&self, phc: &Secret, secret: &Secret) -> TokenDigest {
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        let text = format!("{}:{}{}", phc.reveal().len(), phc.reveal(), secret.reveal());
        self.keyring.digest(Secret::new(text).reveal().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_known_for_five_minutes_and_a_changed_hash_is_another_pair() {
        let now = Timestamp::from_seconds(0);
        let (phc, secret) = (Secret::new("$argon2id$1"), Secret::new("s"));
        let mut verified = VerifiedSecrets::new([1; 32]);
        assert!(!verified.knows(&phc, &secret, now));
        verified.remember(&phc, &secret, now);
        assert!(verified.knows(&phc, &secret, now.plus_seconds(299)));
        assert!(!verified.knows(&phc, &secret, now.plus_seconds(300)));
        assert!(!verified.knows(&Secret::new("$argon2id$2"), &secret, now));
        assert!(!verified.knows(&phc, &Secret::new("t"), now));
    }
}
