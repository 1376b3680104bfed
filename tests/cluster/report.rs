//! What runs have shown, as a table: on the screen, and in the documentation.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::checker::{Recovery, SECOND};
use crate::history::{Kind, Micros, Outcome};
use crate::run::Report;

/// Between these lines of a document stands the last run.
pub const BEGIN: &str = "<!-- last run: begin -->";
pub const END: &str = "<!-- last run: end -->";

const HEAD: &str = "\
| fault | operations | refused | failed | no answer | broken promises | revocations | p50 ms | p99 ms | max ms \
| calls ms | tokens ms | revoking ms | codes ms | refreshing ms | settings ms | ready ms |
|---|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
";

/// The columns after the revocations: from the end of the fault to the first success, at the node that was last.
const RECOVERIES: [Kind; 7] =
    [Kind::Call, Kind::Issue, Kind::Revoke, Kind::Redeem, Kind::Rotate, Kind::Change, Kind::Ready];

/// A Markdown table of these runs.
pub fn table(reports: &[Report]) -> String {
    reports.iter().fold(HEAD.to_owned(), |text, report| text + &row(report))
}

fn row(report: &Report) -> String {
    let count = |outcome: Outcome| report.counts.get(&outcome).copied().unwrap_or_default();
    let (refused, failed) = (count(Outcome::Refused), count(Outcome::Failed));
    let silent = count(Outcome::Unknown) + count(Outcome::Unsent);
    let mut row = format!("| {} | {} | {refused} | {failed} | {silent} |", report.name, report.operations());
    let _ = write!(row, " {} |", breaches(report));
    let times = report.revocations;
    let _ = write!(row, " {} | {} | {} | {} |", times.count, ms(times.p50), ms(times.p99), ms(times.max));
    for kind in RECOVERIES {
        let _ = write!(row, " {} |", recovery(&report.recoveries, kind));
    }
    row + "\n"
}

fn breaches(report: &Report) -> String {
    let found: Vec<_> =
        report.breaches().iter().map(|((breach, cause), count)| format!("{breach}{cause}: {count}")).collect();
    if found.is_empty() { "none".to_owned() } else { found.join("; ") }
}

fn ms(micros: Micros) -> String {
    format!("{:.1}", micros as f64 * 1000.0 / SECOND as f64)
}

fn recovery(recoveries: &BTreeMap<Kind, Recovery>, kind: Kind) -> String {
    match recoveries.get(&kind) {
        None => "-".to_owned(),
        Some(recovery) => recovery.milliseconds().map_or("never".to_owned(), |time| time.to_string()),
    }
}

/// One run, as it is told while others wait.
pub fn line(report: &Report) -> String {
    let mut recoveries = report.recoveries.values().map(|recovery| recovery.milliseconds());
    let slowest = recoveries.try_fold(0, |slowest, time| time.map(|time| time.max(slowest)));
    let recovered = slowest.map_or("never".to_owned(), |time| format!("{time} ms"));
    format!(
        "{:<52} {:>6} operations  revocation p99 {:>7} ms, max {:>7} ms  all back after {recovered:>8}  {:>4.1} s  {}",
        report.name,
        report.operations(),
        ms(report.revocations.p99),
        ms(report.revocations.max),
        report.took.as_secs_f64(),
        breaches(report),
    )
}

/// Puts `text` between the two lines of the document at `path`.
///
/// # Errors
/// The document has no such lines, or cannot be read or written.
pub fn put_into(path: &Path, text: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let document = std::fs::read_to_string(path).map_err(told)?;
    let parts = document.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{}: has no lines {BEGIN} and {END}", path.display()))?;
    std::fs::write(path, format!("{before}{BEGIN}\n\n{text}\n{END}{after}")).map_err(told)
}
