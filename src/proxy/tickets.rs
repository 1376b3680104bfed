//! Session tickets that every node of one keyring opens.

use std::sync::Arc;

use rustls::server::ProducesTickets;

use crate::domain::{Clock, Keyring, TICKET_PERIOD};

#[derive(Debug)]
pub(super) struct Tickets {
    pub keyring: Arc<Keyring>,
    pub clock: Clock,
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(TICKET_PERIOD).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.keyring.seal_ticket(plain, rand::random(), self.clock.now())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.keyring.open_ticket(cipher, self.clock.now())
    }
}
