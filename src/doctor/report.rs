//! The verdicts as lines.

use std::fmt::Write as _;

use super::configuration::Configuration;
use super::statements::{Level, STATEMENTS, Verdict};

/// Places a line names of those where a statement is not kept.
const MOST_PLACES: usize = 5;

/// Every statement's line, and the score.
#[derive(Debug)]
pub struct Report {
    /// One line per statement, and one for the score.
    pub text: String,
    /// Statements that are kept, and those that count.
    pub kept: usize,
    pub counted: usize,
    /// Statements of level MUST that are not kept.
    pub musts_broken: usize,
}

/// Judges a configuration by every statement.
pub fn report(configuration: &Configuration) -> Report {
    let mut report = Report { text: String::new(), kept: 0, counted: 0, musts_broken: 0 };
    for statement in STATEMENTS {
        let verdict = (statement.judge)(configuration);
        let level = if statement.level == Level::Must { "MUST" } else { "SHOULD" };
        let word = match &verdict {
            Verdict::Kept => "ok",
            Verdict::NotApplicable | Verdict::Outside(_) => "-",
            Verdict::Broken(_) => "FAIL",
        };
        let note = note(&verdict);
        // Writing to a string cannot fail.
        let _ = writeln!(report.text, "{word:<4}  {:<6}  {level:<6}  {}{note}", statement.section, statement.says);
        report.kept += usize::from(verdict == Verdict::Kept);
        if matches!(verdict, Verdict::Kept | Verdict::Broken(_)) {
            report.counted += 1;
        }
        if matches!(verdict, Verdict::Broken(_)) && statement.level == Level::Must {
            report.musts_broken += 1;
        }
    }
    let broken = report.counted - report.kept;
    let _ = writeln!(
        report.text,
        "score {} of {}: {broken} not kept, {} of them a MUST (RFC 9700)",
        report.kept, report.counted, report.musts_broken
    );
    report
}

/// What stands behind the statement on its line.
fn note(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Kept => String::new(),
        Verdict::NotApplicable => " (nothing here it is about)".to_owned(),
        Verdict::Outside(whose) => format!(" (up to {whose})"),
        Verdict::Broken(places) => {
            let shown = places.iter().take(MOST_PLACES).map(String::as_str).collect::<Vec<_>>().join("; ");
            match places.len().saturating_sub(MOST_PLACES) {
                0 => format!(": {shown}"),
                more => format!(": {shown}; and {more} more"),
            }
        }
    }
}
