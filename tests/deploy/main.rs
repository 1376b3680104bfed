//! What `deploy/` holds: each file is given to the program it is written for, and the set-ups are run.

mod image;
#[path = "../support/mod.rs"]
mod support;
mod tools;
