//! Start, wiring, drain, stop, and the command line: the only place where everything meets.
//!
//! **Invariants:** exit codes are 0 done, 1 failed, 64 bad configuration, 130 interrupted; a failure is one readable
//! line on standard error; what a first start makes (keyring, certificate, admin token) is readable by its owner only.
//!
//! **Absent on purpose:** anything a request needs; by then this room has handed over.

mod access_log;
mod admin_client;
mod admin_tokens;
mod cli;
mod demo;
mod descriptors;
mod dev;
mod doctor;
mod error;
mod export;
mod figures;
mod gateway;
mod gathering;
mod health;
mod import;
mod keyring;
mod listeners;
mod migrate;
mod observer;
mod portal;
mod private_file;
mod readiness;
mod reload;
mod servers;
mod snapshot;
mod status;
mod stop;
mod surroundings;
mod tls;
mod traces;
mod vitals;

pub use cli::run;
pub use error::Failure;
