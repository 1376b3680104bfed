//! What a gateway tells of the calls it serves: the access log, the metrics, and that neither tells a secret.

mod access_log;
mod collector;
mod house;
mod metrics;
mod outlets;
mod secrets;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod trace;
