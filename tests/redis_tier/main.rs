//! The lines to Redis and what is kept there, on real servers of every kind, healthy and not.

mod certificates;
mod codes;
mod counts;
mod faults;
mod fleets;
mod impostors;
mod joined;
mod kinds;
mod node;
mod scripts;
mod server;
mod topologies;
mod values;
