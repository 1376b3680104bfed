//! How the gateway ends, what it survives, and how much it holds meanwhile.

mod descriptors;
mod doctor;
mod drains;
mod ends;
mod memory;
mod outlets;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod wire;
