//! The harness itself, tested.

mod links;
mod servers;
