//! The cluster under test, and the tests of what tests it.
//!
//! This binary (`cargo nextest run --test cluster`) tests the harness: its servers, its links, its nodes, its checker.
//! What a cluster promises is tested by the runner beside it, `consistency.rs`, which says how it is run.

mod acts;
mod cases;
mod checker;
mod cluster;
#[expect(dead_code, reason = "the figures themselves are the runner's; the loader is tested here")]
mod figures;
mod fleet;
#[expect(dead_code, reason = "the tests of the lines to Redis use more of it")]
#[path = "../redis_tier/fleets.rs"]
mod fleets;
mod history;
mod http;
mod lane;
mod link;
mod nemesis;
mod node;
mod postgres;
mod process;
mod pump;
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
