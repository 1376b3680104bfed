//! The lines to Redis and what is kept there, on real servers of every kind, healthy and not.

mod certificates;
mod codes;
mod counts;
mod faults;
mod fleets;
mod impostors;
mod joined;
mod kinds;
mod node;
#[expect(dead_code, reason = "the tests of a whole cluster use the rest of it")]
#[path = "../cluster/process.rs"]
mod process;
mod scripts;
mod server;
mod topologies;
mod values;
