//! What a message does where it arrives, and what its answer does to the node that sent it.

use rand::{Rng, RngExt};

use super::world::{Ask, Flaw, Message, Order, Reply, World, digest};
use crate::cache::redis::epoch::{Epoch, NodeId, Position, Seq};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::{Applied, Member};

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
            Ask::Fetch { key, .. } => {
                let offered: Vec<_> = self.values.iter().filter(|(of, _)| of == key).map(|(_, stamp)| *stamp).collect();
                let chosen = if offered.is_empty() { None } else { Some(self.random.random_range(0..offered.len())) };
                Reply::Value(chosen.map(|at| offered[at]))
            }
            _ => {
                if self.servers[message.server].hangs {
                    return false;
                }
                self.ask_server(at)
            }
        };
        self.messages[at].reply = Some(reply);
        true
    }

    fn ask_database(&mut self, at: usize) -> Reply {
        let Message { node, ask, .. } = &self.messages[at];
        let (id, now) = (self.nodes[*node].id, self.now);
        match *ask {
            Ask::Row { epoch, turn } => self.write_row(Member { node: id, epoch }, turn),
            Ask::Confirm { turn } => {
                let open = self.latest.filter(|(_, is_open)| *is_open).map(|(epoch, _)| epoch);
                match self.rows.get_mut(&id) {
                    Some((member, of_turn, seen)) if *of_turn == turn && member.epoch == open => {
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
            Ask::Fill { key, .. } => Reply::Alive(!self.revoked.contains(&key)),
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

    fn ask_server(&mut self, at: usize) -> Reply {
        let (nonce, flaw) = (self.random.next_u64(), self.flaw);
        let Message { node, server, ask, .. } = &self.messages[at];
        let (id, cursor) = (self.nodes[*node].id, self.nodes[*node].cursor);
        let server = &mut self.servers[*server];
        match ask {
            Ask::Renew(renewal) => Reply::Renewed(server.renew(renewal, nonce, flaw)),
            Ask::Publish { revocation } => {
                let key = self.revocations[*revocation].key;
                let (position, answer) = server.publish(Event::Token(digest(key)), nonce, flaw);
                Reply::Published(position, answer)
            }
            Ask::Acknowledge(epoch, seq) => {
                server.acknowledge(id, *epoch, *seq);
                Reply::Done
            }
            Ask::Load(epoch) => Reply::Loaded(server.load(*epoch)),
            _ => {
                let (events, acknowledged) = server.read(cursor);
                Reply::Events(events, acknowledged)
            }
        }
    }

    /// The answer reaches the node.
    pub fn answer(&mut self, at: usize) {
        let Message { node, sent, ask, reply, .. } = self.messages.swap_remove(at);
        let (now, flaw) = (self.clock(node), self.flaw);
        let of = &mut self.nodes[node];
        match (ask, reply.expect("only messages that had their effect are answered")) {
            (_, Reply::Renewed(answer)) => {
                of.seen.lines(answer.epoch, &answer.lines, sent, now);
                let sent = if flaw == Some(Flaw::LeaseCountsFromTheAnswer) { now } else { sent };
                of.follower.renewed(sent, answer.epoch, answer.head);
            }
            (_, Reply::Events(events, acknowledged)) => self.take_events(node, events, acknowledged),
            (Ask::Load(epoch), Reply::Loaded(held)) => self.take_load(node, epoch, held),
            (Ask::Row { turn, .. }, Reply::Refused(generation)) => of.follower.row_refused(turn, generation),
            (Ask::Row { epoch, turn }, _) => {
                of.follower.row_written(epoch, turn, sent);
                if of.owes_row.is_some_and(|(owed, of_turn)| (Some(owed), of_turn) == (epoch, turn)) {
                    of.owes_row = None;
                }
            }
            (Ask::Confirm { turn }, Reply::Stands(stands)) => of.follower.row_confirmed(turn, stands, sent),
            (Ask::Fill { key, generation, stamp }, Reply::Alive(is_alive)) => {
                let stamp = if flaw == Some(Flaw::StampIsTakenAfterTheDatabase) { of.memory.position() } else { stamp };
                if is_alive {
                    self.values.extend(stamp.map(|stamp| (key, stamp)));
                    self.land(node, key, generation);
                }
            }
            (Ask::Fetch { key, generation }, Reply::Value(Some(stamp))) => {
                let is_fresh = now < of.follower.fresh_until();
                if is_fresh && self.believes(&self.nodes[node], key, stamp) {
                    self.land(node, key, generation);
                }
            }
            (Ask::Publish { revocation }, Reply::Published(position, answer)) => {
                let barrier = &mut self.revocations[revocation].barrier;
                barrier.published(position, &answer.lines, &mut of.seen, sent, now);
            }
            (Ask::Roll { revocation, mark }, Reply::Called(roll)) => {
                let barrier = &mut self.revocations[revocation].barrier;
                let mark = if flaw == Some(Flaw::RollIsCalledBeforePublishing) { barrier.mark() } else { mark };
                barrier.called(mark, roll);
            }
            _ => {}
        }
    }

    fn take_events(&mut self, node: usize, events: Vec<(Epoch, Seq, Event)>, acknowledged: Vec<(NodeId, Epoch, Seq)>) {
        for (from, epoch, seq) in acknowledged {
            self.nodes[node].seen.obeyed(from, Applied { epoch, seq, configured: seq });
        }
        for (epoch, seq, event) in events {
            self.nodes[node].cursor = Position { epoch, seq };
            self.hear(node, epoch, seq, event);
        }
    }

    fn take_load(&mut self, node: usize, epoch: Epoch, held: Option<(Seq, Vec<(Seq, Event)>)>) {
        let Some((top, events)) = held else { return };
        let of = &mut self.nodes[node];
        if of.follower.loaded(epoch, top) {
            of.memory.restore(epoch, top, &events);
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
