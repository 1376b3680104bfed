//! The steps of the world, and the order they come in.

use rand::{Rng, RngExt};

use super::flaw::Flaw;
use super::server::Server;
use super::weather::{Trouble, Weather};
use super::world::{LEASE_MS, Late, ROSTER_MS, Revocation, World};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::Verdict;

const NODES: usize = 3;

/// How a run without faults went.
#[derive(Debug)]
pub struct Told {
    pub revoked: usize,
    pub trusted: usize,
    pub believed: usize,
}

/// Runs `steps` random steps.
///
/// # Errors
/// What went wrong, and when.
pub fn run(seed: u64, steps: usize, flaw: Option<Flaw>) -> Result<World, String> {
    let mut world = World::new(seed, flaw, 2..=3);
    world.weather = Weather::draw(&mut world.random);
    for step in 0..steps {
        world.step();
        world.check().map_err(|fault| format!("seed {seed}, step {step}: {fault}\n{:?}", world.weather))?;
    }
    Ok(world)
}

/// Nothing fails and no message is lost: changes must get through, and memory must be of use.
pub fn run_calmly(rounds: usize) -> Told {
    let mut world = World::new(7, None, NODES..=NODES);
    for round in 0..rounds {
        for _ in 0..4 {
            (0..NODES).for_each(|node| world.run_smoothly(node));
            world.now += 10_000;
        }
        for node in 0..NODES {
            world.ask_fill(node, world.good_from);
            world.ask_fetch(node, world.good_from);
            world.deliver(node);
        }
        world.check().unwrap();
        world.revoke(round % NODES);
        for _ in 0..3 {
            (0..NODES).for_each(|node| world.run_smoothly(node));
        }
        world.check().unwrap();
    }
    Told { revoked: world.revoked.len(), trusted: world.trusted, believed: world.believed }
}

impl World {
    fn step(&mut self) {
        // Nodes get on in bursts: one does much while the others do little.
        if self.pick(8) == 0 {
            self.busy = self.pick(self.nodes.len());
        }
        let node = if self.pick(2) == 0 { self.busy } else { self.pick(self.nodes.len()) };
        let is_awake = self.napping != Some(node);
        match self.pick(100) {
            0..46 if is_awake => {
                self.look_up(node);
                self.run_smoothly(node);
            }
            46..62 => self.touch_message(),
            62..80 => {
                let most = [5_000, 15_000, 40_000, 60_000][self.pick(4)] * self.weather.pace;
                self.now += self.random.random_range(0..most);
            }
            80..82 if is_awake => self.revoke(node),
            82..86 if is_awake => self.revoke_amid(node),
            86..87 => self.wait_for_a_lease(),
            87..91 => self.strike_the_dead(),
            91..100 => self.suffer(node),
            _ => {}
        }
        let clock = self.clock(node);
        self.nodes[node].follower.tick(clock);
    }

    /// A revocation from beginning to end, in the midst of which another node does something, and then nothing.
    fn revoke_amid(&mut self, node: usize) {
        let other = (node + 1 + self.pick(self.nodes.len() - 1)) % self.nodes.len();
        match self.pick(4) {
            0 => self.suffer(other),
            1 if self.weather.has(Trouble::Crashes) => self.restart_node(other),
            2 => {
                self.look_up(other);
                self.run_smoothly(other);
            }
            _ => {}
        }
        self.revoke(node);
        self.touch_messages();
        for _ in 0..[0, 0, 0, 2, 3, 4][self.pick(6)] {
            self.look_up(other);
            self.run_smoothly(other);
        }
        let nodes = self.nodes.len();
        for by in (0..=nodes).map(|step| (node + step) % nodes).filter(|by| *by != other) {
            self.run_smoothly(by);
        }
        if self.pick(6) == 0 {
            self.wait_for_a_lease();
        }
        self.touch_messages();
    }

    /// A publisher that waits for a lease to end wakes up as soon as it has.
    fn wait_for_a_lease(&mut self) {
        for _ in 0..self.pick(3) {
            self.now += self.random.random_range(0..LEASE_MS * 500);
            self.touch_message();
        }
        let waiting: Vec<usize> = (0..self.revocations.len()).filter(|of| !self.revocations[*of].is_over).collect();
        if waiting.is_empty() {
            return;
        }
        let chosen = waiting[self.pick(waiting.len())];
        let Revocation { node, barrier, .. } = &self.revocations[chosen];
        let (node, now) = (*node, self.clock(*node));
        if let Verdict::Waiting { until: Some(until), .. } = barrier.verdict(&self.nodes[node].seen, now) {
            while self.clock(node) <= until {
                self.now += 1 + (until.0 - self.clock(node).0) / 1_024;
            }
            self.conclude(node);
        }
    }

    /// Calls come in, with a key that is good, will be revoked next, or is being revoked.
    fn look_up(&mut self, node: usize) {
        let key = (self.good_from + [0, 1, 1, 1, 1, 2][self.pick(6)]).saturating_sub(1);
        match self.pick(4) {
            0..3 => self.ask_fill(node, key),
            _ => self.ask_fetch(node, key),
        }
    }

    fn touch_messages(&mut self) {
        for _ in 0..self.pick(3) {
            self.touch_message();
        }
    }

    /// A message that was late moves on: it has its effect, or is answered.
    fn touch_message(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let at = self.pick(self.messages.len());
        if self.messages[at].reply.is_some() {
            self.answer(at);
        } else if self.take_effect(at) {
            self.messages[at].late = [Late::Not, Late::BeforeItsAnswer][self.pick(2)];
        }
    }

    /// Rows that nobody has seen to for longer than any node may trust without.
    fn strike_the_dead(&mut self) {
        let now = self.now;
        self.rows.retain(|_, (.., seen)| now < *seen + ROSTER_MS * 1_100);
    }

    fn suffer(&mut self, node: usize) {
        if self.weather.troubles.is_empty() {
            return;
        }
        let which = self.pick(self.weather.troubles.len());
        let server = self.pick(self.servers.len());
        match self.weather.troubles[which] {
            Trouble::Losses if self.messages.is_empty() => {}
            Trouble::Losses => {
                let at = self.pick(self.messages.len());
                self.messages[at].is_awaited = false;
            }
            Trouble::Splits => self.split(node, server),
            Trouble::Restarts => self.restart_server(server),
            Trouble::Flushes => self.servers[server].state = None,
            Trouble::Trims => {
                for _ in 0..self.pick(3) {
                    let nonce = self.random.next_u64();
                    self.servers[server].publish(Event::Configuration, nonce, self.flaw);
                }
                let keep = self.pick(3);
                self.servers[server].trim(keep);
            }
            Trouble::Hangs => self.servers[server].hangs = !self.servers[server].hangs,
            Trouble::Cuts => match self.pick(3) {
                0 => self.nodes.iter_mut().for_each(|node| node.has_database = true),
                _ if self.nodes.iter().all(|node| node.has_database) => self.nodes[node].has_database = false,
                _ => {}
            },
            Trouble::Crashes => self.restart_node(node),
            Trouble::Pauses => self.now += self.random.random_range(0..LEASE_MS * 2_500),
            Trouble::Naps => self.napping = if self.napping.is_some() { None } else { Some(node) },
            // Shows in how nodes obey.
            Trouble::Sloth => {}
        }
    }

    fn split(&mut self, node: usize, server: usize) {
        match self.pick(4) {
            0 => self.copies.push(self.servers[server].clone()),
            1 if !self.copies.is_empty() && self.servers.len() < 4 => {
                let at = self.pick(self.copies.len());
                let (process, state) = (self.fresh_id(), self.copies[at].state.clone());
                self.servers.push(Server::new(process, state));
            }
            _ => self.nodes[node].server = server,
        }
    }

    fn restart_server(&mut self, server: usize) {
        if self.pick(2) == 0 {
            self.copies.push(self.servers[server].clone());
        } else {
            let at = self.pick(self.copies.len() + 1);
            let state = self.copies.get(at).and_then(|copy| copy.state.clone());
            self.servers[server] = Server::new(self.fresh_id(), state);
        }
    }
}
