//! The ledger: calls of applications are counted by the workers and added up in the store every few seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::prelude::*;
use tracing::warn;
use uuid::Uuid;

use crate::domain::{Clock, Timestamp};
use crate::storage::{ApplicationCalls, Store};
use crate::telemetry::{Meters, Owner};

const PERIOD: Duration = Duration::from_secs(5);
/// Rows per transaction: small enough that no other writer waits long.
const BATCH: usize = 200;
/// Tallies of one node. More applications than that at once are not counted, and cost no memory.
const MOST_TALLIES: usize = 100_000;
/// Minutes of applications that wait for a store that is away. What would be more is dropped.
const MOST_WAITING: usize = 100_000;

/// Who calls what: application, service.
type Parties = (Uuid, Uuid);
type Counted = Vec<(Parties, Arc<Tally>)>;

/// The calls of one application to one service that one worker has seen since the ledger last took them.
#[derive(Debug, Default)]
pub struct Tally {
    admitted: AtomicI64,
    refused: AtomicI64,
}

impl Tally {
    pub fn count(&self, admitted: bool) {
        let number = if admitted { &self.admitted } else { &self.refused };
        number.fetch_add(1, Ordering::Relaxed);
    }

    fn take(&self) -> (i64, i64) {
        (self.admitted.swap(0, Ordering::Relaxed), self.refused.swap(0, Ordering::Relaxed))
    }
}

/// The tallies of every worker of a node. Workers hold theirs and ask here only for new ones.
#[derive(Clone, Debug, Default)]
pub struct Tallies(Arc<Mutex<Counted>>);

impl Tallies {
    /// A tally for one more worker; `None`: there are too many.
    pub fn begin(&self, application: Uuid, service: Uuid) -> Option<Arc<Tally>> {
        let mut tallies = self.0.lock().expect("no one panics while holding it");
        if tallies.len() >= MOST_TALLIES {
            return None;
        }
        let tally = Arc::new(Tally::default());
        tallies.push(((application, service), Arc::clone(&tally)));
        Some(tally)
    }

    /// What was counted since the last time. Tallies that no worker holds any more are given up.
    fn take(&self) -> HashMap<Parties, (i64, i64)> {
        let mut taken: HashMap<Parties, (i64, i64)> = HashMap::new();
        let mut tallies = self.0.lock().expect("no one panics while holding it");
        tallies.retain(|(parties, tally)| {
            // Asked first: a worker that lets go of it later may still have counted before.
            let is_held = Arc::strong_count(tally) > 1;
            let (admitted, refused) = tally.take();
            if (admitted, refused) != (0, 0) {
                let sum = taken.entry(*parties).or_default();
                *sum = (sum.0 + admitted, sum.1 + refused);
            }
            is_held
        });
        taken
    }
}

/// Writes what was counted; answered when it is durable, or waits for better times.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Balance;

/// The actor; one per node.
pub struct Ledger {
    store: Store,
    clock: Clock,
    tallies: Tallies,
    meters: Arc<Meters>,
    /// What is not written yet, by the minute in which it was taken.
    waiting: HashMap<(Parties, Timestamp), (i64, i64)>,
}

impl Ledger {
    /// Questions that may wait.
    pub const MAILBOX: usize = 16;

    pub fn start_with(store: Store, clock: Clock, tallies: Tallies, meters: Arc<Meters>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(Self::MAILBOX);
            Self { store, clock, tallies, meters, waiting: HashMap::new() }
        })
    }

    /// Writes everything that was counted. What cannot be written waits for the next time.
    fn balance(&mut self) -> ResponseActFuture<Self, ()> {
        self.gather();
        let (store, meters) = (self.store.clone(), Arc::clone(&self.meters));
        let waiting = std::mem::take(&mut self.waiting);
        let written = async move {
            let mut left: Vec<_> = waiting.into_iter().collect();
            while !left.is_empty() {
                let begins = left.len().saturating_sub(BATCH);
                meters.count_batch_of(Owner::Ledger, left.len() - begins);
                let batch: Vec<_> = left[begins..].iter().map(|(of, numbers)| calls(*of, *numbers)).collect();
                if let Err(error) = store.add_application_requests(batch).await {
                    warn!(%error, "calls of applications could not be added up, trying again");
                    break;
                }
                left.truncate(begins);
            }
            left
        };
        Box::pin(written.into_actor(self).map(|left, actor, _| left.into_iter().for_each(|calls| actor.keep(calls))))
    }

    fn gather(&mut self) {
        let now = self.clock.now();
        let minute = Timestamp::from_seconds(now.seconds() - now.seconds().rem_euclid(60));
        let taken = self.tallies.take();
        taken.into_iter().for_each(|(parties, numbers)| self.keep(((parties, minute), numbers)));
    }

    fn keep(&mut self, (of, (admitted, refused)): ((Parties, Timestamp), (i64, i64))) {
        if self.waiting.len() >= MOST_WAITING && !self.waiting.contains_key(&of) {
            warn!(application = %of.0.0, "too many calls wait to be added up, dropping some");
            return;
        }
        let sum = self.waiting.entry(of).or_default();
        *sum = (sum.0.saturating_add(admitted), sum.1.saturating_add(refused));
    }
}

fn calls(((application, service), at): (Parties, Timestamp), (admitted, refused): (i64, i64)) -> ApplicationCalls {
    ApplicationCalls { application, service, at, admitted, refused }
}

impl Actor for Ledger {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(PERIOD, |actor, context| {
            let balanced = actor.balance();
            // Nothing else meanwhile: a store that is slow gets one write at a time.
            context.wait(balanced);
        });
    }
}

impl Handler<Balance> for Ledger {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Balance, _: &mut Self::Context) -> Self::Result {
        self.balance()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_of_all_workers_are_one_sum_and_are_taken_once() {
        let (tallies, application, service) = (Tallies::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let [one, other] = [(), ()].map(|()| tallies.begin(application, service).unwrap());
        one.count(true);
        one.count(false);
        other.count(true);
        assert_eq!(tallies.take(), HashMap::from([((application, service), (2, 1))]));
        assert_eq!(tallies.take(), HashMap::new());
        other.count(true);
        drop(other);
        assert_eq!(tallies.take(), HashMap::from([((application, service), (1, 0))]), "counted before it was let go");
        assert_eq!(tallies.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn there_are_never_too_many_tallies() {
        let tallies = Tallies::default();
        let many = (0..MOST_TALLIES).filter_map(|number| tallies.begin(Uuid::from_u128(number as u128), Uuid::nil()));
        assert_eq!(many.count(), MOST_TALLIES);
        assert!(tallies.begin(Uuid::nil(), Uuid::nil()).is_none());
        tallies.take();
        assert!(tallies.begin(Uuid::nil(), Uuid::nil()).is_some(), "those that nobody holds made way");
    }
}
