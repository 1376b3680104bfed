//! Load: clients that act at the same time, each in a loop of its own, until they are told to stop.
//!
//! What they do is chosen so that a broken promise shows: every token is made known to every node before it is revoked at
//! one, and asked for at every node the moment the revocation is answered; codes and refresh tokens go to all nodes at once.

mod families;
mod gates;
mod owners;
mod settings;
mod tokens;

use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinSet;

use crate::history::{History, Id, Micros, Outcome, Target, id};
use crate::lane::{Lane, call_everywhere, lanes};
use crate::node::Addresses;

/// What the clients of one run share.
pub struct Stage {
    addresses: Vec<Addresses>,
    history: Arc<History>,
    is_over: AtomicBool,
    /// Tokens that were answered and not taken away; those of before a quiet are left alone until the end.
    live: Mutex<Vec<String>>,
    old: Mutex<Vec<String>>,
    /// Tokens whose revocation was answered with success.
    dead: Mutex<Vec<String>>,
    upheavals: Arc<RwLock<()>>,
}

/// Something under way that makes nodes forget more than single tokens: a change of the configuration, say.
type Upheaval = OwnedRwLockReadGuard<()>;

/// As long as it lives, there is no upheaval.
pub struct Quiet {
    pub since: Micros,
    /// Tokens that every worker of every node was asked for.
    pub known: HashSet<Id>,
    _guard: OwnedRwLockWriteGuard<()>,
}

/// One client: its connections, its chance.
struct Actor {
    stage: Arc<Stage>,
    lanes: Vec<Lane>,
    rng: StdRng,
}

/// How soon those who wait notice that all is over.
const MOMENT: Duration = Duration::from_millis(50);

/// Tries to have a revocation answered: one that was not is begun again, as an operator would.
const TRIES: usize = 4;

impl Actor {
    fn new(stage: &Arc<Stage>, seed: u64) -> Self {
        let lanes = lanes(&stage.addresses, &stage.history);
        Self { stage: Arc::clone(stage), lanes, rng: StdRng::seed_from_u64(seed) }
    }

    fn goes_on(&self) -> bool {
        !self.stage.is_over.load(Ordering::SeqCst)
    }

    fn any_node(&mut self) -> &mut Lane {
        let node = self.rng.random_range(0..self.lanes.len());
        &mut self.lanes[node]
    }

    /// A node that the configuration is changed at. Never the last of several: what it knows of changes, it was told by
    /// others, and did not find by the way when it made one itself.
    fn configured_node(&mut self) -> &mut Lane {
        let node = self.rng.random_range(0..(self.lanes.len() - 1).max(1));
        &mut self.lanes[node]
    }

    /// Time to think, so that clients do not take all of the machine.
    async fn pause(&mut self, most: Duration) {
        tokio::time::sleep(most.mul_f64(self.rng.random())).await;
    }

    /// Waits for the end of a [`Quiet`].
    async fn upheaval(&self) -> Upheaval {
        Arc::clone(&self.stage.upheavals).read_owned().await
    }

    /// Lets time pass, unless all is over before.
    async fn wait(&self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < end && self.goes_on() {
            tokio::time::sleep(MOMENT).await;
        }
    }

    /// Sends it to one node or another until one answers with success.
    async fn revoke(
        &mut self,
        node: fn(&mut Self) -> &mut Lane,
        method: &str,
        path: &str,
        body: &Value,
        right: (Target, Id),
    ) -> bool {
        for _ in 0..TRIES {
            match node(self).revoke(method, path, body, right).await {
                Outcome::Done => return true,
                // Gone already, by a try that nobody answered; nothing was promised.
                Outcome::Refused => return false,
                Outcome::Failed | Outcome::Unknown | Outcome::Unsent => {}
            }
            self.pause(Duration::from_millis(50)).await;
        }
        false
    }

    fn keep(&self, token: String) {
        self.stage.live.lock().unwrap().push(token);
    }

    fn bury(&self, token: String) {
        self.stage.dead.lock().unwrap().push(token);
    }

    /// A token from a list, at random.
    fn any_of(&mut self, list: fn(&Stage) -> &Mutex<Vec<String>>) -> Option<String> {
        let known = list(&self.stage).lock().unwrap();
        (!known.is_empty()).then(|| known[self.rng.random_range(0..known.len())].clone())
    }
}

/// Clients at work.
pub struct Workload {
    stage: Arc<Stage>,
    clients: JoinSet<()>,
}

impl Workload {
    /// `seed` settles every choice of the clients, though not their timing.
    pub fn begin(addresses: &[Addresses], history: &Arc<History>, seed: u64) -> Self {
        let stage = Arc::new(Stage {
            addresses: addresses.to_vec(),
            history: Arc::clone(history),
            is_over: AtomicBool::new(false),
            live: Mutex::default(),
            old: Mutex::default(),
            dead: Mutex::default(),
            upheavals: Arc::default(),
        });
        let mut workload = Self { stage, clients: JoinSet::new() };
        let mut seeds = seed..;
        let mut seed = || seeds.next().unwrap_or_default();
        for node in 0..addresses.len() {
            // Those bound to a node go on when another does not answer.
            workload.add(seed(), tokens::issue_and_revoke);
            workload.add(seed(), |actor| tokens::call(actor, node));
            workload.add(seed(), |actor| settings::see(actor, node));
            workload.add(seed(), |actor| settings::ask_readiness(actor, node));
            workload.add(seed(), |actor| settings::issue(actor, node));
        }
        workload.add(seed(), owners::come_and_go);
        workload.add(seed(), owners::come_and_go);
        workload.add(seed(), families::redeem);
        workload.add(seed(), families::rotate);
        workload.add(seed(), families::replay);
        workload.add(seed(), gates::open_and_close);
        workload.add(seed(), settings::change);
        workload
    }

    fn add<Work: Future<Output = ()> + Send + 'static>(&mut self, seed: u64, work: impl FnOnce(Actor) -> Work) {
        self.clients.spawn(work(Actor::new(&self.stage, seed)));
    }

    /// From now on, as long as what it gives lives, nodes forget only what is revoked.
    pub async fn quiet(&self) -> Quiet {
        let _guard = Arc::clone(&self.stage.upheavals).write_owned().await;
        let since = self.stage.history.now();
        let tokens = {
            let mut live = self.stage.live.lock().unwrap();
            let few = live.len().saturating_sub(KNOWN);
            self.stage.old.lock().unwrap().extend(live.drain(..few));
            live.clone()
        };
        // New connections go to the workers of a node in turn.
        for _ in 0..CONNECTIONS {
            ask_everywhere(&self.stage, tokens.clone(), 1).await;
        }
        Quiet { since, known: tokens.iter().map(|token| id(token)).collect(), _guard }
    }

    /// Has every client finish what it is at, and then asks every node for every token.
    pub async fn end(mut self) {
        self.stage.is_over.store(true, Ordering::SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("a client does not panic");
        }
        let mut tokens = self.stage.live.lock().unwrap().clone();
        tokens.extend(self.stage.old.lock().unwrap().iter().cloned());
        tokens.extend(self.stage.dead.lock().unwrap().iter().cloned());
        ask_everywhere(&self.stage, tokens, AUDITORS).await;
    }
}

/// Clients that ask for every token at the end.
const AUDITORS: usize = 4;
/// Tokens that are known in a quiet, and connections to each node that make them known there.
const KNOWN: usize = 40;
const CONNECTIONS: usize = 4;

async fn ask_everywhere(stage: &Stage, tokens: Vec<String>, clients: usize) {
    let mut auditors = JoinSet::new();
    for part in tokens.chunks(tokens.len().div_ceil(clients).max(1)) {
        let (part, mut lanes) = (part.to_vec(), lanes(&stage.addresses, &stage.history));
        auditors.spawn(async move {
            for token in part {
                call_everywhere(&mut lanes, &token).await;
            }
        });
    }
    while let Some(ended) = auditors.join_next().await {
        ended.expect("an auditor does not panic");
    }
}
