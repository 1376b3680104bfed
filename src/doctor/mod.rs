//! A running configuration beside the statements of RFC 9700, the security best practice of OAuth 2.0.
//!
//! [`Configuration`] is what the Admin API shows, [`statements`] judges it, [`report()`] tells the verdicts, a line each.
//! Everything here is pure: the command `doctor` of room `app` fetches the pages and prints the lines.
//!
//! **Invariants:** a statement that the program keeps whatever is configured says so, and is counted as kept; what
//! depends on parts outside (the login page, the clients) is told as theirs and not counted; no secret is read.
//!
//! **Absent on purpose:** changing anything. A fault names the entity and the field to change.

mod configuration;
mod judges;
mod report;
mod statements;

pub use configuration::{Configuration, Guard};
pub use report::{Report, report};
pub use statements::{Level, STATEMENTS, Statement, Verdict};

#[cfg(test)]
mod tests;
