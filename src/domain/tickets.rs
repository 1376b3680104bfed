//! Tickets that let a TLS client resume at any node (RFC 8446 §4.6.1, RFC 5077): sealed with keys that every holder of
//! the keyring derives for a period, and that are good for two.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::Mac;

use super::{Keyring, Timestamp};

/// Seconds for which one key seals.
pub const TICKET_PERIOD: i64 = 12 * 3600;
const NONCE_BYTES: usize = 12;

impl Keyring {
    /// Seals the state of a session: nonce, then ciphertext. `nonce` must be fresh random bytes.
    pub fn seal_ticket(&self, state: &[u8], nonce: [u8; NONCE_BYTES], now: Timestamp) -> Option<Vec<u8>> {
        let sealed = self.ticket_cipher(now.seconds() / TICKET_PERIOD).encrypt(&Nonce::from(nonce), state).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The state in a ticket of this period or the one before; `None` for anything else.
    pub fn open_ticket(&self, ticket: &[u8], now: Timestamp) -> Option<Vec<u8>> {
        let (nonce, sealed) = ticket.split_first_chunk::<NONCE_BYTES>()?;
        let period = now.seconds() / TICKET_PERIOD;
        [period, period - 1]
            .into_iter()
            .find_map(|period| self.ticket_cipher(period).decrypt(&Nonce::from(*nonce), sealed).ok())
    }

    fn ticket_cipher(&self, period: i64) -> Aes256Gcm {
        // Of this MAC nothing but a few letters of stamps is ever shown, and bodies of tokens have no spaces.
        let key = self.stamp_mac.clone().chain_update(b"tls session tickets ").chain_update(period.to_be_bytes());
        let key: [u8; 32] = key.finalize().into_bytes().into();
        Aes256Gcm::new(&key.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keyring(lookup: u8) -> Keyring {
        Keyring::new([lookup; 32], [2; 32])
    }

    #[test]
    fn tickets_open_at_every_holder_for_two_periods() {
        let at = |period: i64| Timestamp::from_seconds(period * TICKET_PERIOD + 5);
        let ticket = keyring(1).seal_ticket(b"state", [3; 12], at(10)).unwrap();
        let opened = |keyring: Keyring, period| keyring.open_ticket(&ticket, at(period));
        assert_eq!(opened(keyring(1), 10).as_deref(), Some(&b"state"[..]));
        assert_eq!(opened(keyring(1), 11).as_deref(), Some(&b"state"[..]));
        assert_eq!(opened(keyring(1), 12), None);
        assert_eq!(opened(keyring(1), 9), None);
        assert_eq!(opened(keyring(4), 10), None, "another keyring");
    }

    proptest! {
        #[test]
        fn nothing_forged_opens(ticket in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(keyring(1).open_ticket(&ticket, Timestamp::from_seconds(0)), None);
        }
    }
}
