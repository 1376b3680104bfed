//! Listening: one connection that waits for what is told.

use std::sync::Arc;
use std::time::Duration;

use redis::streams::{StreamId, StreamReadReply};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;
use tracing::debug;

use super::Order;
use super::follow::{Ticket, hand_over};
use super::state::{Shared, State};
use crate::cache::redis::epoch::{Epoch, NodeId};
use crate::cache::redis::event::Event;
use crate::cache::redis::line::Line;
use crate::cache::redis::protocol::{Applied, Heard};
use crate::cache::redis::scripts::{Keys, read_id};

/// How long one question waits for events.
pub(super) const BLOCK: Duration = Duration::from_millis(500);
/// Beyond that the connection is of no use.
const LIMIT: Duration = Duration::from_millis(1_000);
const AT_ONCE: usize = 512;
const PAUSE: Duration = Duration::from_millis(50);

/// Where to go on in both streams.
struct Cursors {
    events: String,
    acknowledgements: String,
}

pub(super) async fn listen(shared: Arc<Shared>, line: Line, keys: Keys, orders: UnboundedSender<Ticket>) {
    let mut cursors = Cursors { events: "0-0".to_owned(), acknowledgements: "0-0".to_owned() };
    let mut restarts = shared.cursor.subscribe();
    while !shared.is_stopped() {
        let mut question = redis::cmd("XREAD");
        question.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(BLOCK.as_millis() as u64).arg("STREAMS");
        question.arg(&keys.events).arg(&keys.acknowledgements);
        question.arg(&cursors.events).arg(&cursors.acknowledgements);
        match line.query::<Option<StreamReadReply>>(&question, LIMIT).await {
            Ok(reply) => take(&shared, &keys, reply.unwrap_or_default(), &mut cursors, &orders),
            Err(error) => {
                debug!(%error, "the bus cannot be heard");
                sleep(PAUSE).await;
            }
        }
        if restarts.has_changed().unwrap_or(false)
            && let Some(position) = *restarts.borrow_and_update()
        {
            let generation = position.epoch.generation();
            cursors.events = format!("{generation}-{}", position.seq);
            cursors.acknowledgements = format!("{generation}-0");
        }
    }
}

fn take(shared: &Shared, keys: &Keys, reply: StreamReadReply, cursors: &mut Cursors, orders: &UnboundedSender<Ticket>) {
    if reply.keys.is_empty() {
        return;
    }
    let mut is_lost = false;
    shared.tell(|state| {
        for stream in &reply.keys {
            for entry in &stream.ids {
                if stream.key.as_bytes() == keys.events {
                    cursors.events.clone_from(&entry.id);
                    is_lost |= !hear(shared, state, entry, orders);
                } else {
                    cursors.acknowledgements.clone_from(&entry.id);
                    hear_acknowledgement(state, entry);
                }
            }
        }
    });
    if is_lost {
        shared.renewal.notify_one();
    }
}

/// False: Redis should be asked which epoch it is in.
fn hear(shared: &Shared, state: &mut State, entry: &StreamId, orders: &UnboundedSender<Ticket>) -> bool {
    let Some((generation, seq)) = read_id(&entry.id) else { return false };
    // Who follows no epoch yet will read everything that is held.
    let Some((epoch, _)) = state.follower.received() else { return true };
    // Two servers may have begun epochs of one generation.
    if epoch.generation() != generation || entry.get::<String>("o").is_none_or(|of| of.parse() != Ok(epoch)) {
        return false;
    }
    match state.follower.heard(epoch, seq) {
        Heard::Next => {}
        Heard::Ignored => return true,
        Heard::Gap => return true,
        Heard::Foreign => return false,
    }
    // An event of a newer gateway that this one cannot read may be about anything.
    let event = entry.get::<Vec<u8>>("e").as_deref().and_then(Event::from_bytes);
    let of_memory = event.clone().unwrap_or(Event::Everything);
    shared.memory.lock().expect("no holder of this lock panics").record(seq, &of_memory);
    hand_over(state, event.map_or(Order::Restart, Order::Obey), orders);
    true
}

fn hear_acknowledgement(state: &mut State, entry: &StreamId) {
    let node = entry.get::<String>("n").and_then(|node| node.parse().ok()).map(NodeId);
    let epoch = entry.get::<String>("e").and_then(|epoch| epoch.parse::<Epoch>().ok());
    let (seq, configured) = (entry.get::<u64>("s"), entry.get::<u64>("c"));
    if let (Some(node), Some(epoch), Some(seq), Some(configured)) = (node, epoch, seq, configured) {
        state.seen.obeyed(node, Applied { epoch, seq, configured });
    }
}
