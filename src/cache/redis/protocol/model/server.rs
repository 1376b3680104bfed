//! Redis as the model has it: the scripts of the bus, on servers that may be lost.

use std::collections::BTreeMap;

use super::flaw::Flaw;
use crate::cache::redis::epoch::{Epoch, NodeId, Position, Seq};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::NodeLine;

/// That a node has obeyed an epoch up to an event.
pub type Acknowledgement = (NodeId, Epoch, Seq);

/// What is in the server's memory.
#[derive(Clone, Debug)]
pub struct State {
    pub epoch: Epoch,
    /// The process in which the epoch began.
    process: u64,
    head: Seq,
    /// What is left of the events: those from the first of them on.
    events: Vec<(Seq, Event)>,
    lines: BTreeMap<NodeId, (u64, Seq)>,
    renewals: u64,
    /// Of each node the furthest.
    acknowledged: BTreeMap<(NodeId, Epoch), Seq>,
}

#[derive(Clone, Debug)]
pub struct Server {
    /// Tells this process from every other, also from its own earlier lives.
    process: u64,
    pub state: Option<State>,
    pub hangs: bool,
}

/// What a script answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub epoch: Epoch,
    pub head: Seq,
    pub lines: Vec<NodeLine>,
}

#[derive(Debug)]
pub struct Renewal {
    pub node: NodeId,
    pub floor: u64,
    pub received: Option<(Epoch, Seq)>,
    pub obeyed: Option<(Epoch, Seq)>,
    /// Nodes that have gone silent, with their last renewals, and the epoch in which those were seen: the numbers of
    /// another one say nothing.
    pub silent: Vec<(NodeId, u64)>,
    pub silent_in: Option<Epoch>,
}

impl Server {
    pub fn new(process: u64, state: Option<State>) -> Self {
        Self { process, state, hangs: false }
    }

    /// The state of an epoch that belongs to this process; begins another when there is none.
    fn current(&mut self, known: Option<(Epoch, Seq)>, floor: u64, nonce: u64, flaw: Option<Flaw>) -> &mut State {
        let is_good = self.state.as_ref().is_some_and(|state| {
            let is_own = state.process == self.process || flaw == Some(Flaw::EpochOutlivesItsProcess);
            let went_back = known.is_some_and(|(epoch, seq)| epoch == state.epoch && seq > state.head);
            state.epoch.generation() > floor && is_own && (!went_back || flaw == Some(Flaw::EpochOutlivesItsProcess))
        });
        if !is_good {
            let generation = self.state.as_ref().map_or(0, |state| state.epoch.generation()).max(floor) + 1;
            self.state = Some(State {
                epoch: Epoch::new(generation, nonce),
                process: self.process,
                head: 0,
                events: Vec::new(),
                lines: BTreeMap::new(),
                renewals: 0,
                acknowledged: BTreeMap::new(),
            });
        }
        self.state.as_mut().expect("it was made if it was missing")
    }

    pub fn renew(&mut self, renewal: &Renewal, nonce: u64, flaw: Option<Flaw>) -> Answer {
        let state = self.current(renewal.received, renewal.floor, nonce, flaw);
        let is_of_now = renewal.silent_in == Some(state.epoch);
        for (node, number) in renewal.silent.iter().filter(|_| is_of_now) {
            if state.lines.get(node).is_some_and(|(known, _)| known == number) {
                state.lines.remove(node);
            }
        }
        state.renewals += 1;
        let obeyed = renewal.obeyed.filter(|(epoch, _)| *epoch == state.epoch).map_or(0, |(_, seq)| seq);
        state.lines.insert(renewal.node, (state.renewals, obeyed));
        state.answer()
    }

    pub fn publish(&mut self, event: Event, nonce: u64, flaw: Option<Flaw>) -> (Position, Answer) {
        let state = self.current(None, 0, nonce, flaw);
        state.head += 1;
        state.events.push((state.head, event));
        (Position { epoch: state.epoch, seq: state.head }, state.answer())
    }

    pub fn acknowledge(&mut self, node: NodeId, epoch: Epoch, seq: Seq) {
        if let Some(state) = &mut self.state {
            let known = state.acknowledged.entry((node, epoch)).or_default();
            *known = seq.max(*known);
        }
    }

    /// Events after a position, in order, and all acknowledgements.
    pub fn read(&self, after: Position) -> (Vec<(Epoch, Seq, Event)>, Vec<Acknowledgement>) {
        let Some(state) = &self.state else { return (Vec::new(), Vec::new()) };
        let is_later = |seq: Seq| (state.epoch.generation(), seq) > (after.epoch.generation(), after.seq);
        let events = state.events.iter().filter(|(seq, _)| is_later(*seq));
        let events = events.map(|(seq, event)| (state.epoch, *seq, event.clone())).collect();
        (events, state.acknowledged.iter().map(|((node, epoch), seq)| (*node, *epoch, *seq)).collect())
    }

    /// Everything that is held of an epoch: the last event, and those that lead up to it without a gap.
    pub fn load(&self, epoch: Epoch) -> Option<(Seq, Vec<(Seq, Event)>)> {
        let state = self.state.as_ref().filter(|state| state.epoch == epoch)?;
        Some((state.head, state.events.clone()))
    }

    /// Gives up the older events.
    pub fn trim(&mut self, keep: usize) {
        if let Some(state) = &mut self.state {
            let gone = state.events.len().saturating_sub(keep);
            state.events.drain(..gone);
        }
    }
}

impl State {
    fn answer(&self) -> Answer {
        let line = |(node, (renewal, obeyed)): (&NodeId, &(u64, Seq))| NodeLine {
            node: *node,
            renewal: *renewal,
            obeyed: *obeyed,
            configured: *obeyed,
        };
        Answer { epoch: self.epoch, head: self.head, lines: self.lines.iter().map(line).collect() }
    }
}
