//! What `deploy/` holds: each file is given to the program it is written for, and the set-ups are run.

mod compose;
mod compose_file;
mod echo;
mod fleet;
mod flows;
mod fronts;
mod image;
#[path = "../programs/mod.rs"]
mod programs;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tools;
mod unit;
mod watch;
