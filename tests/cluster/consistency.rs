//! The runner of the promise: three nodes under load and under faults, one fault at a time.
//!
//! ```text
//! cargo test --test consistency -- quick             the quick set: about a minute and a half
//! cargo test --test consistency -- full              every fault
//! cargo test --test consistency -- 'redis: kill -9'  these faults, by name; several, one after the other
//! cargo test --test consistency -- list              their names
//! cargo test --release --test consistency -- figures --tokens 10000000
//! ```
//!
//! `figures` tells what calls and tokens cost, with three nodes and with one, with few tokens in the database and with
//! as many as `--tokens` says (ten million need 8 GB of disk; a million if it says nothing).
//!
//! `--into FILE` also writes the table between the two marked lines of that document; `--seed N` settles what clients
//! choose. Histories (JSON lines), and logs of nodes where something was found, are kept in `target/tmp/consistency`.
//! The exit status is 1 when a promise was broken; in the quick set, when one of consistency was: what was late or not
//! served is told.
//!
//! It is a binary of its own, without libtest's harness: asked for its tests (`cargo nextest run`, `cargo test`) it has
//! none, for three gateways, their databases and their clients need the machine for themselves. `tests/run` calls it as
//! a step of its own.

mod acts;
mod checker;
mod cluster;
mod figures;
mod fleet;
#[expect(dead_code, reason = "the tests of the lines to Redis use more of it")]
#[path = "../redis_tier/fleets.rs"]
mod fleets;
mod history;
mod http;
mod lane;
#[expect(dead_code, reason = "the tests of the harness look at more of it")]
mod link;
mod nemesis;
mod node;
#[expect(dead_code, reason = "the tests of the harness look at more of it")]
mod postgres;
mod process;
mod pump;
#[expect(dead_code, reason = "the tests of the harness look at more of it")]
mod redis;
mod report;
mod run;
#[expect(dead_code, reason = "the tests of the lines to Redis use more of it")]
#[path = "../redis_tier/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;
mod upstream;
mod workload;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nemesis::{NEMESES, Nemesis};
use run::Report;

/// Violations of one run that are told on the screen.
const TOLD: usize = 5;

/// What the command line asks for.
struct Order {
    /// Faults that a cluster of their own meets in a row.
    rows: Vec<Vec<Nemesis>>,
    /// Figures with so many tokens.
    figures: Option<usize>,
    into: Option<PathBuf>,
    seed: u64,
    is_quick: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Test runners ask every binary for its tests, or run it with no word at all.
    if words.is_empty() || words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    if words == ["list"] {
        NEMESES.iter().for_each(|nemesis| println!("{}", nemesis.name));
        return ExitCode::SUCCESS;
    }
    let done = order(words).and_then(|order| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(obey(order))
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn order(words: Vec<String>) -> Result<Order, String> {
    let mut order = Order { rows: Vec::new(), figures: None, into: None, seed: rand::random(), is_quick: false };
    let mut words = words.into_iter();
    let mut tokens = 1_000_000;
    while let Some(word) = words.next() {
        match word.as_str() {
            "quick" => {
                order.is_quick = true;
                order.rows.push(NEMESES.iter().filter(|nemesis| nemesis.is_quick).copied().collect());
            }
            "full" => order.rows.extend(NEMESES.iter().map(|nemesis| vec![*nemesis])),
            "figures" => order.figures = Some(tokens),
            "--tokens" => {
                let number = words.next().and_then(|number| number.parse().ok());
                tokens = number.ok_or("--tokens needs a number")?;
                order.figures = order.figures.map(|_| tokens);
            }
            "--into" => order.into = Some(words.next().ok_or("--into needs a file")?.into()),
            "--seed" => {
                let number = words.next().and_then(|number| number.parse().ok());
                order.seed = number.ok_or("--seed needs a number")?;
            }
            name => {
                let named = Nemesis::named(name).ok_or_else(|| format!("no fault is named `{name}`"))?;
                order.rows.push(vec![*named]);
            }
        }
    }
    let is_empty = order.rows.is_empty() && order.figures.is_none();
    if is_empty { Err("say `quick`, `full`, `figures`, or names of faults".to_owned()) } else { Ok(order) }
}

fn tell(report: &Report) {
    println!("{}", report::line(report));
    for violation in report.violations.iter().take(TOLD) {
        println!("    {violation}");
    }
    if report.violations.len() > TOLD {
        println!("    and {} more: {}", report.violations.len() - TOLD, report.folder.display());
    }
}

/// Whether every promise was kept.
async fn obey(order: Order) -> Result<bool, String> {
    let is_quick = order.is_quick;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consistency");
    println!("seed {}", order.seed);
    let mut reports: Vec<Report> = Vec::new();
    for row in order.rows {
        let name = if let [one] = &row[..] { one.name.replace([' ', ':', ',', '/'], "-") } else { "row".to_owned() };
        let told = run::run(&row, row[0].shape, order.seed, &folder.join(name)).await;
        told.iter().for_each(tell);
        reports.extend(told);
    }
    let mut text = String::new();
    if !reports.is_empty() {
        text += &report::table(&reports);
        println!("\n{text}");
    }
    if let Some(tokens) = order.figures {
        text += &figures::tables(tokens).await;
    }
    if let Some(path) = order.into {
        report::put_into(&path, &text)?;
    }
    let is_broken = |report: &Report| match is_quick {
        // A machine that does everything else at the same time says little of how soon and how steadily.
        true => report.violations.iter().any(|violation| violation.breach.is_of_consistency()),
        false => !report.violations.is_empty(),
    };
    Ok(!reports.iter().any(is_broken))
}
