//! The lines to Redis and what is kept there, on real servers of every kind, healthy and not.

mod certificates;
mod fleets;
mod kinds;
mod node;
mod server;
mod topologies;
mod values;
