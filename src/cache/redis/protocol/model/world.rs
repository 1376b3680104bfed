//! Nodes, database, messages under way, and what must hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::flaw::Flaw;
use super::server::{Answer, Renewal, Server};
use super::weather::Weather;
use crate::cache::redis::epoch::{Epoch, NodeId, Position, Seq};
use crate::cache::redis::event::Event;
use crate::cache::redis::memory::{self, Memory, Stamp};
use crate::cache::redis::protocol::barrier::Mark;
use crate::cache::redis::protocol::{Barrier, Follower, Member, Moment, Roll, Seen, Terms};
use crate::domain::{TokenDigest, TokenView};

pub const LEASE_MS: u64 = 100;
pub const ROSTER_MS: u64 = 200;
/// Events that a node remembers.
const REMEMBERED: usize = 8;

/// What the node is given to obey.
#[derive(Clone, Debug)]
pub enum Order {
    Forget(Event),
    ForgetEverything,
}

/// Something sent whose effect, and then whose answer, come later or never.
#[derive(Debug)]
pub enum Ask {
    Renew(Renewal),
    Read,
    Load(Epoch),
    Acknowledge(Epoch, Seq),
    Row {
        epoch: Option<Epoch>,
        turn: u64,
    },
    Confirm {
        turn: u64,
    },
    /// The database is asked for a key.
    Fill {
        key: u8,
        generation: u64,
        stamp: Option<Stamp>,
    },
    /// Redis is asked for a key: any value that was ever there may come back.
    Fetch {
        key: u8,
        generation: u64,
    },
    Publish {
        revocation: usize,
    },
    Roll {
        revocation: usize,
        mark: Mark,
    },
    /// An epoch in which a change was not published is to be closed.
    Close {
        epoch: Epoch,
    },
}

#[derive(Debug)]
pub enum Reply {
    Renewed(Answer),
    Events(Vec<(Epoch, Seq, Event)>, Vec<(NodeId, Epoch, Seq)>),
    Loaded(Option<(Seq, Vec<(Seq, Event)>)>),
    Done,
    /// The row was not written: only later generations may be entered.
    Refused(u64),
    Stands(bool),
    Alive(bool),
    Value(Option<Stamp>),
    Published(Position, Answer),
    Called(Roll),
}

/// What a message waits for, apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    Not,
    BeforeItsEffect,
    BeforeItsAnswer,
}

#[derive(Debug)]
pub struct Message {
    pub node: usize,
    pub from: NodeId,
    pub server: usize,
    pub sent: Moment,
    pub ask: Ask,
    pub reply: Option<Reply>,
    pub late: Late,
    /// Whether anybody waits for the answer.
    pub is_awaited: bool,
}

pub struct Node {
    pub id: NodeId,
    pub follower: Follower,
    pub memory: Memory,
    pub seen: Seen,
    /// The epoch that Redis was in when it was last asked.
    pub seen_in: Option<Epoch>,
    /// Keys that the node remembers as good.
    pub cache: BTreeSet<u8>,
    pub generation: u64,
    pub orders: VecDeque<(u64, Order)>,
    pub cursor: Position,
    pub server: usize,
    pub has_database: bool,
    /// Thousandths that its clock runs per thousandth of the world's.
    speed: u64,
    /// A row that should have been written before everything was forgotten (only by a flaw): until it is, the node
    /// trusts nothing.
    pub owes_row: Option<(Epoch, u64)>,
}

/// A key being revoked.
pub struct Revocation {
    pub node: usize,
    pub key: u8,
    pub barrier: Barrier,
    /// Nobody pursues it any more.
    pub is_over: bool,
}

pub struct World {
    pub random: StdRng,
    pub flaw: Option<Flaw>,
    pub weather: Weather,
    /// Thousandths of milliseconds.
    pub now: u64,
    pub servers: Vec<Server>,
    pub copies: Vec<Server>,
    pub nodes: Vec<Node>,
    /// Who does most just now, and who does nothing.
    pub busy: usize,
    pub napping: Option<usize>,
    pub messages: Vec<Message>,
    /// Rows of the roster: the member, the number of the row, and when it was last seen to.
    pub rows: BTreeMap<NodeId, (Member, u64, u64)>,
    /// The latest epoch that a node entered, and whether it is open.
    pub latest: Option<(Epoch, bool)>,
    /// Keys are revoked one after the other: this one and all later ones are good.
    pub good_from: u8,
    pub revocations: Vec<Revocation>,
    /// Keys that were revoked with success.
    pub revoked: BTreeSet<u8>,
    /// Every "this key is good" that was ever written to Redis.
    pub values: Vec<(u8, Stamp)>,
    next_id: u64,
    /// How often a node trusted its memory, and believed a value of Redis.
    pub trusted: usize,
    pub believed: usize,
}

pub fn digest(key: u8) -> TokenDigest {
    TokenDigest([key; 32])
}

fn view(key: u8) -> &'static TokenView {
    static VIEWS: LazyLock<Vec<TokenView>> = LazyLock::new(|| {
        let view = |key: u8| TokenView { id: Uuid::from_u128(1_000 + u128::from(key)), ..memory::tests::view() };
        (0..=u8::MAX).map(view).collect()
    });
    &VIEWS[usize::from(key)]
}

impl World {
    /// One server, and nodes that have just started.
    pub fn new(seed: u64, flaw: Option<Flaw>, nodes: RangeInclusive<usize>) -> Self {
        let mut world = Self {
            random: StdRng::seed_from_u64(seed),
            flaw,
            weather: Weather::default(),
            now: 1_000_000,
            servers: vec![Server::new(1, None)],
            copies: Vec::new(),
            nodes: Vec::new(),
            busy: 0,
            napping: None,
            messages: Vec::new(),
            rows: BTreeMap::new(),
            latest: None,
            good_from: 0,
            revocations: Vec::new(),
            revoked: BTreeSet::new(),
            values: Vec::new(),
            next_id: 1,
            trusted: 0,
            believed: 0,
        };
        for _ in 0..world.random.random_range(nodes) {
            let speed = world.random.random_range(980..=1020);
            let node = world.new_node(0, speed);
            world.nodes.push(node);
        }
        world
    }

    pub fn pick(&mut self, below: usize) -> usize {
        self.random.random_range(0..below)
    }

    pub fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn new_node(&mut self, server: usize, speed: u64) -> Node {
        let roster_ms = if self.flaw == Some(Flaw::RowsNeverRunOut) { 1_000 * ROSTER_MS } else { ROSTER_MS };
        let terms = Terms { lease: Duration::from_millis(LEASE_MS), roster: Duration::from_millis(roster_ms) };
        Node {
            id: NodeId(Uuid::from_u128(u128::from(self.fresh_id()))),
            follower: Follower::new(terms),
            memory: Memory::new(REMEMBERED),
            seen: Seen::default(),
            seen_in: None,
            cache: BTreeSet::new(),
            generation: 0,
            orders: VecDeque::new(),
            cursor: Position { epoch: Epoch::new(0, 0), seq: 0 },
            server,
            has_database: true,
            speed,
            owes_row: None,
        }
    }

    /// The process ends, and another begins in its place. What the old one has sent may yet have its effect.
    pub fn restart_node(&mut self, node: usize) {
        let Node { id, server, speed, .. } = self.nodes[node];
        if self.pick(2) == 0 {
            // In good order.
            self.rows.remove(&id);
        }
        self.nodes[node] = self.new_node(server, speed);
        self.messages.iter_mut().filter(|of| of.node == node).for_each(|of| of.is_awaited = false);
        self.revocations.iter_mut().filter(|of| of.node == node).for_each(|of| of.is_over = true);
    }

    /// What a node's clock shows: each runs at a speed of its own and began at another time.
    pub fn clock(&self, node: usize) -> Moment {
        let began = 1_000_000_000_000 * (node as u64 + 1);
        Moment(began + self.now * self.nodes[node].speed)
    }

    /// What must hold after every step.
    ///
    /// # Errors
    /// Which node trusts what was revoked.
    pub fn check(&mut self) -> Result<(), String> {
        for index in 0..self.nodes.len() {
            let now = self.clock(index);
            let node = &self.nodes[index];
            if node.owes_row.is_some() || now >= node.follower.fresh_until() {
                continue;
            }
            self.trusted += usize::from(!node.cache.is_empty());
            if let Some(key) = node.cache.intersection(&self.revoked).next() {
                return Err(format!("node {index} remembers key {key} as good: {:?}", node.follower));
            }
            let mut gone = self.values.iter().filter(|(key, _)| self.revoked.contains(key));
            if let Some((key, stamp)) = gone.find(|(key, stamp)| self.believes(node, *key, *stamp)) {
                return Err(format!("node {index} believes {stamp:?} for key {key}: {:?}", node.memory));
            }
        }
        Ok(())
    }

    pub fn believes(&self, node: &Node, key: u8, stamp: Stamp) -> bool {
        if self.flaw == Some(Flaw::EveryValueIsBelieved) {
            return node.memory.position().is_some_and(|position| position.epoch == stamp.epoch);
        }
        node.memory.believes(digest(key), view(key), stamp)
    }
}
