//! Announcing: a change that is committed is made known to every node, and answered when it is.
//!
//! What waits while one portion is being published is the next portion: one publication and one look at the roster for
//! all of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::warn;

use super::Bus;
use super::state::Shared;
use crate::cache::redis::epoch::{NodeId, Position};
use crate::cache::redis::event::Event;
use crate::cache::redis::protocol::{Barrier, Verdict};
use crate::cache::redis::scripts::Answer;
use crate::domain::TokenDigest;

/// Beyond the lease.
const GRACE: Duration = Duration::from_millis(500);
/// Between two looks at the roster: longer each time, for many may be waiting for the same node.
const PAUSE: Duration = Duration::from_millis(20);
const MOST_PAUSES: u32 = 8;
/// How often a change that was not confirmed is announced again. After that what nodes remember has run out.
const MOST_TRIES: usize = 30;
/// Events in one publication.
const PORTION: usize = 512;

/// The change is committed, but some node may still act by what was before. Doing it again completes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the change is stored, but not every node has confirmed it; repeat it")]
pub struct Unconfirmed;

pub(super) struct Announcement {
    events: Vec<Event>,
    answer: oneshot::Sender<Result<(), Unconfirmed>>,
}

impl Bus {
    /// Tells every node of a change that is committed in the database, and waits until each has obeyed, or can trust
    /// nothing that it remembers from before. At most for the lease and half a second.
    ///
    /// # Errors
    /// [`Unconfirmed`]: the change holds, but it is not known that every node goes by it.
    pub async fn announce(&self, events: Vec<Event>) -> Result<(), Unconfirmed> {
        let (answer, answered) = oneshot::channel();
        self.announcements.try_send(Announcement { events, answer }).map_err(|_| Unconfirmed)?;
        answered.await.unwrap_or(Err(Unconfirmed))
    }
}

pub(super) async fn announce(shared: Arc<Shared>, mut announcements: mpsc::Receiver<Announcement>) {
    let mut portion = Vec::new();
    while announcements.recv_many(&mut portion, PORTION).await > 0 {
        // A configuration takes longer to confirm, and nothing else should wait for that.
        let of_configuration = |announcement: &Announcement| announcement.events.contains(&Event::Configuration);
        let (configurations, others): (Vec<_>, Vec<_>) = portion.drain(..).partition(of_configuration);
        let sent = [others, configurations].map(|portion| send(&shared, portion));
        // Waiting for slow nodes must not hold up the next portion.
        for is_published in sent.into_iter().flatten() {
            let _ = is_published.await;
        }
    }
}

/// Has a portion confirmed, in a task of its own. What it gives ends when the portion is published, or cannot be.
fn send(shared: &Arc<Shared>, portion: Vec<Announcement>) -> Option<oneshot::Receiver<()>> {
    if portion.is_empty() {
        return None;
    }
    let (events, answers): (Vec<_>, Vec<_>) =
        portion.into_iter().map(|announcement| (announcement.events, announcement.answer)).unzip();
    let events: Vec<Event> = events.into_iter().flatten().collect();
    let (published, is_published) = oneshot::channel();
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let outcome = confirm(&shared, &events, published).await;
        let is_confirmed = outcome.is_ok();
        for answer in answers {
            // Who no longer waits does not need it.
            let _ = answer.send(outcome.clone());
        }
        if !is_confirmed {
            go_on(&shared, &events).await;
        }
    });
    Some(is_published)
}

/// Who was told "not confirmed" may never repeat it; what was stored should be known all the same.
async fn go_on(shared: &Shared, events: &[Event]) {
    let Ok(_place) = shared.unconfirmed.try_acquire() else { return };
    for _ in 0..MOST_TRIES {
        sleep_until(Instant::now() + shared.terms.lease).await;
        let (published, _) = oneshot::channel();
        if shared.is_stopped() || confirm(shared, events, published).await.is_ok() {
            return;
        }
    }
}

async fn confirm(shared: &Shared, events: &[Event], published: oneshot::Sender<()>) -> Result<(), Unconfirmed> {
    let (began, lease) = (shared.now(), shared.lease_with_margin());
    let deadline = Instant::now() + lease + GRACE;
    let mut published = Some(published);
    let mut barrier = Barrier::new(lease);
    let is_configuration = events.contains(&Event::Configuration);
    let mut news = shared.news.subscribe();
    for round in 0_u32.. {
        pursue(shared, events, &mut barrier, round == 0).await;
        drop(published.take());
        let again = Instant::now() + shared.terms.lease / 4;
        loop {
            news.mark_unchanged();
            let now = shared.now();
            let (until, nodes) = match shared.with(|state| barrier.verdict(&state.seen, now)) {
                Verdict::Known if is_configuration => {
                    if shared.with(|state| barrier.is_configured(&state.seen, began, now)) {
                        return Ok(());
                    }
                    if now > began + lease {
                        // Who is silent is found so by a list that is newer.
                        shared.renewal.notify_one();
                    }
                    (Some((began + lease).max(now + PAUSE)), Vec::new())
                }
                Verdict::Known => return Ok(()),
                Verdict::Waiting { until, nodes } => (until, nodes),
            };
            if Instant::now() >= deadline {
                tell_who_is_missing(&nodes);
                return Err(Unconfirmed);
            }
            // Whoever has left the epoch since, or finds it closed, is found in the roster only.
            let is_overdue = is_configuration && nodes.is_empty() && now > began + lease;
            if barrier.wants_roll() || is_overdue || Instant::now() >= again {
                break;
            }
            let wait = until.map_or(GRACE, |until| Duration::from_nanos(until.0.saturating_sub(now.0) + 1));
            let wake = (Instant::now() + wait).min(deadline).min(again);
            let _ = timeout_at(wake, news.changed()).await;
        }
        sleep_until((Instant::now() + PAUSE * (round + 1).min(MOST_PAUSES)).min(deadline)).await;
    }
    Err(Unconfirmed)
}

/// Publishes where that is still needed, and calls the roll.
async fn pursue(shared: &Shared, events: &[Event], barrier: &mut Barrier, is_first: bool) {
    let mut is_reached = true;
    if !barrier.has_published() || barrier.missed().is_some() {
        let asked = shared.now();
        match shared.scripts.publish(events).await {
            Ok(answer) => {
                let replied = shared.now();
                bury(shared, events, answer.position);
                let Answer { position, lines } = answer;
                shared.tell(|state| barrier.published(position, &lines, &mut state.seen, asked, replied));
            }
            Err(error) => {
                tracing::debug!(%error, "a change could not be published");
                is_reached = false;
            }
        }
    }
    call_the_roll(shared, barrier).await;
    // An epoch that began since the publication is published in next time.
    let may_be_reached = is_reached && is_first;
    if let Some(epoch) = barrier.missed().filter(|_| !may_be_reached) {
        // Those who go by it cannot be told here: it ends, and they find that in the roster.
        if let Err(error) = shared.roster.close(epoch).await {
            tracing::debug!(%error, "an epoch could not be closed");
        }
        call_the_roll(shared, barrier).await;
    }
}

/// Leaves word in Redis of tokens that have ended, so that nobody need ask the database. Nobody waits for it.
fn bury(shared: &Shared, events: &[Event], position: Position) {
    let ended: Vec<TokenDigest> = events.iter().filter_map(Event::token).collect();
    if !ended.is_empty() {
        let tokens = shared.tokens.clone();
        tokio::spawn(async move { tokens.bury(&ended, Some(position)).await });
    }
}

async fn call_the_roll(shared: &Shared, barrier: &mut Barrier) {
    let mark = barrier.mark();
    match shared.roster.read().await {
        Ok(rows) => barrier.called(mark, rows.roll()),
        Err(error) => tracing::debug!(%error, "the roll could not be called"),
    }
}

fn tell_who_is_missing(nodes: &[NodeId]) {
    if nodes.is_empty() {
        return warn!("a change is stored, but neither Redis nor the database could be asked who knows of it");
    }
    let names: Vec<String> = nodes.iter().map(NodeId::to_string).collect();
    warn!(nodes = names.join(","), "a change is stored, but these nodes have not confirmed it");
}
