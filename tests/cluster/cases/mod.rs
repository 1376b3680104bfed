//! The harness itself, tested.

mod checks;
mod figures;
mod links;
mod model;
mod runs;
mod servers;
