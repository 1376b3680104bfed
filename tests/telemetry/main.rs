//! What a gateway tells of the calls it serves: the access log, the metrics, and that neither tells a secret.

mod access_log;
mod house;
mod metrics;
mod outlets;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod trace;
