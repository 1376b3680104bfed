//! The cluster under test, and the tests of what tests it.
//!
//! This binary (`cargo nextest run --test cluster`) tests the harness: its servers, its links, its nodes, its checker.
//! What a cluster promises is tested by the runner beside it, `consistency.rs`, which says how it is run.

mod cases;
mod checker;
mod cluster;
mod history;
mod http;
mod link;
mod node;
mod postgres;
mod process;
mod pump;
mod redis;
#[path = "../support/mod.rs"]
mod support;
mod upstream;
