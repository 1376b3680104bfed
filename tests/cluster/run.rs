//! One run: a cluster, load, one fault, and what the checker says of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::checker::{
    Breach, Cause, Percentiles, Recovery, Rules, Trouble, Violation, check, recoveries, revocation_times,
};
use crate::cluster::{Cluster, GRACE, LEASE, Shape};
use crate::history::{Event, History, Kind, Micros, Outcome};
use crate::nemesis::Nemesis;
use crate::workload::Workload;

/// Load before the fault: caches fill, every kind of operation has succeeded.
const WARM: Duration = Duration::from_millis(1500);
/// Allowed on top of the lease.
pub const MARGIN: Duration = Duration::from_secs(1);
/// Longest wait for everything to work again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a run has shown.
pub struct Report {
    pub name: &'static str,
    pub counts: BTreeMap<Outcome, usize>,
    pub violations: Vec<Violation>,
    /// Of the revocations that ended while the fault was on, or later.
    pub revocations: Percentiles,
    pub recoveries: BTreeMap<Kind, Recovery>,
    pub took: Duration,
    /// Where history and logs are.
    pub folder: PathBuf,
}

impl Report {
    /// How often the promise was broken, by kind and cause.
    pub fn breaches(&self) -> BTreeMap<(Breach, Cause), usize> {
        let mut breaches = BTreeMap::new();
        for violation in &self.violations {
            *breaches.entry((violation.breach, violation.cause)).or_default() += 1;
        }
        breaches
    }

    pub fn operations(&self) -> usize {
        self.counts.values().sum()
    }
}

fn micros(time: Duration) -> Micros {
    time.as_micros() as Micros
}

/// What every cluster here is set to.
pub fn rules() -> Rules {
    Rules {
        lease: micros(LEASE),
        margin: micros(MARGIN),
        grace: micros(GRACE),
        longest_revocation: micros(LEASE + MARGIN),
    }
}

/// Runs `nemesis` against a new cluster; its history and, when something is found, the nodes' logs go to `folder`.
pub async fn run(nemesis: &Nemesis, shape: Shape, seed: u64, folder: &Path) -> Report {
    let begun = Instant::now();
    let folder = folder.join(nemesis.name.replace([' ', ':', ',', '/'], "-"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut cluster = Cluster::shaped(shape).await;
    let history = Arc::new(History::in_file(&folder.join("history.jsonl")));
    let workload = Workload::begin(&cluster.addresses(), &history, seed);
    tokio::time::sleep(WARM).await;

    let begin = history.mark(&format!("{} begins", nemesis.name));
    for step in nemesis.begin {
        cluster.take(*step).await;
    }
    tokio::time::sleep(nemesis.holds).await;
    for step in nemesis.end {
        cluster.take(*step).await;
    }
    let end = history.mark(&format!("{} has ended", nemesis.name));
    all_works_again(&history, begin, end).await;
    workload.end().await;

    let events = history.events();
    let violations = judge(&events, nemesis, begin, end);
    if !violations.is_empty() {
        for node in &cluster.nodes {
            fs::write(folder.join(format!("node-{}.log", node.number())), node.log_text()).unwrap();
        }
    }
    let mut counts = BTreeMap::new();
    for event in &events {
        *counts.entry(event.outcome).or_default() += 1;
    }
    let revocations = revocation_times(&events, begin..Micros::MAX);
    let recoveries = recoveries(&events, begin, end);
    Report { name: nemesis.name, counts, violations, revocations, recoveries, took: begun.elapsed(), folder }
}

/// Watches for as long as the promise allows staleness, and then until every kind of operation has succeeded again.
async fn all_works_again(history: &History, begin: Micros, end: Micros) {
    let until = Instant::now() + PATIENCE;
    tokio::time::sleep(LEASE + MARGIN).await;
    while Instant::now() < until {
        let found = recoveries(&history.events(), begin, end);
        if found.values().all(|recovery| matches!(recovery, Recovery::After(_))) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn judge(events: &[Event], nemesis: &Nemesis, begin: Micros, end: Micros) -> Vec<Violation> {
    let mut violations = check(events, &rules());
    let last = events.iter().map(|event| event.end).max().unwrap_or_default();
    violations.extend(Trouble { begin, end, serves: &nemesis.serves }.check(events, &rules()));
    let found = recoveries(events, begin, end);
    violations.extend(found.into_iter().filter_map(|(kind, recovery)| recovery.violation(kind, end, last)));
    violations
}
