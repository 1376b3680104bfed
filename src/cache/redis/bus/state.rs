//! What the bus's tasks share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};

use super::Settings;
use crate::cache::redis::epoch::{Epoch, NodeId, Position, Seq};
use crate::cache::redis::lease::Lease;
use crate::cache::redis::line::Line;
use crate::cache::redis::memory::Memory;
use crate::cache::redis::protocol::{Applied, Follower, Moment, Seen, Terms};
use crate::cache::redis::roster::Roster;
use crate::cache::redis::scripts::Scripts;
use crate::cache::redis::tier::TokenTier;

/// Portions that may be announced again at once.
const MOST_UNCONFIRMED: usize = 64;

/// What the protocol knows.
pub(super) struct State {
    pub follower: Follower,
    pub seen: Seen,
    pub doubt: Option<Doubt>,
}

/// The node was told of another configuration and could not read it. Nobody was answered that the other one is in force
/// while this node renews its lease, so it may go on by the one before: but never again once the lease has ended.
pub(super) struct Doubt {
    /// Counts them.
    pub number: u64,
    epoch: Epoch,
    /// The last event whose configuration is in force.
    configured: Seq,
    until: Moment,
}

impl State {
    /// Another configuration cannot be read. To be called before its event counts as obeyed.
    pub fn doubt(&mut self) {
        let Some((epoch, configured)) = self.follower.applied() else { return };
        let until = self.follower.fresh_until();
        let doubt = self.doubt.get_or_insert(Doubt { number: 0, epoch, configured, until });
        doubt.number += 1;
    }

    /// How far the node has come.
    pub fn applied(&self) -> Option<Applied> {
        let (epoch, seq) = self.follower.applied()?;
        let doubted = self.doubt.as_ref().filter(|doubt| doubt.epoch == epoch);
        Some(Applied { epoch, seq, configured: doubted.map_or(seq, |doubt| doubt.configured) })
    }

    /// Until when the configuration in force may be gone by.
    fn configuration_until(&mut self, now: Moment) -> Moment {
        let fresh_until = self.follower.fresh_until();
        let Some(doubt) = &mut self.doubt else { return fresh_until };
        if now < doubt.until {
            doubt.until = fresh_until;
        }
        doubt.until.min(fresh_until)
    }
}

/// Where the bus ends.
pub(super) struct Ends {
    pub scripts: Scripts,
    pub control: Line,
    pub roster: Arc<dyn Roster>,
    pub memory: Arc<Mutex<Memory>>,
    pub tokens: TokenTier,
}

pub(super) struct Shared {
    pub node: NodeId,
    pub terms: Terms,
    pub lease: Lease,
    pub configuration: Lease,
    pub scripts: Scripts,
    pub control: Line,
    pub roster: Arc<dyn Roster>,
    pub memory: Arc<Mutex<Memory>>,
    pub tokens: TokenTier,
    state: Mutex<State>,
    /// A renewal is wanted now.
    pub renewal: Notify,
    /// The follower may want something.
    pub wanted: Notify,
    /// There is a doubt.
    pub doubted: Notify,
    /// How far all of the node has obeyed.
    pub applied: watch::Sender<Option<Applied>>,
    /// Something was seen of the others: whoever waits for them looks again.
    pub news: watch::Sender<u64>,
    /// Where listening goes on after everything was read anew.
    pub cursor: watch::Sender<Option<Position>>,
    /// Places for changes that are announced again.
    pub unconfirmed: Semaphore,
    stopped: AtomicBool,
}

impl Shared {
    pub fn new(settings: &Settings, ends: Ends) -> Self {
        let Ends { scripts, control, roster, memory, tokens } = ends;
        let lease = Lease::ended();
        let terms = Terms { lease: settings.lease, roster: settings.stale_limit.max(settings.lease) };
        Self {
            node: settings.node,
            terms,
            configuration: lease.beside(),
            lease,
            scripts,
            control,
            roster,
            memory,
            tokens,
            state: Mutex::new(State { follower: Follower::new(terms), seen: Seen::default(), doubt: None }),
            renewal: Notify::new(),
            wanted: Notify::new(),
            doubted: Notify::new(),
            applied: watch::Sender::new(None),
            news: watch::Sender::new(0),
            cursor: watch::Sender::new(None),
            unconfirmed: Semaphore::new(MOST_UNCONFIRMED),
            stopped: AtomicBool::new(false),
        }
    }

    pub fn now(&self) -> Moment {
        self.lease.now()
    }

    /// Looks at what the protocol knows.
    pub fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().expect("no holder of this lock panics"))
    }

    /// Tells the protocol something; then everybody learns what follows from it.
    pub fn tell<T>(&self, tell: impl FnOnce(&mut State) -> T) -> T {
        let told = self.tell_quietly(tell);
        self.news.send_modify(|number| *number = number.wrapping_add(1));
        self.wanted.notify_one();
        told
    }

    /// As [`Shared::tell`], where nobody waits for it.
    pub fn tell_quietly<T>(&self, tell: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        let told = tell(&mut state);
        // Within the lock: two threads must not set them in the wrong order.
        let is_over = self.stopped.load(Ordering::Acquire);
        let configuration_until = state.configuration_until(self.now());
        self.lease.set(if is_over { Moment::default() } else { state.follower.fresh_until() });
        self.configuration.set(if is_over { Moment::default() } else { configuration_until });
        let applied = state.applied();
        self.applied.send_if_modified(|known| std::mem::replace(known, applied) != applied);
        told
    }

    /// Nothing is trusted from now on.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.tell(|_| ());
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// The longest a publisher's clock may find another node's lease to last: clocks differ in speed.
    pub fn lease_with_margin(&self) -> Duration {
        self.terms.lease + self.terms.lease / 20
    }
}
