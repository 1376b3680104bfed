//! The harness itself, tested.

mod checks;
mod figures;
mod links;
mod loading;
mod model;
mod runs;
mod servers;
mod service;
