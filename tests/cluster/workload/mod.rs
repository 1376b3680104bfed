//! Load: clients that act at the same time, each in a loop of its own, until they are told to stop.
//!
//! What they do is chosen so that a broken promise shows: every token is made known to every node before it is revoked at
//! one, and asked for at every node the moment the revocation is answered; codes and refresh tokens go to all nodes at once.

mod families;
mod gates;
mod owners;
mod settings;
mod tokens;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::history::{History, Id, Outcome, Target};
use crate::lane::{Lane, call_everywhere, lanes};
use crate::node::Addresses;

/// What the clients of one run share.
pub struct Stage {
    addresses: Vec<Addresses>,
    history: Arc<History>,
    is_over: AtomicBool,
    /// Tokens that were answered and not taken away.
    live: Mutex<Vec<String>>,
    /// Tokens whose revocation was answered with success.
    dead: Mutex<Vec<String>>,
}

/// One client: its connections, its chance.
struct Actor {
    stage: Arc<Stage>,
    lanes: Vec<Lane>,
    rng: StdRng,
}

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
            dead: Mutex::default(),
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

    /// Has every client finish what it is at, and then asks every node for every token.
    pub async fn end(mut self) {
        self.stage.is_over.store(true, Ordering::SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("a client does not panic");
        }
        audit(&self.stage).await;
    }
}

/// Clients of the last questions.
const AUDITORS: usize = 4;

async fn audit(stage: &Arc<Stage>) {
    let mut tokens = stage.live.lock().unwrap().clone();
    tokens.extend(stage.dead.lock().unwrap().iter().cloned());
    let mut auditors = JoinSet::new();
    for part in tokens.chunks(tokens.len().div_ceil(AUDITORS).max(1)) {
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
