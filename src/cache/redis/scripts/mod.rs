//! The verbs of the bus, each one atomic: Lua that runs in Redis, and what it answers.
//!
//! **Invariants:** the scripts do what `protocol/model/server.rs` says; each names its keys, which lie in one slot of a
//! Cluster; they run also when Redis is full, since a node that cannot be told of a revocation is worse than a few
//! bytes.
//!
//! **Absent on purpose:** deciding anything (`protocol`), and trying again (`bus`).

use std::time::Duration;

use redis::streams::StreamRangeReply;

use super::epoch::{Epoch, NodeId, Position, Seq};
use super::error::RedisError;
use super::event::Event;
use super::line::{Line, Script};
use super::protocol::{Applied, NodeLine};

/// Events and acknowledgements that are kept, or some more: whoever missed more reads everything anew.
const EVENTS_KEPT: usize = 4096;
const ACKNOWLEDGEMENTS_KEPT: usize = 4096;
/// For one script and its answer. Redis answers in well under a millisecond, or something is wrong.
const LIMIT: Duration = Duration::from_millis(250);
/// For reading all that is kept.
const LOAD_LIMIT: Duration = Duration::from_secs(2);
const SHEBANG: &str = "#!lua flags=allow-oom\n";

/// What the bus answers to a renewal and a publication: its epoch, its last event, and who has renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub position: Position,
    pub lines: Vec<NodeLine>,
}

/// What a node tells when it renews.
#[derive(Clone, Debug)]
pub(super) struct Renewal {
    pub node: NodeId,
    pub floor: u64,
    pub received: Option<(Epoch, Seq)>,
    pub applied: Option<Applied>,
    /// Nodes that have gone silent, and the epoch in which they have.
    pub silent: Vec<(NodeId, u64)>,
    pub silent_in: Option<Epoch>,
}

/// What is held of an epoch: its last event, and older ones, in order. `None` for one that cannot be read.
pub(super) type Held = (Seq, Vec<(Seq, Option<Event>)>);

pub(super) struct Scripts {
    line: Line,
    keys: Keys,
    renew: Script,
    publish: Script,
    acknowledge: Script,
    load: Script,
}

/// The names of what the bus keeps, all in one slot of a Cluster.
#[derive(Clone)]
pub(super) struct Keys {
    pub epoch: Vec<u8>,
    pub nodes: Vec<u8>,
    pub events: Vec<u8>,
    pub acknowledgements: Vec<u8>,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        let key = |name: &str| format!("{{{prefix}:bus}}:{name}").into_bytes();
        Self { epoch: key("epoch"), nodes: key("nodes"), events: key("events"), acknowledgements: key("acks") }
    }

    fn all(&self) -> [&[u8]; 4] {
        [&self.epoch, &self.nodes, &self.events, &self.acknowledgements]
    }
}

impl Scripts {
    pub fn new(line: Line, keys: Keys) -> Self {
        let epoch = include_str!("epoch.lua");
        let of_epoch = |text: &str| Script::new(format!("{SHEBANG}{epoch}{text}"));
        let alone = |text: &str| Script::new(format!("{SHEBANG}{text}"));
        Self {
            line,
            keys,
            renew: of_epoch(include_str!("renew.lua")),
            publish: of_epoch(include_str!("publish.lua")),
            acknowledge: alone(include_str!("acknowledge.lua")),
            load: alone(include_str!("load.lua")),
        }
    }

    /// # Errors
    /// Redis did not do it, or nobody knows whether it did.
    pub async fn renew(&self, renewal: &Renewal) -> Result<Answer, RedisError> {
        let none = || "0".to_owned();
        let [known, heard] = match renewal.received {
            Some((epoch, seq)) => [epoch.to_string(), seq.to_string()],
            None => [String::new(), none()],
        };
        let [epoch, obeyed, configured] = match renewal.applied {
            Some(Applied { epoch, seq, configured }) => [epoch.to_string(), seq.to_string(), configured.to_string()],
            None => [String::new(), none(), none()],
        };
        let (floor, node) = (renewal.floor.to_string(), renewal.node.to_string());
        let mut arguments = vec![floor, known, heard, nonce(), node, epoch, obeyed, configured];
        // Numbers of renewals say nothing in another epoch.
        arguments.push(renewal.silent_in.map(|epoch| epoch.to_string()).unwrap_or_default());
        arguments.extend(renewal.silent.iter().flat_map(|(node, last)| [node.to_string(), last.to_string()]));
        let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
        read_answer(self.line.run_script(&self.renew, &self.keys.all(), &arguments, LIMIT).await?)
    }

    /// Tells every node; all or nothing. The answer's position is that of the last event.
    ///
    /// # Errors
    /// As [`Scripts::renew`].
    pub async fn publish(&self, events: &[Event]) -> Result<Answer, RedisError> {
        let mut arguments = vec![nonce().into_bytes(), EVENTS_KEPT.to_string().into_bytes()];
        arguments.extend(events.iter().map(Event::to_bytes));
        let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        read_answer(self.line.run_script(&self.publish, &self.keys.all(), &arguments, LIMIT).await?)
    }

    /// # Errors
    /// As [`Scripts::renew`].
    pub async fn acknowledge(&self, node: NodeId, applied: Applied) -> Result<(), RedisError> {
        let Applied { epoch, seq, configured } = applied;
        let numbers = [seq.to_string(), configured.to_string(), ACKNOWLEDGEMENTS_KEPT.to_string()];
        let (node, epoch, [seq, configured, kept]) = (node.to_string(), epoch.to_string(), numbers);
        let arguments = [&node, &epoch, &seq, &configured, &kept].map(|text| text.as_bytes());
        let _taken: u8 = self.line.run_script(&self.acknowledge, &self.keys.all(), &arguments, LIMIT).await?;
        Ok(())
    }

    /// What is held of an epoch; `None` when the bus is in another one.
    ///
    /// # Errors
    /// As [`Scripts::renew`].
    pub async fn load(&self, epoch: Epoch) -> Result<Option<Held>, RedisError> {
        let name = epoch.to_string();
        let held: Option<(Seq, StreamRangeReply)> =
            self.line.run_script(&self.load, &self.keys.all(), &[name.as_bytes()], LOAD_LIMIT).await?;
        let Some((head, stream)) = held else { return Ok(None) };
        let events = stream.ids.iter().filter_map(|entry| {
            let (_, seq) = read_id(&entry.id)?;
            Some((seq, entry.get::<Vec<u8>>("e").as_deref().and_then(Event::from_bytes)))
        });
        Ok(Some((head, events.collect())))
    }
}

/// `GENERATION-NUMBER`.
pub(super) fn read_id(id: &str) -> Option<(u64, Seq)> {
    let (generation, seq) = id.split_once('-')?;
    Some((generation.parse().ok()?, seq.parse().ok()?))
}

fn nonce() -> String {
    format!("{:016x}", rand::random::<u64>())
}

fn read_answer((epoch, head, nodes): (String, Seq, Vec<(String, String)>)) -> Result<Answer, RedisError> {
    let epoch = epoch.parse().map_err(|()| RedisError::Unexpected("the bus has no epoch".to_owned()))?;
    // A line that is none of ours says nothing of any node.
    let lines = nodes.iter().filter_map(|(node, line)| {
        let node = NodeId(node.parse().ok()?);
        let mut numbers = line.split(':').map(|number| number.parse().ok());
        let [renewal, obeyed, configured] = [numbers.next()??, numbers.next()??, numbers.next()??];
        Some(NodeLine { node, renewal, obeyed, configured })
    });
    Ok(Answer { position: Position { epoch, seq: head }, lines: lines.collect() })
}
