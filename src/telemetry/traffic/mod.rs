//! What was asked of each route: counted by every worker for itself, summed when it is read.
//!
//! A worker asks [`Traffic::slot`] once for each route of a snapshot it meets, and from then on counts in the [`Slot`]
//! without asking anybody.
//!
//! **Invariants:** a slot is written by one thread only, so that counting is a load and a store. The number of series is
//! bounded: a route has at most 24 pairs of code and consumer class of its own, and what was counted of routes that are
//! gone stands under `(deleted)`. No count is lost by a change of the configuration.
//!
//! **Absent on purpose:** what a route is (room `router`); here it is an id and a name.

mod labels;
mod render;
mod slot;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

pub use labels::{ConsumerClass, RouteLabels};
use slot::Sums;
pub use slot::{Answered, Slot};

/// The counts of every worker.
#[derive(Debug, Default)]
pub struct Traffic {
    state: Mutex<State>,
}

type ByRoute = BTreeMap<RouteLabels, Sums>;

#[derive(Debug, Default)]
struct State {
    /// By route: a slot for each worker that has met it.
    slots: HashMap<RouteLabels, Vec<(usize, Arc<Slot>)>>,
    /// Slots that no request begun from now on counts in.
    retired: Vec<Arc<Slot>>,
    /// What was counted of routes that are gone, by their service.
    gone: ByRoute,
    /// The routes there are; `None`: nobody has told yet.
    live: Option<HashSet<RouteLabels>>,
    workers: usize,
}

impl Traffic {
    /// A number for one more worker, to ask for slots by.
    pub fn worker(&self) -> usize {
        let mut state = self.state();
        state.workers += 1;
        state.workers
    }

    /// The slot of a route; only this worker may count in it. Takes a lock.
    pub fn slot(&self, worker: usize, labels: &RouteLabels) -> Arc<Slot> {
        let mut state = self.state();
        let known = state.slots.get(labels).and_then(|slots| slots.iter().find(|(owner, _)| *owner == worker));
        if let Some((_, slot)) = known {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot::new(labels.clone()));
        match state.is_live(labels) {
            true => state.slots.entry(labels.clone()).or_default().push((worker, Arc::clone(&slot))),
            // The last requests of a route that is gone already.
            false => state.retired.push(Arc::clone(&slot)),
        }
        slot
    }

    /// Tells which routes there are from now on. What was counted of others, also under a name that was changed, is told
    /// as of deleted ones.
    pub fn keep(&self, live: impl IntoIterator<Item = RouteLabels>) {
        let mut state = self.state();
        state.live = Some(live.into_iter().collect());
        let slots = std::mem::take(&mut state.slots);
        let (kept, gone) = slots.into_iter().partition(|(labels, _)| state.is_live(labels));
        state.slots = kept;
        let gone: HashMap<RouteLabels, Vec<(usize, Arc<Slot>)>> = gone;
        state.retired.extend(gone.into_values().flatten().map(|(_, slot)| slot));
        state.fold();
    }

    /// Prometheus' text format.
    pub fn render(&self, text: &mut String) {
        let (slots, retired, mut sums) = {
            let mut state = self.state();
            state.fold();
            let slots: Vec<_> = state.slots.values().flatten().map(|(_, slot)| Arc::clone(slot)).collect();
            (slots, state.retired.clone(), state.gone.clone())
        };
        // Added up without the lock: no worker that meets a route waits for a scrape.
        for slot in slots {
            sums.entry(slot.labels.clone()).or_default().add(&slot);
        }
        for slot in retired {
            sums.entry(slot.labels.without_route()).or_default().add(&slot);
        }
        render::render(&sums, text);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no one panics while holding it")
    }
}

impl State {
    fn is_live(&self, labels: &RouteLabels) -> bool {
        labels.is_none() || self.live.as_ref().is_none_or(|live| live.contains(labels))
    }

    /// Adds up what no worker holds any more.
    fn fold(&mut self) {
        for slot in std::mem::take(&mut self.retired) {
            match Arc::try_unwrap(slot) {
                Ok(slot) => self.gone.entry(slot.labels.without_route()).or_default().add(&slot),
                Err(held) => self.retired.push(held),
            }
        }
        // A service that is gone too is told of with the others that are.
        let Some(live) = &self.live else { return };
        let services: HashSet<_> = live.iter().map(RouteLabels::service).collect();
        for (labels, sums) in std::mem::take(&mut self.gone) {
            let lives = services.contains(&labels.service());
            let labels = if lives { labels } else { labels.without_service() };
            self.gone.entry(labels).or_default().merge(&sums);
        }
    }
}
