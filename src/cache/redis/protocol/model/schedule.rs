//! The steps of the world, and the order they come in.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::server::{Renewal, Server};
use super::world::{Ask, Flaw, KEYS, LEASE_MS, Message, Order, ROSTER_MS, Revocation, World, digest};
use crate::cache::redis::epoch::{Epoch, Seq};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::{Barrier, Heard, Roll, Verdict, Want};

const NODES: usize = 3;

/// How a run without faults went.
#[derive(Debug)]
pub struct Told {
    pub revoked: usize,
    pub trusted: usize,
    pub believed: usize,
}

fn new_world(seed: u64, flaw: Option<Flaw>) -> World {
    let mut world = World {
        random: StdRng::seed_from_u64(seed),
        flaw,
        now: 1_000_000,
        servers: vec![Server::new(1, None)],
        copies: Vec::new(),
        nodes: Vec::new(),
        messages: Vec::new(),
        rows: Default::default(),
        latest: None,
        revoked: Default::default(),
        revocations: Vec::new(),
        values: Vec::new(),
        next_id: 1,
        trusted: 0,
        believed: 0,
    };
    for _ in 0..NODES {
        let speed = world.random.random_range(980..=1020);
        world.add_node(speed);
    }
    world
}

/// Runs `steps` random steps.
///
/// # Errors
/// What went wrong, and when.
pub fn run(seed: u64, steps: usize, flaw: Option<Flaw>) -> Result<(), String> {
    let mut world = new_world(seed, flaw);
    for step in 0..steps {
        world.step();
        world.check().map_err(|fault| format!("seed {seed}, step {step}: {fault}"))?;
    }
    Ok(())
}

/// Nothing fails and no message is lost: changes must get through, and memory must be of use.
pub fn run_calmly() -> Told {
    let mut world = new_world(7, None);
    let mut revoked = 0;
    for round in 0..20 {
        for _ in 0..4 {
            (0..NODES).for_each(|node| world.run_smoothly(node));
            world.now += 10_000;
        }
        // A key is good again: other keys would do, but are few.
        world.revoked.clear();
        world.revocations.clear();
        world.values.clear();
        let key = round % KEYS;
        (0..NODES).for_each(|node| world.ask_fill(node, key));
        (0..NODES).for_each(|node| world.run_smoothly(node));
        world.check().unwrap();
        world.revoke(usize::from(round) % NODES, key);
        for _ in 0..3 {
            (0..NODES).for_each(|node| world.run_smoothly(node));
            world.conclude();
        }
        world.check().unwrap();
        revoked += world.revocations.iter().filter(|of| of.is_done).count();
    }
    Told { revoked, trusted: world.trusted, believed: world.believed }
}

impl World {
    fn pick(&mut self, below: usize) -> usize {
        self.random.random_range(0..below)
    }

    fn step(&mut self) {
        let node = self.pick(self.nodes.len());
        match self.pick(100) {
            0..28 => self.run_smoothly(node),
            28..44 => self.touch_message(),
            44..48 => self.ask_renew(node),
            48..51 => self.send(node, Ask::Read),
            51..56 => {
                let key = self.pick(usize::from(KEYS)) as u8;
                self.ask_fill(node, key);
            }
            56..60 => self.ask_fetch(node),
            60..63 => self.ask_want(node),
            63..67 => self.apply_one(node),
            67..78 => {
                let most = [5_000, 20_000, 60_000, 400_000][self.pick(4)];
                self.now += self.random.random_range(0..most);
            }
            78..83 => {
                let key = self.pick(usize::from(KEYS)) as u8;
                self.revoke(node, key);
            }
            83..90 => self.conclude(),
            _ => self.fault(node),
        }
        let clock = self.clock(node);
        self.nodes[node].follower.tick(clock);
    }

    /// Everything a node has under way goes well, again and again.
    pub fn run_smoothly(&mut self, node: usize) {
        if self.nodes[node].is_dead {
            return;
        }
        for _ in 0..4 {
            self.ask_want(node);
            self.ask_renew(node);
            self.send(node, Ask::Read);
            self.ask_acknowledge(node);
            while let Some(at) = self.messages.iter().position(|message| message.node == node) {
                if !self.take_effect(at) {
                    self.messages.swap_remove(at);
                    continue;
                }
                self.answer(at);
            }
            while !self.nodes[node].orders.is_empty() {
                self.apply_one(node);
            }
        }
    }

    /// A message has its effect, or is answered, or is lost.
    fn touch_message(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let at = self.pick(self.messages.len());
        match self.pick(10) {
            0 => drop(self.messages.swap_remove(at)),
            _ if self.messages[at].reply.is_none() => drop(self.take_effect(at)),
            _ => self.answer(at),
        }
    }

    pub fn send(&mut self, node: usize, ask: Ask) {
        let of = &self.nodes[node];
        if !of.is_dead && self.messages.len() < 60 {
            let message = Message { node, server: of.server, sent: self.clock(node), ask, reply: None };
            self.messages.push(message);
        }
    }

    fn is_asking(&self, node: usize, is: impl Fn(&Ask) -> bool) -> bool {
        self.messages.iter().any(|message| message.node == node && is(&message.ask))
    }

    fn ask_renew(&mut self, node: usize) {
        if self.is_asking(node, |ask| matches!(ask, Ask::Renew(_))) {
            return;
        }
        let (of, now) = (&self.nodes[node], self.clock(node));
        let silence = Duration::from_millis(LEASE_MS * 3);
        let (received, obeyed) = (of.follower.received(), of.follower.applied());
        let (silent, floor) = (of.seen.silent(now, silence).collect(), of.follower.floor());
        self.send(node, Ask::Renew(Renewal { node: of.id, floor, received, obeyed, silent }));
    }

    fn ask_acknowledge(&mut self, node: usize) {
        if let Some((epoch, seq)) = self.nodes[node].follower.applied() {
            self.send(node, Ask::Acknowledge(epoch, seq));
        }
    }

    fn ask_want(&mut self, node: usize) {
        let is_own_business = |ask: &Ask| matches!(ask, Ask::Row { .. } | Ask::Confirm { .. } | Ask::Load(_));
        if self.nodes[node].is_dead || self.is_asking(node, is_own_business) {
            return;
        }
        let now = self.clock(node);
        match self.nodes[node].follower.want(now) {
            Want::Nothing => {}
            Want::Row { epoch: Some(epoch), turn } if self.flaw == Some(Flaw::EpochsAreEnteredWithoutARow) => {
                self.nodes[node].follower.row_written(Some(epoch), turn, now);
            }
            Want::Row { epoch: Some(epoch), turn } if self.flaw == Some(Flaw::RowsAreWrittenAfterForgetting) => {
                self.nodes[node].follower.row_written(Some(epoch), turn, now);
                self.nodes[node].owes_row = Some((epoch, turn));
            }
            Want::Row { epoch, turn } => self.send(node, Ask::Row { epoch, turn }),
            Want::Confirm { turn } => self.send(node, Ask::Confirm { turn }),
            Want::Load(epoch) => self.send(node, Ask::Load(epoch)),
        }
        if let Some((epoch, turn)) = self.nodes[node].owes_row
            && self.nodes[node].follower.applied().is_some()
        {
            self.send(node, Ask::Row { epoch: Some(epoch), turn });
        }
    }

    pub fn ask_fill(&mut self, node: usize, key: u8) {
        let of = &self.nodes[node];
        let (generation, stamp) = (of.generation, of.memory.position());
        self.send(node, Ask::Fill { key, generation, stamp });
    }

    fn ask_fetch(&mut self, node: usize) {
        let key = self.pick(usize::from(KEYS)) as u8;
        let generation = self.nodes[node].generation;
        self.send(node, Ask::Fetch { key, generation });
    }

    /// One order is obeyed by all of the node.
    fn apply_one(&mut self, node: usize) {
        let of = &mut self.nodes[node];
        let Some((ticket, order)) = of.orders.pop_front() else { return };
        of.generation += 1;
        match order {
            Order::Forget(Event::Token(gone)) => of.cache.retain(|key| digest(*key) != gone),
            Order::Forget(_) | Order::ForgetEverything => of.cache.clear(),
        }
        of.follower.obeyed(ticket);
    }

    pub fn give(&mut self, node: usize, order: Order) {
        let of = &mut self.nodes[node];
        let Some(ticket) = of.follower.deliver() else { return };
        of.orders.push_back((ticket, order));
        if self.flaw == Some(Flaw::ObeyedOnceHeard) {
            of.follower.obeyed(ticket);
        }
    }

    pub fn hear(&mut self, node: usize, epoch: Epoch, seq: Seq, event: Event) {
        if self.flaw == Some(Flaw::LostEventsAreForgiven)
            && let Some((known, received)) = self.nodes[node].follower.received()
            && known == epoch
        {
            (received + 1..seq).for_each(|missed| drop(self.nodes[node].follower.heard(epoch, missed)));
        }
        match self.nodes[node].follower.heard(epoch, seq) {
            Heard::Next => {
                self.nodes[node].memory.record(seq, &event);
                self.give(node, Order::Forget(event));
            }
            Heard::Ignored | Heard::Gap => {}
            Heard::Foreign => self.ask_renew(node),
        }
    }

    /// A key's revocation begins: committed, then made known.
    pub fn revoke(&mut self, node: usize, key: u8) {
        if self.nodes[node].is_dead || !self.nodes[node].has_database || self.revoked.contains(&key) {
            return;
        }
        let lease = match self.flaw {
            Some(Flaw::PublisherDoesNotWaitForLeases) => Duration::ZERO,
            _ => Duration::from_millis(LEASE_MS + LEASE_MS / 20),
        };
        self.revoked.insert(key);
        self.revocations.push(Revocation { node, key, barrier: Barrier::new(lease), is_done: false });
        self.pursue(self.revocations.len() - 1);
    }

    /// A publisher sends what may help.
    fn pursue(&mut self, revocation: usize) {
        let Revocation { node, barrier, .. } = &self.revocations[revocation];
        let (node, mark, missed) = (*node, barrier.mark(), barrier.missed());
        let has_published = self.revocations[revocation].barrier.has_published();
        if !has_published || missed.is_some() {
            self.send(node, Ask::Publish { revocation });
        }
        if let Some(epoch) = missed
            && self.pick(2) == 0
        {
            self.send(node, Ask::Close { epoch });
        }
        self.send(node, Ask::Roll { revocation, mark });
    }

    /// Publishers look whether their changes are known.
    pub fn conclude(&mut self) {
        for revocation in 0..self.revocations.len() {
            let of = &mut self.revocations[revocation];
            if self.nodes[of.node].is_dead || of.is_done {
                continue;
            }
            let now = self.clock(self.revocations[revocation].node);
            let of = &mut self.revocations[revocation];
            of.is_done = of.barrier.verdict(&self.nodes[of.node].seen, now) == Verdict::Known;
            if !of.is_done && of.barrier.wants_roll() {
                self.pursue(revocation);
            }
        }
    }

    pub fn roll(&self) -> Roll {
        let open = self.latest.filter(|(_, is_open)| *is_open && self.flaw != Some(Flaw::EpochsStayOpen));
        Roll { open: open.map(|(epoch, _)| epoch), members: self.rows.values().map(|(member, ..)| *member).collect() }
    }

    fn fault(&mut self, node: usize) {
        let server = self.pick(self.servers.len());
        match self.pick(12) {
            0 => self.copies.push(self.servers[server].clone()),
            // A replica is promoted, without the last writes; what it replaces may live on.
            1 | 2 if !self.copies.is_empty() && self.servers.len() < 4 => {
                let at = self.pick(self.copies.len());
                let (process, state) = (self.fresh_id(), self.copies[at].state.clone());
                self.servers.push(Server::new(process, state));
            }
            3 => {
                let at = self.pick(self.copies.len() + 1);
                let state = self.copies.get(at).and_then(|copy| copy.state.clone());
                self.servers[server] = Server::new(self.fresh_id(), state);
            }
            4 => self.servers[server].state = None,
            // Others publish, and what is old is given up.
            5 => {
                for _ in 0..self.pick(3) {
                    let nonce = self.random.next_u64();
                    self.servers[server].publish(Event::Configuration, nonce, self.flaw);
                }
                let keep = self.pick(3);
                self.servers[server].trim(keep);
            }
            6 => self.servers[server].hangs = !self.servers[server].hangs,
            7 | 8 => self.nodes[node].server = server,
            9 => self.nodes[node].has_database = !self.nodes[node].has_database,
            10 => {
                let (now, random) = (self.now, self.random.next_u32());
                self.rows.retain(|_, (.., seen)| random % 2 == 0 || now < *seen + ROSTER_MS * 1_100);
            }
            _ if self.nodes.len() < 6 => {
                self.nodes[node].is_dead = true;
                self.messages.retain(|message| message.node != node);
                let speed = self.random.random_range(980..=1020);
                self.add_node(speed);
                let last = self.nodes.len() - 1;
                self.nodes[last].server = server;
            }
            _ => {}
        }
    }
}
