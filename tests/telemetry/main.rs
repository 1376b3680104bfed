//! What a gateway tells of the calls it serves: the access log, the metrics, and that neither tells a secret.

mod access_log;
mod away;
mod collector;
mod house;
mod metrics;
mod outlets;
#[path = "../programs/mod.rs"]
mod programs;
mod secrets;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod trace;
