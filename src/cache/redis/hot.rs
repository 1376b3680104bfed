//! What one worker asks Redis on the way of requests, over one connection.

use super::bus::Bus;
use super::codes::CodeTier;
use super::counters::Counters;
use super::dial::Purpose;
use super::line::Line;
use super::tier::TokenTier;
use crate::domain::Keyring;

/// One per worker. Clones share everything.
#[derive(Clone)]
pub struct Hot {
    pub tokens: TokenTier,
    pub codes: CodeTier,
    pub counters: Counters,
}

impl Hot {
    /// Connects in the background, on the runtime of this thread. The keyring may be rotated later: what is used of it
    /// here never changes.
    pub fn open(bus: &Bus, keyring: &Keyring) -> Self {
        let dialer = bus.dialer();
        let prefix = dialer.prefix().to_owned();
        let line = Line::open(dialer, Purpose::Hot);
        Self {
            tokens: TokenTier::new(line.clone(), bus.memory(), keyring, &prefix),
            codes: CodeTier::new(line.clone(), keyring, &prefix),
            counters: Counters::new(line, keyring, &prefix),
        }
    }
}
