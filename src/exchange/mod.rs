//! Configurations as files: Kong's declarative format in and out, and what a running Admin API tells, in.
//!
//! A source becomes [`Input`] ([`text`], [`document`], [`live`]), which [`plan()`] compares with the store. A plan is
//! shown, or carried out: the configuration in one transaction, then tokens by the batch. [`export()`] writes what
//! there is.
//!
//! **Invariants:** nothing is written before all of the configuration is judged; a plan that was carried out is empty
//! when made again; what is not taken is told with its place; no secret is in a problem, a note or a difference.
//!
//! **Absent on purpose:** deleting (a file says what is to be there, not what else there may be), the command line
//! and its progress bars (`app`).

mod client;
mod diff;
pub mod document;
mod export;
mod given;
pub mod live;
mod matching;
mod mend;
mod plan;
mod references;
mod shape;
#[cfg(test)]
mod tests;
pub mod text;
mod tokens;
mod version;
mod world;
mod yaml;

pub use client::Client;
pub use export::{Exported, export};
pub use given::{Given, Input, Problem, Untaken};
pub use plan::{Plan, Refusal, Step, plan};
pub use tokens::{BATCH, Tally, store_batch};
