//! What a message does where it arrives, and what its answer does to the node that sent it.

use rand::Rng;

use super::flaw::Flaw;
use super::world::{Ask, Message, Order, Reply, World, digest};
use crate::cache::redis::epoch::{Epoch, NodeId, Position, Seq};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::{Applied, Member, Roll};

impl World {
    /// The message arrives and has its effect. False: it cannot arrive just now.
    pub fn take_effect(&mut self, at: usize) -> bool {
        if self.messages[at].reply.is_some() {
            return true;
        }
        let message = &self.messages[at];
        let reply = match &message.ask {
            Ask::Row { .. } | Ask::Confirm { .. } | Ask::Fill { .. } | Ask::Roll { .. } | Ask::Close { .. } => {
                if !self.nodes[message.node].has_database {
                    return false;
                }
                self.ask_database(at)
            }
            Ask::Renew(_) | Ask::Read | Ask::Load(_) | Ask::Acknowledge(..) | Ask::Publish { .. } => {
                if self.servers[message.server].hangs {
                    return false;
                }
                self.ask_server(at)
            }
            Ask::Fetch { key, .. } => {
                let offered = self.values.iter().filter(|(of, _)| of == key).map(|(_, stamp)| *stamp);
                let offered: Vec<_> = offered.collect();
                let chosen = self.pick(offered.len().max(1));
                Reply::Value(offered.get(chosen).copied())
            }
        };
        self.messages[at].reply = Some(reply);
        true
    }

    fn ask_database(&mut self, at: usize) -> Reply {
        let Message { from, ask, .. } = &self.messages[at];
        let (from, now) = (*from, self.now);
        match *ask {
            Ask::Row { epoch, turn } => self.write_row(Member { node: from, epoch }, turn),
            Ask::Confirm { turn } => {
                let open = self.latest.filter(|(_, is_open)| *is_open).map(|(epoch, _)| epoch);
                match self.rows.get_mut(&from) {
                    Some((member, of_turn, seen)) if *of_turn == turn && open.is_some() && member.epoch == open => {
                        *seen = now;
                        Reply::Stands(true)
                    }
                    _ => Reply::Stands(false),
                }
            }
            Ask::Close { epoch } => {
                if self.latest == Some((epoch, true)) {
                    self.latest = Some((epoch, false));
                }
                Reply::Done
            }
            Ask::Fill { key, .. } => Reply::Alive(key >= self.good_from),
            _ => Reply::Called(self.roll()),
        }
    }

    fn write_row(&mut self, member: Member, turn: u64) -> Reply {
        if self.rows.get(&member.node).is_some_and(|(_, known, _)| *known > turn) {
            return Reply::Done;
        }
        if let Some(epoch) = member.epoch {
            match self.latest {
                Some((latest, true)) if latest == epoch => {}
                Some((latest, _)) if epoch.generation() <= latest.generation() => {
                    if self.flaw != Some(Flaw::ClosedEpochsAreEntered) {
                        return Reply::Refused(latest.generation());
                    }
                }
                _ => self.latest = Some((epoch, true)),
            }
        }
        self.rows.insert(member.node, (member, turn, self.now));
        Reply::Done
    }

    fn roll(&self) -> Roll {
        let open = self.latest.filter(|(_, is_open)| *is_open).map(|(epoch, _)| epoch);
        let mut members: Vec<Member> = self.rows.values().map(|(member, ..)| *member).collect();
        if self.flaw == Some(Flaw::NodesElsewhereAreNotWaitedFor) {
            members.iter_mut().for_each(|member| member.epoch = member.epoch.filter(|epoch| Some(*epoch) == open));
        }
        Roll { open: open.filter(|_| self.flaw != Some(Flaw::EpochsStayOpen)), members }
    }

    fn ask_server(&mut self, at: usize) -> Reply {
        let (nonce, flaw) = (self.random.next_u64(), self.flaw);
        let Message { node, from, server, ask, .. } = &self.messages[at];
        let server = &mut self.servers[*server];
        match ask {
            Ask::Renew(renewal) => Reply::Renewed(server.renew(renewal, nonce, flaw)),
            Ask::Publish { revocation } => {
                let key = self.revocations[*revocation].key;
                let (position, answer) = server.publish(Event::Token(digest(key)), nonce, flaw);
                Reply::Published(position, answer)
            }
            Ask::Acknowledge(epoch, seq) => {
                server.acknowledge(*from, *epoch, *seq);
                Reply::Done
            }
            Ask::Load(epoch) => Reply::Loaded(server.load(*epoch)),
            _ => {
                let (events, acknowledged) = server.read(self.nodes[*node].cursor);
                Reply::Events(events, acknowledged)
            }
        }
    }

    /// The answer reaches the node, if it still waits for it.
    pub fn answer(&mut self, at: usize) {
        let Message { node, sent, ask, reply, is_awaited, .. } = self.messages.remove(at);
        if !is_awaited {
            return;
        }
        let (now, flaw) = (self.clock(node), self.flaw);
        let of = &mut self.nodes[node];
        match (ask, reply.expect("only messages that had their effect are answered")) {
            (_, Reply::Renewed(answer)) => {
                of.seen.lines(answer.epoch, &answer.lines, sent, now);
                of.seen_in = Some(answer.epoch);
                let sent = if flaw == Some(Flaw::LeaseCountsFromTheAnswer) { now } else { sent };
                let head = if flaw == Some(Flaw::RenewalsCountAtOnce) { 0 } else { answer.head };
                of.follower.renewed(sent, answer.epoch, head);
            }
            (_, Reply::Events(events, acknowledged)) => self.take_events(node, events, acknowledged),
            (Ask::Load(epoch), Reply::Loaded(Some((top, events)))) => self.take_load(node, epoch, top, &events),
            (Ask::Row { turn, .. }, Reply::Refused(generation)) => of.follower.row_refused(turn, generation),
            (Ask::Row { epoch, turn }, _) => {
                of.follower.row_written(epoch, turn, sent);
                if of.owes_row.is_some_and(|(owed, of_turn)| (Some(owed), of_turn) == (epoch, turn)) {
                    of.owes_row = None;
                }
            }
            (Ask::Confirm { turn }, Reply::Stands(stands)) => {
                let stands = stands || flaw == Some(Flaw::StruckNodesGoOn);
                of.follower.row_confirmed(turn, stands, sent);
            }
            (Ask::Fill { key, generation, stamp }, Reply::Alive(true)) => {
                let stamp = if flaw == Some(Flaw::StampIsTakenAfterTheDatabase) { of.memory.position() } else { stamp };
                let value = stamp.map(|stamp| (key, stamp)).filter(|value| !self.values.contains(value));
                self.values.extend(value);
                self.land(node, key, generation);
            }
            (Ask::Fetch { key, generation }, Reply::Value(Some(stamp))) => {
                let is_fresh = now < of.follower.fresh_until();
                if is_fresh && self.believes(&self.nodes[node], key, stamp) {
                    self.believed += 1;
                    self.land(node, key, generation);
                }
            }
            (Ask::Publish { revocation }, Reply::Published(position, answer)) => {
                let barrier = &mut self.revocations[revocation].barrier;
                barrier.published(position, &answer.lines, &mut of.seen, sent, now);
                of.seen_in = Some(position.epoch);
            }
            (Ask::Roll { revocation, mark }, Reply::Called(roll)) => {
                let barrier = &mut self.revocations[revocation].barrier;
                let mark = if flaw == Some(Flaw::RollIsCalledBeforePublishing) { barrier.mark() } else { mark };
                if flaw == Some(Flaw::EveryEpochIsLater) {
                    barrier.called(mark, Roll::default());
                }
                barrier.called(mark, roll);
            }
            _ => {}
        }
    }

    fn take_events(&mut self, node: usize, events: Vec<(Epoch, Seq, Event)>, acknowledged: Vec<(NodeId, Epoch, Seq)>) {
        let of = &mut self.nodes[node];
        for (from, epoch, seq) in acknowledged {
            let mixed_up = of.seen_in.filter(|_| self.flaw == Some(Flaw::AcknowledgementsOfAnyEpochCount));
            let epoch = mixed_up.unwrap_or(epoch);
            of.seen.obeyed(from, Applied { epoch, seq, configured: seq });
        }
        for (epoch, seq, event) in events {
            self.nodes[node].cursor = Position { epoch, seq };
            self.hear(node, epoch, seq, event);
        }
    }

    fn take_load(&mut self, node: usize, epoch: Epoch, top: Seq, events: &[(Seq, Event)]) {
        let of = &mut self.nodes[node];
        if of.follower.loaded(epoch, top) {
            if self.flaw == Some(Flaw::WhatIsHeldIsAllThereWas) {
                of.memory.begin(epoch, 0);
                events.iter().for_each(|(seq, event)| of.memory.record(*seq, event));
            } else {
                of.memory.restore(epoch, top, events);
            }
            of.cursor = Position { epoch, seq: top };
            self.give(node, Order::ForgetEverything);
        }
    }

    /// What was found is remembered, unless something was forgotten since it was asked for.
    fn land(&mut self, node: usize, key: u8, generation: u64) {
        let of = &mut self.nodes[node];
        if of.generation == generation || self.flaw == Some(Flaw::OldFillsLand) {
            of.cache.insert(key);
        }
    }
}
