//! A run: a cluster, load, one fault or several in a row, and what the checker says of it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::checker::{
    Breach, Cause, Percentiles, Recovery, Rules, Trouble, Violation, check, recoveries, revocation_times,
};
use crate::cluster::{Cluster, GRACE, LEASE, Shape};
use crate::fleet::Fleet;
use crate::history::{Event, History, Id, Kind, Micros, Outcome};
use crate::nemesis::Nemesis;
use crate::workload::Workload;

/// Load before the fault: caches fill, every kind of operation has succeeded.
const WARM: Duration = Duration::from_millis(1500);
/// Allowed on top of the lease.
pub const MARGIN: Duration = Duration::from_secs(1);
/// Longest wait for everything to work again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a run has shown of one fault.
pub struct Report {
    pub name: &'static str,
    pub counts: BTreeMap<Outcome, usize>,
    pub violations: Vec<Violation>,
    /// Of the revocations that ended while the fault was on, or before the next.
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

/// When a fault was on.
struct Window {
    nemesis: Nemesis,
    /// Everything was as it should be.
    quiet: Micros,
    known: HashSet<Id>,
    begin: Micros,
    end: Micros,
    began: Instant,
}

/// Runs these faults, one after the other, against a new cluster; its history and, when something is found, the nodes'
/// logs go to `folder`.
pub async fn run(nemeses: &[Nemesis], shape: Shape, seed: u64, folder: &Path) -> Vec<Report> {
    let began = Instant::now();
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let mut cluster = Cluster::shaped(shape).await;
    let history = Arc::new(History::in_file(&folder.join("history.jsonl")));
    let workload = Workload::begin(&cluster.addresses(), &history, seed);
    tokio::time::sleep(WARM).await;
    let mut windows = Vec::new();
    for nemesis in nemeses {
        let quiet = if windows.is_empty() { 0 } else { history.now() };
        windows.push(bring_about(*nemesis, quiet, &mut cluster, &history, &workload).await);
    }
    workload.end().await;

    windows[0].began = began;
    let (events, ended) = (history.events(), Instant::now());
    let reports = judge(&events, &windows, ended, folder);
    if reports.iter().any(|report| !report.violations.is_empty()) {
        for node in &cluster.nodes {
            fs::write(folder.join(format!("node-{}.log", node.number())), node.log_text()).unwrap();
        }
        for (name, text) in cluster.fleet.iter().flat_map(Fleet::logs) {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    reports
}

/// Lets one fault begin, hold and end, and waits until all works again.
async fn bring_about(
    nemesis: Nemesis,
    quiet: Micros,
    cluster: &mut Cluster,
    history: &History,
    workload: &Workload,
) -> Window {
    let began = Instant::now();
    let kept = if nemesis.is_quiet() { Some(workload.quiet().await) } else { None };
    let (quiet, known) = match &kept {
        Some(kept) => (kept.since, kept.known.clone()),
        None => (quiet, HashSet::new()),
    };
    let begin = history.mark(&format!("{} begins", nemesis.name));
    for step in nemesis.begin {
        cluster.take(*step).await;
    }
    tokio::time::sleep(nemesis.holds).await;
    for step in nemesis.end {
        cluster.take(*step).await;
    }
    let end = history.mark(&format!("{} has ended", nemesis.name));
    drop(kept);
    all_works_again(history, begin, end).await;
    Window { nemesis, quiet, known, begin, end, began }
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

fn judge(events: &[Event], windows: &[Window], ended: Instant, folder: &Path) -> Vec<Report> {
    let mut found = check(events, &rules());
    let reports = windows.iter().enumerate().map(|(at, window)| {
        let next = windows.get(at + 1);
        let until = next.map_or(Micros::MAX, |next| next.quiet);
        let since = at.checked_sub(1).map_or(0, |before| windows[before].end);
        let here = found.extract_if(.., |violation| violation.at < until).collect();
        let took = next.map_or(ended, |next| next.began) - window.began;
        window.report(events, since..until, here, (took, folder))
    });
    reports.collect()
}

impl Window {
    /// `within`: when nothing else was wrong. `violations`: what of the promise was found broken then.
    fn report(
        &self,
        events: &[Event],
        within: Range<Micros>,
        mut violations: Vec<Violation>,
        (took, folder): (Duration, &Path),
    ) -> Report {
        let Self { nemesis, quiet, ref known, begin, end, .. } = *self;
        let (since, until) = (within.start, within.end);
        let (serves, is_database_silent) = (&nemesis.serves[..], nemesis.is_database_silent());
        let trouble = Trouble { since, until, quiet, known, begin, end, serves, is_database_silent };
        violations.extend(trouble.check(events, &rules()));
        let recoveries = recoveries(events, begin, end);
        let mut counts = BTreeMap::new();
        let mut last = end;
        for event in events.iter().filter(|event| (quiet..until).contains(&event.end)) {
            *counts.entry(event.outcome).or_default() += 1;
            last = event.end.max(last);
        }
        violations.extend(recoveries.iter().filter_map(|(kind, recovery)| recovery.violation(*kind, end, last)));
        let (name, folder) = (nemesis.name, folder.to_owned());
        let revocations = revocation_times(events, begin..until);
        Report { name, counts, violations, revocations, recoveries, took, folder }
    }
}
