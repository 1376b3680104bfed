//! What a node does: it asks, hears, and obeys.

use std::time::Duration;

use super::flaw::Flaw;
use super::server::Renewal;
use super::weather::Trouble;
use super::world::{Ask, LEASE_MS, Late, Message, Order, World, digest};
use crate::cache::redis::epoch::{Epoch, Seq};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::{Heard, Want};

/// Messages under way.
const MOST_MESSAGES: usize = 60;

impl World {
    /// A node does all that it has to do, and what is not late arrives at once.
    pub fn run_smoothly(&mut self, node: usize) {
        for _ in 0..2 {
            self.ask_want(node);
            self.ask_renew(node);
            self.send(node, Ask::Read);
            self.deliver(node);
            self.obey(node);
            if let Some((epoch, seq)) = self.nodes[node].follower.applied() {
                self.send(node, Ask::Acknowledge(epoch, seq));
            }
        }
        self.conclude(node);
        self.deliver(node);
    }

    /// Messages of a node that are not late have their effect and are answered; those that cannot arrive are lost.
    pub fn deliver(&mut self, node: usize) {
        let mut at = 0;
        while let Some(message) = self.messages.get(at) {
            let late = message.late;
            if message.node != node || late == Late::BeforeItsEffect {
                at += 1;
            } else if !self.take_effect(at) {
                self.messages.remove(at);
            } else if late == Late::BeforeItsAnswer {
                at += 1;
            } else {
                self.answer(at);
            }
        }
    }

    pub fn obey(&mut self, node: usize) {
        let is_slow = self.weather.has(Trouble::Sloth) && self.pick(4) != 0;
        while !is_slow && !self.nodes[node].orders.is_empty() {
            self.obey_one(node);
        }
    }

    pub fn send(&mut self, node: usize, ask: Ask) {
        let lateness = self.weather.lateness(&ask);
        let late = match self.pick(16) {
            number if number >= usize::from(lateness) * 2 => Late::Not,
            number if number % 2 == 0 => Late::BeforeItsEffect,
            _ => Late::BeforeItsAnswer,
        };
        let (of, sent) = (&self.nodes[node], self.clock(node));
        if self.messages.len() < MOST_MESSAGES {
            let (from, server) = (of.id, of.server);
            self.messages.push(Message { node, from, server, sent, ask, reply: None, late, is_awaited: true });
        }
    }

    pub fn is_asking(&self, node: usize, is: impl Fn(&Ask) -> bool) -> bool {
        self.messages.iter().any(|message| message.node == node && message.is_awaited && is(&message.ask))
    }

    pub fn ask_renew(&mut self, node: usize) {
        if self.is_asking(node, |ask| matches!(ask, Ask::Renew(_))) {
            return;
        }
        let (of, now) = (&self.nodes[node], self.clock(node));
        let leases = if self.flaw == Some(Flaw::SilenceIsTakenForDeath) { 0 } else { 3 };
        let silence = Duration::from_millis(LEASE_MS * leases);
        let (received, obeyed) = (of.follower.received(), of.follower.applied());
        let (silent, floor) = (of.seen.silent(now, silence).collect(), of.follower.floor());
        let renewal = Renewal { node: of.id, floor, received, obeyed, silent, silent_in: of.seen_in };
        self.send(node, Ask::Renew(renewal));
    }

    pub fn ask_want(&mut self, node: usize) {
        let is_own_business = |ask: &Ask| matches!(ask, Ask::Row { .. } | Ask::Confirm { .. } | Ask::Load(_));
        if self.is_asking(node, is_own_business) {
            return;
        }
        let now = self.clock(node);
        let of = &mut self.nodes[node];
        match of.follower.want(now) {
            Want::Nothing => {}
            Want::Row { epoch: Some(epoch), turn } if self.flaw == Some(Flaw::EpochsAreEnteredWithoutARow) => {
                of.follower.row_written(Some(epoch), turn, now);
            }
            Want::Row { epoch: Some(epoch), turn } if self.flaw == Some(Flaw::RowsAreWrittenAfterForgetting) => {
                of.follower.row_written(Some(epoch), turn, now);
                of.owes_row = Some((epoch, turn));
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

    /// The database is asked for a key.
    pub fn ask_fill(&mut self, node: usize, key: u8) {
        let of = &self.nodes[node];
        let (generation, stamp) = (of.generation, of.memory.position());
        self.send(node, Ask::Fill { key, generation, stamp });
    }

    /// Redis is asked for a key.
    pub fn ask_fetch(&mut self, node: usize, key: u8) {
        let generation = self.nodes[node].generation;
        self.send(node, Ask::Fetch { key, generation });
    }

    /// One order is obeyed by all of the node.
    pub fn obey_one(&mut self, node: usize) {
        let of = &mut self.nodes[node];
        let Some((ticket, order)) = of.orders.pop_front() else { return };
        of.generation += 1;
        match order {
            Order::Forget(Event::Token(gone)) => of.cache.retain(|key| digest(*key) != gone),
            Order::ForgetEverything if self.flaw != Some(Flaw::NothingIsForgottenOnEntering) => of.cache.clear(),
            // Of no token.
            Order::Forget(_) | Order::ForgetEverything => {}
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
        let of = &mut self.nodes[node];
        if self.flaw == Some(Flaw::LostEventsAreForgiven)
            && let Some((known, received)) = of.follower.received()
            && known == epoch
        {
            for missed in received + 1..seq {
                of.follower.heard(epoch, missed);
            }
        }
        match of.follower.heard(epoch, seq) {
            Heard::Next => {
                of.memory.record(seq, &event);
                self.give(node, Order::Forget(event));
            }
            Heard::Ignored | Heard::Gap => {}
            Heard::Foreign => self.ask_renew(node),
        }
    }
}
