//! Whether the store answers, as the keeper finds it twice in a lease.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::cache::redis::{Asked, Lease};

/// Shared by all threads of a node.
#[derive(Debug)]
pub struct Contact {
    is_away: AtomicBool,
    /// Fresh for the limit after the store last answered.
    known: Lease,
    limit: Duration,
}

impl Contact {
    /// `limit`: how long what is known may be told while the store is away (`cluster.stale_limit`).
    pub fn new(limit: Duration) -> Self {
        Self { is_away: AtomicBool::new(false), known: Lease::ended(), limit }
    }

    /// To be taken before the store is asked.
    pub(super) fn ask(&self) -> Asked {
        self.known.ask()
    }

    pub(super) fn answered(&self, asked: Asked) {
        self.known.renew(asked, self.limit);
        self.is_away.store(false, Ordering::Relaxed);
    }

    pub(super) fn silent(&self) {
        self.is_away.store(true, Ordering::Relaxed);
    }

    pub fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Whether what was known lately may be told without asking: the store is away, and not for too long.
    pub fn is_spared(&self) -> bool {
        self.is_away() && self.known.is_fresh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_spared_while_it_is_away_and_not_for_longer_than_the_limit() {
        let contact = Contact::new(Duration::from_secs(3600));
        assert!(!contact.is_spared());
        contact.silent();
        assert!(!contact.is_spared(), "it never answered");
        contact.answered(contact.ask());
        assert!(!contact.is_spared(), "it answers");
        contact.silent();
        assert!(contact.is_spared());
        let at_once = Contact::new(Duration::ZERO);
        at_once.answered(at_once.ask());
        at_once.silent();
        assert!(!at_once.is_spared());
    }
}
