//! What a node does that revokes.

use std::time::Duration;

use super::flaw::Flaw;
use super::world::{Ask, LEASE_MS, Revocation, World};
use crate::cache::redis::protocol::{Barrier, Verdict};

/// Keys there are.
const LAST_KEY: u8 = u8::MAX - 2;

impl World {
    /// The next key's revocation begins: committed, then made known.
    pub fn revoke(&mut self, node: usize) {
        if !self.nodes[node].has_database || self.good_from == LAST_KEY {
            return;
        }
        let lease = match self.flaw {
            Some(Flaw::PublisherDoesNotWaitForLeases) => Duration::ZERO,
            _ => Duration::from_millis(LEASE_MS + LEASE_MS / 20),
        };
        let key = self.good_from;
        self.good_from += 1;
        self.revocations.push(Revocation { node, key, barrier: Barrier::new(lease), is_over: false });
        self.pursue(self.revocations.len() - 1);
    }

    /// A publisher sends what may help. What it asks at once it may as well ask in turn.
    fn pursue(&mut self, revocation: usize) {
        let Revocation { node, barrier, .. } = &self.revocations[revocation];
        let (node, mark, missed) = (*node, barrier.mark(), barrier.missed());
        let has_to_publish = !barrier.has_published() || missed.is_some();
        let is_own = |of: usize| of == revocation;
        let is_publishing =
            self.is_asking(node, |ask| matches!(ask, Ask::Publish { revocation } if is_own(*revocation)));
        if has_to_publish && !is_publishing {
            self.send(node, Ask::Publish { revocation });
        }
        if let Some(epoch) = missed
            && self.pick(2) == 0
        {
            self.send(node, Ask::Close { epoch });
        }
        let is_calling = self.is_asking(node, |ask| matches!(ask, Ask::Roll { revocation, .. } if is_own(*revocation)));
        let is_hasty = self.flaw == Some(Flaw::RollIsCalledBeforePublishing) || self.pick(2) == 0;
        if !is_calling && (!has_to_publish || is_hasty) {
            self.send(node, Ask::Roll { revocation, mark });
        }
    }

    /// A publisher looks whether its changes are known.
    pub fn conclude(&mut self, node: usize) {
        let now = self.clock(node);
        for revocation in 0..self.revocations.len() {
            let of = &mut self.revocations[revocation];
            if of.is_over || of.node != node {
                continue;
            }
            if of.barrier.verdict(&self.nodes[node].seen, now) == Verdict::Known {
                of.is_over = true;
                self.revoked.insert(of.key);
            } else if of.barrier.wants_roll() || self.pick(8) == 0 {
                // Also now and then without a reason.
                self.pursue(revocation);
            }
        }
    }
}
