//! Loads upon several proxies in turn, and what comes of them.

use std::path::Path;

use super::h2load::H2load;
use super::round::{Round, Stretch, cpu_micros, middle};
use super::wrk::Wrk;

#[derive(Clone)]
pub enum Load {
    Wrk(Wrk),
    H2load(H2load),
}

/// A proxy under a load.
pub struct Entry {
    pub name: &'static str,
    pub pid: u32,
    pub port: u16,
    pub load: Load,
    /// Whether every call is to be refused rather than served.
    pub refused: bool,
}

impl Entry {
    pub fn new(name: &'static str, pid: u32, port: u16, load: Load) -> Self {
        Self { name, pid, port, load, refused: false }
    }

    fn run(&self, folder: &Path, stretch: Stretch) -> Round {
        let cpu = || cpu_micros(self.pid);
        let round = match &self.load {
            Load::Wrk(load) => load.run(folder, self.port, stretch, cpu),
            Load::H2load(load) => load.run(folder, self.port, stretch, cpu),
        };
        let refused = if self.refused { round.answered } else { 0 };
        assert_eq!(round.refused, refused, "{}: some calls did not end as they should", self.name);
        round
    }
}

/// What one entry made of it: its rounds, and each as a share of the first entry's of that turn.
pub struct Standing {
    pub name: &'static str,
    pub rounds: Vec<Round>,
    pub cpu: Vec<f64>,
    pub p99: Vec<f64>,
}

impl Standing {
    pub fn ratio(&self) -> f64 {
        middle(self.cpu.iter().copied())
    }

    pub fn p99_ratio(&self) -> f64 {
        middle(self.p99.iter().copied())
    }

    pub fn answered(&self) -> u64 {
        self.rounds.iter().map(|round| round.answered).sum()
    }

    fn range(&self) -> (f64, f64) {
        (self.cpu.iter().copied().fold(f64::MAX, f64::min), self.cpu.iter().copied().fold(0.0, f64::max))
    }
}

/// Runs the entries in turn, once unmeasured and then as often as `stretch` says, and prints their table.
pub fn run(title: &str, entries: &[Entry], folder: &Path, stretch: Stretch) -> Vec<Standing> {
    for entry in entries {
        entry.run(folder, Stretch { seconds: 2, ..stretch });
    }
    let turns: Vec<Vec<Round>> =
        (0..stretch.rounds).map(|_| entries.iter().map(|entry| entry.run(folder, stretch)).collect()).collect();
    let standings: Vec<Standing> =
        entries.iter().enumerate().map(|(place, entry)| standing(entry, place, &turns)).collect();
    println!(
        "\n{title}\n\n| call | CPU µs | nginx = 1.00 | from, to | p99 ms | calls a second |\n|---|---|---|---|---|---|"
    );
    for standing in &standings {
        let micros = middle(standing.rounds.iter().map(|round| round.cpu_micros));
        let p99 = middle(standing.rounds.iter().map(|round| round.p99_ms));
        let rate = standing.answered() / u64::from(stretch.seconds) / stretch.rounds as u64;
        let ((from, to), ratio) = (standing.range(), standing.ratio());
        println!("| {} | {micros:.1} | {ratio:.2} | {from:.2}, {to:.2} | {p99:.2} | {rate} |", standing.name);
    }
    standings
}

fn standing(entry: &Entry, place: usize, turns: &[Vec<Round>]) -> Standing {
    let share = |of: fn(&Round) -> f64| turns.iter().map(|turn| of(&turn[place]) / of(&turn[0])).collect();
    Standing {
        name: entry.name,
        rounds: turns.iter().map(|turn| turn[place]).collect(),
        cpu: share(|round| round.cpu_micros),
        p99: share(|round| round.p99_ms),
    }
}
