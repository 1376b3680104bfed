//! Following: renewing the lease, entering the roster, obeying what was heard, saying so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::state::Shared;
use super::{Obey, Obeyed, Order};
use crate::cache::redis::epoch::{Epoch, NodeId, Position};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::{Moment, Want};
use crate::cache::redis::roster::{Entry, Row};
use crate::cache::redis::scripts::Renewal;

/// After something failed.
const PAUSE: Duration = Duration::from_millis(100);
/// Orders that are obeyed at once; what was heard meanwhile is the next portion.
const PORTION: usize = 1024;

/// An order under the number by which the protocol knows it.
pub(super) type Ticket = (u64, Order);

/// Renews the lease, five times as often as it must be.
pub(super) async fn renew(shared: Arc<Shared>) {
    let mut is_away = false;
    while !shared.is_stopped() {
        let renewal = prepare(&shared);
        let sent = shared.now();
        match shared.scripts.renew(&renewal).await {
            Ok(answer) => {
                let replied = shared.now();
                shared.tell(|state| {
                    state.seen.lines(answer.position.epoch, &answer.lines, sent, replied);
                    state.follower.renewed(sent, answer.position.epoch, answer.position.seq);
                });
                if std::mem::take(&mut is_away) {
                    info!("the lease is renewed again");
                }
            }
            Err(error) => {
                shared.tell(|state| state.follower.tick(shared.now()));
                if !std::mem::replace(&mut is_away, true) {
                    warn!(%error, "the lease cannot be renewed: from its end on the database is asked each time");
                }
            }
        }
        let pause = if is_away { PAUSE.min(shared.terms.lease / 5) } else { shared.terms.lease / 5 };
        // A poke ends the pause.
        let _ = timeout(pause, shared.renewal.notified()).await;
    }
}

fn prepare(shared: &Shared) -> Renewal {
    let now = shared.now();
    shared.with(|state| Renewal {
        node: shared.node,
        floor: state.follower.floor(),
        received: state.follower.received(),
        applied: state.applied(),
        silent: state.seen.silent(now, shared.terms.lease * 3).collect(),
        silent_in: state.seen.epoch(),
    })
}

/// Does what the protocol wants done next.
pub(super) async fn fulfil(shared: Arc<Shared>, orders: UnboundedSender<Ticket>) {
    while !shared.is_stopped() {
        let now = shared.now();
        let want = shared.with(|state| state.follower.want(now));
        let is_done = match want {
            Want::Nothing => {
                // Time makes it want something too.
                let _ = timeout(shared.terms.lease / 10, shared.wanted.notified()).await;
                shared.tell_time();
                continue;
            }
            Want::Row { epoch, turn } => write_row(&shared, epoch, turn).await,
            Want::Confirm { turn } => confirm(&shared, turn).await,
            Want::Load(epoch) => load(&shared, epoch, &orders).await,
        };
        if !is_done {
            sleep(PAUSE).await;
            shared.tell_time();
        }
    }
}

async fn write_row(shared: &Shared, epoch: Option<Epoch>, turn: u64) -> bool {
    let sent = shared.now();
    match shared.roster.enter(shared.node, epoch, turn).await {
        Ok(Entry::Written) => shared.tell(|state| state.follower.row_written(epoch, turn, sent)),
        Ok(Entry::Refused { generation }) => {
            shared.tell(|state| state.follower.row_refused(turn, generation));
            shared.renewal.notify_one();
        }
        Err(error) => {
            debug!(%error, "the roster could not be written");
            return false;
        }
    }
    true
}

async fn confirm(shared: &Shared, turn: u64) -> bool {
    let sent = shared.now();
    match shared.roster.confirm(shared.node, turn).await {
        Ok(stands) => shared.tell(|state| state.follower.row_confirmed(turn, stands, sent)),
        Err(error) => {
            debug!(%error, "the roster could not be read");
            return false;
        }
    }
    true
}

/// Reads what the bus holds, and has everything remembered forgotten.
async fn load(shared: &Shared, epoch: Epoch, orders: &UnboundedSender<Ticket>) -> bool {
    let held = match shared.scripts.load(epoch).await {
        Ok(Some(held)) => held,
        Ok(None) => {
            // The bus is in another epoch: the next renewal tells which.
            shared.renewal.notify_one();
            return false;
        }
        Err(error) => {
            debug!(%error, "the bus could not be read");
            return false;
        }
    };
    let (top, events) = held;
    // What cannot be read breaks the row of events: nothing older is believed.
    let legible: Vec<_> = events.into_iter().filter_map(|(seq, event)| Some((seq, event?))).collect();
    shared.tell(|state| {
        if state.follower.loaded(epoch, top) {
            shared.memory.lock().expect("no holder of this lock panics").restore(epoch, top, &legible);
            shared.cursor.send_replace(Some(Position { epoch, seq: top }));
            hand_over(state, Order::Restart, orders);
        }
    });
    true
}

/// Within the lock of the state, so that orders are obeyed in the order of their tickets.
pub(super) fn hand_over(state: &mut super::state::State, order: Order, orders: &UnboundedSender<Ticket>) {
    if let Some(ticket) = state.follower.deliver() {
        // The receiver lives as long as the node.
        let _ = orders.send((ticket, order));
    }
}

/// Has the node obey, in order, a portion at a time.
pub(super) async fn obey(shared: Arc<Shared>, obey: Obey, mut orders: UnboundedReceiver<Ticket>) {
    let mut portion = Vec::with_capacity(PORTION);
    while orders.recv_many(&mut portion, PORTION).await > 0 {
        let Some((last, _)) = portion.last() else { continue };
        let last = *last;
        let given: Arc<[Order]> = portion.drain(..).map(|(_, order)| order).collect();
        let is_restart = given.contains(&Order::Restart);
        let obeyed = loop {
            match obey(Arc::clone(&given)).await {
                // Whoever begins anew must know everything.
                Obeyed::AllButConfiguration if is_restart => {}
                Obeyed::No => {}
                done => break done,
            }
            if shared.is_stopped() {
                return;
            }
            sleep(PAUSE).await;
        };
        let was_following = shared.with(|state| state.follower.applied().is_some());
        shared.tell(|state| {
            match obeyed {
                Obeyed::AllButConfiguration => state.doubt(),
                _ if is_restart => state.doubt = None,
                _ => {}
            }
            state.follower.obeyed(last);
        });
        if obeyed == Obeyed::AllButConfiguration {
            shared.doubted.notify_one();
        }
        if !was_following {
            // The lease counts from a renewal after everything was forgotten.
            shared.renewal.notify_one();
        }
    }
}

/// Tries again to go by a configuration that the node was told of and could not read.
pub(super) async fn end_doubt(shared: Arc<Shared>, obey: Obey) {
    let again: Arc<[Order]> = Arc::new([Order::Obey(Event::Configuration)]);
    while !shared.is_stopped() {
        shared.doubted.notified().await;
        warn!("another configuration is stored and cannot be read: calls go by the one before while the lease lasts");
        while let Some(number) = shared.with(|state| state.doubt.as_ref().map(|doubt| doubt.number)) {
            if obey(Arc::clone(&again)).await == Obeyed::All {
                // Unless there is another one since.
                shared.tell(|state| state.doubt.take_if(|doubt| doubt.number == number));
                continue;
            }
            if shared.is_stopped() {
                return;
            }
            sleep(PAUSE).await;
        }
        info!("the configuration was read");
    }
}

/// Tells the others how far this node has obeyed; only the latest counts.
pub(super) async fn acknowledge(shared: Arc<Shared>) {
    let mut applied = shared.applied.subscribe();
    while applied.changed().await.is_ok() {
        let Some(applied) = *applied.borrow_and_update() else { continue };
        if let Err(error) = shared.scripts.acknowledge(shared.node, applied).await {
            // The next renewal says the same.
            debug!(%error, "an acknowledgement was not sent");
        }
    }
}

/// Takes rows out of the roster whose nodes have said nothing for longer than any node may trust without a word. Judged
/// by this node's own clock.
pub(super) async fn strike_the_dead(shared: Arc<Shared>) {
    let patience = shared.terms.roster + shared.terms.roster / 10 + shared.terms.lease;
    let mut seen: HashMap<NodeId, (Row, Moment)> = HashMap::new();
    while !shared.is_stopped() {
        sleep(patience / 8).await;
        // Before the question: a row must have stood unchanged for all of the time.
        let now = shared.now();
        let Ok(rows) = shared.roster.read().await else { continue };
        let before = std::mem::take(&mut seen);
        for row in rows.rows {
            let since = match before.get(&row.node) {
                Some((known, since)) if *known == row => *since,
                _ => shared.now(),
            };
            seen.insert(row.node, (row, since));
            if row.node != shared.node && now > since + patience && shared.roster.strike(row).await.is_ok() {
                info!(node = %row.node, "a node that has said nothing for long is taken out of the roster");
            }
        }
    }
}

impl Shared {
    /// Time has passed, and nothing else happened.
    fn tell_time(&self) {
        let now = self.now();
        self.tell_quietly(|state| state.follower.tick(now));
    }
}
