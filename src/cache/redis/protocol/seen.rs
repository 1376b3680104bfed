//! What a node has seen of the others.

use std::collections::HashMap;
use std::time::Duration;

use super::Moment;
use crate::cache::redis::epoch::{Epoch, NodeId, Position, Seq};

/// What Redis says of a node: the number of its last renewal (numbers never repeat in an epoch), and how far it had
/// obeyed the bus by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache::redis) struct NodeLine {
    pub node: NodeId,
    pub renewal: u64,
    pub obeyed: Seq,
    /// The last event up to which it goes by the configuration it was told of. It is behind `obeyed` while the database
    /// is away.
    pub configured: Seq,
}

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache::redis) struct Applied {
    pub epoch: Epoch,
    pub seq: Seq,
    /// As [`NodeLine::configured`].
    pub configured: Seq,
}

/// What was seen, in one epoch.
#[derive(Debug, Default)]
pub(in crate::cache::redis) struct Seen {
    epoch: Option<Epoch>,
    /// Of each node its last renewal, and when that was first seen.
    renewals: HashMap<NodeId, (u64, Moment)>,
    /// Of each node how far it has obeyed, and up to where it goes by the configuration.
    obeyed: HashMap<NodeId, (Seq, Seq)>,
    /// When the question was sent that the last list of nodes answers.
    asked: Moment,
}

/// Nodes whose acknowledgements are kept at most: whoever can write to Redis can invent nodes.
const MOST_NODES: usize = 4096;

impl Seen {
    /// Redis, asked at `asked`, answered at `replied` with the list of nodes of `epoch`.
    pub fn lines(&mut self, epoch: Epoch, lines: &[NodeLine], asked: Moment, replied: Moment) {
        if self.epoch != Some(epoch) {
            *self = Self { epoch: Some(epoch), ..Self::default() };
        }
        self.asked = self.asked.max(asked);
        let before = std::mem::take(&mut self.renewals);
        for line in lines {
            let same = before.get(&line.node).filter(|(renewal, _)| *renewal == line.renewal);
            self.renewals.insert(line.node, same.copied().unwrap_or((line.renewal, replied)));
            self.obeyed(line.node, Applied { epoch, seq: line.obeyed, configured: line.configured });
        }
    }

    /// How far a node has come. It is passed over while the list of nodes is of another epoch.
    pub fn obeyed(&mut self, node: NodeId, applied: Applied) {
        if self.epoch != Some(applied.epoch) {
            return;
        }
        if self.obeyed.len() < MOST_NODES || self.obeyed.contains_key(&node) {
            let (seq, configured) = self.obeyed.entry(node).or_default();
            *seq = applied.seq.max(*seq);
            *configured = applied.configured.max(*configured);
        }
    }

    /// The epoch of the last list of nodes.
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Whether the node is known to have obeyed the bus up to there.
    pub fn has_obeyed(&self, node: NodeId, position: Position) -> bool {
        self.epoch == Some(position.epoch) && self.obeyed.get(&node).is_some_and(|(seq, _)| *seq >= position.seq)
    }

    /// Whether the node is known to go by the configuration it was told of up to there.
    pub fn is_configured(&self, node: NodeId, position: Position) -> bool {
        let configured = self.obeyed.get(&node).map(|(_, configured)| *configured);
        self.epoch == Some(position.epoch) && configured.is_some_and(|seq| seq >= position.seq)
    }

    /// Whether a list that was asked for after `moment` shows this as the node's last renewal, or no node at all.
    pub fn is_silent_since(&self, node: NodeId, renewal: Option<u64>, moment: Moment) -> bool {
        self.asked > moment && self.renewals.get(&node).is_none_or(|(last, _)| Some(*last) == renewal)
    }

    /// Nodes that have renewed, each with its last renewal and when that was first seen: it was done before.
    pub fn renewals(&self) -> impl Iterator<Item = (NodeId, u64, Moment)> {
        self.renewals.iter().map(|(node, (renewal, since))| (*node, *renewal, *since))
    }

    /// Nodes whose renewals have not changed for `silence`, with the last one.
    pub fn silent(&self, now: Moment, silence: Duration) -> impl Iterator<Item = (NodeId, u64)> {
        let silent = self.renewals.iter().filter(move |(_, (_, since))| now > *since + silence);
        silent.map(|(node, (renewal, _))| (*node, *renewal))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NODE: NodeId = NodeId(Uuid::from_u128(2));
    const EPOCH: Epoch = Epoch::new(1, 1);
    const LATER: Epoch = Epoch::new(2, 2);
    const LEASE: Duration = Duration::from_secs(2);

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000_000)
    }

    fn applied(epoch: Epoch, seq: Seq) -> Applied {
        Applied { epoch, seq, configured: seq }
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_first_seen() {
        let line = |renewal| NodeLine { node: NODE, renewal, obeyed: 3, configured: 2 };
        let mut seen = Seen::default();
        seen.lines(EPOCH, &[line(4)], at(1), at(1));
        seen.lines(EPOCH, &[line(4)], at(2), at(2));
        assert_eq!(seen.renewals().collect::<Vec<_>>(), [(NODE, 4, at(1))]);
        assert_eq!(seen.silent(at(30), LEASE).collect::<Vec<_>>(), [(NODE, 4)]);
        assert_eq!(seen.silent(at(3), LEASE).count(), 0);
        seen.lines(EPOCH, &[line(5)], at(6), at(6));
        assert_eq!(seen.renewals().collect::<Vec<_>>(), [(NODE, 5, at(6))]);
        assert!(seen.has_obeyed(NODE, Position { epoch: EPOCH, seq: 3 }));
        assert!(!seen.is_configured(NODE, Position { epoch: EPOCH, seq: 3 }));
        assert!(seen.is_configured(NODE, Position { epoch: EPOCH, seq: 2 }));
        assert!(seen.is_silent_since(NODE, Some(5), at(5)));
        assert!(!seen.is_silent_since(NODE, Some(4), at(5)), "it has renewed");
        assert!(!seen.is_silent_since(NODE, Some(5), at(6)), "the list is not newer");
        seen.lines(LATER, &[], at(31), at(31));
        assert_eq!(seen.renewals().count() + seen.silent(at(99), LEASE).count(), 0);
        assert!(!seen.has_obeyed(NODE, Position { epoch: EPOCH, seq: 0 }));
    }

    #[test]
    fn acknowledgements_are_bounded_and_belong_to_one_epoch() {
        let mut seen = Seen::default();
        seen.obeyed(NODE, applied(EPOCH, 1));
        assert!(!seen.has_obeyed(NODE, Position { epoch: EPOCH, seq: 1 }));
        seen.lines(EPOCH, &[], at(0), at(0));
        for number in 0..10_000 {
            seen.obeyed(NodeId(Uuid::from_u128(number)), applied(EPOCH, 1));
        }
        assert_eq!(seen.obeyed.len(), MOST_NODES);
        seen.obeyed(NODE, applied(LATER, 9));
        assert!(seen.has_obeyed(NODE, Position { epoch: EPOCH, seq: 1 }));
        assert!(!seen.has_obeyed(NODE, Position { epoch: LATER, seq: 9 }));
    }
}
