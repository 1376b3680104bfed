//! The bus: one task set per node that keeps its lease, hears what others tell, and has every node told.
//!
//! **Invariants:** an event is obeyed by all of the node before it is acknowledged; `announce` answers `Ok` only when
//! no node can trust anything from before the change; every wait is bounded by the lease and half a second.
//!
//! **Absent on purpose:** the rules (`protocol`), what obeying means (`actors`), the roster's table (`storage`).

mod announce;
mod follow;
mod listen;
mod state;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

pub use announce::Unconfirmed;
use state::{Ends, Shared};

use super::counters::Counters;
use super::dial::{Dialer, Purpose};
use super::epoch::NodeId;
use super::error::RedisError;
use super::event::Event;
use super::lease::Lease;
use super::line::Line;
use super::memory::Memory;
use super::roster::Roster;
use super::scripts::{Keys, Scripts};
use super::tier::TokenTier;
use crate::domain::{Keyring, Secret};

/// Events of which a node remembers what they were about, to judge older values in Redis by.
const REMEMBERED: usize = 16_384;
/// Changes that may wait to be announced; beyond it a change is answered as not confirmed.
const MOST_WAITING: usize = 4096;

/// What the node has to do before an event counts as obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Obey(Event),
    /// Something may have been missed: nothing that is remembered counts, and the configuration must be read anew.
    Restart,
}

/// What became of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obeyed {
    All,
    /// The database is away, so that another configuration could not be read. It will be tried again.
    AllButConfiguration,
    /// Not (yet): all of it will be asked again.
    No,
}

/// Has all of the node obey.
pub type Obey = Arc<dyn Fn(Arc<[Order]>) -> Pin<Box<dyn Future<Output = Obeyed> + Send>> + Send + Sync>;

/// What a bus is made of.
pub struct Settings {
    pub url: Secret,
    pub node: NodeId,
    pub keyring: Arc<Keyring>,
    /// How long a node may trust what it remembers without an answer from Redis.
    pub lease: Duration,
    /// How long without finding its row in the roster.
    pub stale_limit: Duration,
}

/// The node's end of the bus. Clones share it.
#[derive(Clone)]
pub struct Bus {
    shared: Arc<Shared>,
    dialer: Arc<Dialer>,
    counters: Counters,
    announcements: mpsc::Sender<announce::Announcement>,
    lines: [Line; 3],
}

/// A bus at one moment.
#[derive(Clone, Copy, Debug)]
pub struct BusState {
    /// Connections to Redis.
    pub connections: usize,
    /// Changes that wait to be announced, and how many may.
    pub waiting: usize,
    pub most_waiting: usize,
    /// Nodes that have renewed their lease within its length, and those that have not.
    pub live: usize,
    pub silent: usize,
    /// How long ago that was asked whose answer renewed this node's lease last.
    pub lease_age: Duration,
}

impl Bus {
    /// Joins the bus, on the runtime of this thread and its local tasks. Redis may still be away.
    ///
    /// # Errors
    /// The URL is none of ours, or a file it names cannot be read.
    pub fn join(settings: Settings, roster: Arc<dyn Roster>, obey: Obey) -> Result<Self, RedisError> {
        let dialer = Arc::new(Dialer::new(&settings.url)?);
        let keys = Keys::new(dialer.prefix());
        let control = Line::open(Arc::clone(&dialer), Purpose::Control);
        let listening = Line::open(Arc::clone(&dialer), Purpose::Listening(listen::BLOCK));
        let scripts = Scripts::new(control.clone(), keys.clone());
        let memory = Arc::new(Mutex::new(Memory::new(REMEMBERED)));
        let hot = Line::open(Arc::clone(&dialer), Purpose::Hot);
        let tokens = TokenTier::new(hot.clone(), Arc::clone(&memory), &settings.keyring, dialer.prefix());
        let lines = [control.clone(), listening.clone(), hot.clone()];
        let counters = Counters::new(hot, &settings.keyring, dialer.prefix());
        let shared = Arc::new(Shared::new(&settings, Ends { scripts, control, roster, memory, tokens }));
        let (orders, given) = mpsc::unbounded_channel();
        let (announcements, announced) = mpsc::channel(MOST_WAITING);
        tokio::spawn(follow::renew(Arc::clone(&shared)));
        tokio::spawn(follow::fulfil(Arc::clone(&shared), orders.clone()));
        // What obeying means may need tasks of this thread.
        tokio::task::spawn_local(follow::end_doubt(Arc::clone(&shared), Arc::clone(&obey)));
        tokio::task::spawn_local(follow::obey(Arc::clone(&shared), obey, given));
        tokio::spawn(follow::acknowledge(Arc::clone(&shared)));
        tokio::spawn(follow::strike_the_dead(Arc::clone(&shared)));
        tokio::spawn(listen::listen(Arc::clone(&shared), listening, keys, orders));
        tokio::spawn(announce::announce(Arc::clone(&shared), announced));
        Ok(Self { shared, dialer, counters, announcements, lines })
    }

    /// Until when what is remembered of tokens, clients and consumers may be trusted.
    pub fn lease(&self) -> Lease {
        self.shared.lease.clone()
    }

    /// Until when the configuration in force may be gone by. It ends with the lease, and sooner when another one is
    /// stored and could not be read.
    pub fn configuration(&self) -> Lease {
        self.shared.configuration.clone()
    }

    /// The counts that nodes share.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the node has heard, to judge values in Redis by.
    pub(super) fn memory(&self) -> Arc<Mutex<Memory>> {
        Arc::clone(&self.shared.memory)
    }

    pub(super) fn dialer(&self) -> Arc<Dialer> {
        Arc::clone(&self.dialer)
    }

    /// # Errors
    /// Why Redis cannot be asked now.
    pub fn status(&self) -> Result<(), RedisError> {
        self.shared.control.status()
    }

    /// What there is to tell of it.
    pub fn state(&self) -> BusState {
        let (now, lease) = (self.shared.now(), self.shared.terms.lease);
        let (known, silent) =
            self.shared.with(|state| (state.seen.renewals().count(), state.seen.silent(now, lease).count()));
        BusState {
            connections: self.lines.iter().map(Line::connections).sum(),
            waiting: self.announcements.max_capacity() - self.announcements.capacity(),
            most_waiting: self.announcements.max_capacity(),
            live: known - silent,
            silent,
            lease_age: self.shared.lease.age(lease),
        }
    }

    /// How long a change may take from its beginning to its answer: the lease and nearly a second.
    pub fn patience(&self) -> Duration {
        self.shared.terms.lease + Duration::from_millis(900)
    }

    /// Whether the node is in an epoch of the bus, so that others reach it.
    pub fn is_following(&self) -> bool {
        self.shared.with(|state| state.follower.applied().is_some())
    }

    /// Leaves the roster: nobody need wait for this node any more. To be called last.
    pub async fn leave(&self) {
        self.shared.stop();
        if let Err(error) = self.shared.roster.leave(self.shared.node).await {
            tracing::warn!(%error, "this node's row stays in the roster until the others find it dead");
        }
    }
}
