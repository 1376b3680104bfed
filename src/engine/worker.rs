//! What one worker thread holds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use uuid::Uuid;

use super::Node;
use crate::actors::{Bus, Caches, Credentials, Issuer, Join, Lease, Sources, Tally};
use crate::cache::redis::Hot;
use crate::cache::{Found, VerifiedSecrets};
use crate::domain::Timestamp;
use crate::telemetry::{AskedGrant, Meters, TokenRefusal};

/// The engine of one worker thread: its caches, its look-up actor, and the node behind them.
#[derive(Clone)]
pub struct Worker {
    pub node: Node,
    pub meters: Arc<Meters>,
    /// What it remembers may be answered only while this is fresh.
    pub(super) lease: Lease,
    /// Fresh: what this node was told of the configuration is in force.
    told: Lease,
    /// What Redis knows; `None`: this node is alone.
    pub(super) hot: Option<Hot>,
    caches: Rc<RefCell<Caches>>,
    pub(super) credentials: Addr<Credentials>,
    pub(super) issuer: Addr<Issuer>,
    pub(super) verified: Rc<RefCell<VerifiedSecrets>>,
    /// By application and service.
    tallies: Rc<RefCell<OwnTallies>>,
}

type OwnTallies = HashMap<(Uuid, Uuid), Arc<Tally>>;

/// Tallies that a worker holds: with more applications active at once it begins anew.
const MOST_TALLIES: usize = 10_000;

impl Worker {
    /// Starts a worker's engine on this thread. `trust`: how long a view is believed without asking the store again.
    pub fn start(node: &Node, trust: Duration) -> Self {
        let known_ms = i64::try_from(trust.as_millis()).unwrap_or(i64::MAX / 2);
        let caches = Rc::new(RefCell::new(Caches::new(known_ms)));
        let meters = node.meters.worker();
        let lease = node.bus.get().map_or_else(Lease::without_end, Bus::lease);
        // Whoever trusts nothing without asking the database does not ask Redis either.
        let hot = node.bus.get().filter(|_| !trust.is_zero()).map(|bus| Hot::open(bus, &node.keyring));
        let sources = Sources {
            store: node.store.clone(),
            tokens: hot.as_ref().map(|hot| hot.tokens.clone()),
            lease: lease.clone(),
            contact: Arc::clone(&node.contact),
            clock: node.clock.clone(),
            meters: Arc::clone(&meters),
        };
        let credentials = Credentials::start_with(sources, Rc::clone(&caches));
        // In its mailbox before this worker's first look-up, so before any invalidation of what that finds.
        node.link.try_send(Join(credentials.clone())).expect("the link was started, and workers are few");
        let issuer = Issuer::start_with(node.store.clone(), Arc::clone(&meters));
        Self {
            node: node.clone(),
            issuer,
            meters,
            lease,
            told: node.bus.get().map_or_else(Lease::without_end, Bus::configuration),
            hot,
            caches,
            credentials,
            verified: Rc::new(RefCell::new(VerifiedSecrets::new(rand::random()))),
            tallies: Rc::default(),
        }
    }

    /// Whether the configuration in force may be gone by: this node would have been told of another, or has looked. One
    /// that was not in force everywhere within a lease would let calls through that others refuse.
    pub fn is_current(&self) -> bool {
        self.told.is_fresh() || self.node.configuration.is_fresh()
    }

    /// What is remembered, while that may be trusted.
    pub(super) fn recall<V>(&self, get: impl FnOnce(&mut Caches, Timestamp) -> Option<Found<V>>) -> Option<Found<V>> {
        self.recall_at(self.node.clock.now(), get)
    }

    /// The same for a caller who has looked at the clock.
    pub(super) fn recall_at<V>(
        &self,
        now: Timestamp,
        get: impl FnOnce(&mut Caches, Timestamp) -> Option<Found<V>>,
    ) -> Option<Found<V>> {
        if !self.lease.is_fresh() {
            return None;
        }
        get(&mut self.caches.borrow_mut(), now)
    }

    /// Counts what became of a request to an OAuth 2.0 endpoint: `issued`, or the `error` that was answered.
    pub fn count_outcome(&self, grant: AskedGrant, outcome: &str) {
        self.meters.count_outcome(grant, outcome);
    }

    /// Counts a call whose token opened no door.
    pub fn count_refusal(&self, why: TokenRefusal) {
        self.meters.count_refusal(why);
    }

    /// Counts a call of an application to a service.
    pub fn count_call(&self, application: Uuid, service: Uuid, admitted: bool) {
        let mut tallies = self.tallies.borrow_mut();
        if let Some(tally) = tallies.get(&(application, service)) {
            return tally.count(admitted);
        }
        if tallies.len() >= MOST_TALLIES {
            tallies.clear();
        }
        if let Some(tally) = self.node.tallies.begin(application, service) {
            tally.count(admitted);
            tallies.insert((application, service), tally);
        }
    }
}
