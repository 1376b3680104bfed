//! Nodes, database, messages under way, and what must hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand::rngs::StdRng;
use uuid::Uuid;

use super::server::{Answer, Renewal, Server};
use crate::cache::redis::epoch::{Epoch, NodeId, Position, Seq};
use crate::cache::redis::event::Event;
use crate::cache::redis::memory::{Memory, Stamp};
use crate::cache::redis::protocol::barrier::Mark;
use crate::cache::redis::protocol::{Barrier, Follower, Member, Moment, Roll, Seen, Terms};
use crate::domain::{TokenDigest, TokenView};

pub const LEASE_MS: u64 = 100;
pub const ROSTER_MS: u64 = 1_000;
pub const KEYS: u8 = 3;

/// A rule left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    EpochOutlivesItsProcess,
    EpochsAreEnteredWithoutARow,
    RowsAreWrittenAfterForgetting,
    LostEventsAreForgiven,
    ObeyedOnceHeard,
    LeaseCountsFromTheAnswer,
    PublisherDoesNotWaitForLeases,
    RollIsCalledBeforePublishing,
    ClosedEpochsAreEntered,
    EpochsStayOpen,
    OldFillsLand,
    EveryValueIsBelieved,
    StampIsTakenAfterTheDatabase,
    RowsNeverRunOut,
}

impl Flaw {
    pub const ALL: [Self; 14] = [
        Self::EpochOutlivesItsProcess,
        Self::EpochsAreEnteredWithoutARow,
        Self::RowsAreWrittenAfterForgetting,
        Self::LostEventsAreForgiven,
        Self::ObeyedOnceHeard,
        Self::LeaseCountsFromTheAnswer,
        Self::PublisherDoesNotWaitForLeases,
        Self::RollIsCalledBeforePublishing,
        Self::ClosedEpochsAreEntered,
        Self::EpochsStayOpen,
        Self::OldFillsLand,
        Self::EveryValueIsBelieved,
        Self::StampIsTakenAfterTheDatabase,
        Self::RowsNeverRunOut,
    ];
}

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

#[derive(Debug)]
pub struct Message {
    pub node: usize,
    pub server: usize,
    pub sent: Moment,
    pub ask: Ask,
    pub reply: Option<Reply>,
}

pub struct Node {
    pub id: NodeId,
    pub follower: Follower,
    pub memory: Memory,
    pub seen: Seen,
    /// Keys that the node remembers as good.
    pub cache: BTreeSet<u8>,
    pub generation: u64,
    pub orders: VecDeque<(u64, Order)>,
    pub cursor: Position,
    pub server: usize,
    pub has_database: bool,
    /// Thousandths that its clock runs per thousandth of the world's.
    pub speed: u64,
    pub is_dead: bool,
    /// A row that should have been written before everything was forgotten (only by a flaw): until it is, the node
    /// trusts nothing.
    pub owes_row: Option<(Epoch, u64)>,
}

/// A key being revoked.
pub struct Revocation {
    pub node: usize,
    pub key: u8,
    pub barrier: Barrier,
    pub is_done: bool,
}

pub struct World {
    pub random: StdRng,
    pub flaw: Option<Flaw>,
    /// Thousandths of milliseconds.
    pub now: u64,
    pub servers: Vec<Server>,
    pub copies: Vec<Server>,
    pub nodes: Vec<Node>,
    pub messages: Vec<Message>,
    /// Rows of the roster: the member, the number of the row, and when it was last seen to.
    pub rows: BTreeMap<NodeId, (Member, u64, u64)>,
    /// The latest epoch that a node entered, and whether it is open.
    pub latest: Option<(Epoch, bool)>,
    pub revoked: BTreeSet<u8>,
    pub revocations: Vec<Revocation>,
    /// Every "this key is good" that was ever written to Redis.
    pub values: Vec<(u8, Stamp)>,
    pub next_id: u64,
    /// How often a node trusted its memory, and believed a value of Redis.
    pub trusted: usize,
    pub believed: usize,
}

pub fn digest(key: u8) -> TokenDigest {
    TokenDigest([key; 32])
}

pub fn view(key: u8) -> TokenView {
    TokenView { id: Uuid::from_u128(u128::from(key) + 1_000), ..crate::cache::redis::memory::tests::view() }
}

impl World {
    pub fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub fn add_node(&mut self, speed: u64) {
        let id = NodeId(Uuid::from_u128(u128::from(self.fresh_id())));
        let roster_ms = if self.flaw == Some(Flaw::RowsNeverRunOut) { 1_000 * ROSTER_MS } else { ROSTER_MS };
        let terms = Terms { lease: Duration::from_millis(LEASE_MS), roster: Duration::from_millis(roster_ms) };
        self.nodes.push(Node {
            id,
            follower: Follower::new(terms),
            memory: Memory::new(8),
            seen: Seen::default(),
            cache: BTreeSet::new(),
            generation: 0,
            orders: VecDeque::new(),
            cursor: Position { epoch: Epoch::new(0, 0), seq: 0 },
            server: 0,
            has_database: true,
            speed,
            is_dead: false,
            owes_row: None,
        });
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
        let done: BTreeSet<u8> = self.revocations.iter().filter(|of| of.is_done).map(|of| of.key).collect();
        for index in 0..self.nodes.len() {
            let now = self.clock(index);
            let node = &self.nodes[index];
            if node.is_dead || node.owes_row.is_some() || now >= node.follower.fresh_until() {
                continue;
            }
            self.trusted += usize::from(!node.cache.is_empty());
            if let Some(key) = node.cache.intersection(&done).next() {
                return Err(format!("node {index} remembers key {key} as good: {:?}", node.follower));
            }
            for (key, stamp) in &self.values {
                let is_believed = self.believes(node, *key, *stamp);
                self.believed += usize::from(is_believed);
                if is_believed && done.contains(key) {
                    return Err(format!("node {index} believes {stamp:?} for key {key}: {:?}", node.memory));
                }
            }
        }
        Ok(())
    }

    pub fn believes(&self, node: &Node, key: u8, stamp: Stamp) -> bool {
        if self.flaw == Some(Flaw::EveryValueIsBelieved) {
            return node.memory.position().is_some_and(|position| position.epoch == stamp.epoch);
        }
        node.memory.believes(digest(key), &view(key), stamp)
    }
}
