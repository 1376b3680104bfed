//! Routes compiled to a matcher; rules of hosts, paths and the path the upstream sees.
//!
//! **Invariants:** pure and immutable once compiled (a change compiles a new [`Router`]); the order in which routes win
//! is Kong's traditional one; matching never panics and never allocates for a request that needs no decoding.
//!
//! **Absent on purpose:** what happens to a matched request (room `proxy`), who may call it (room `plugins`).

mod entity;
mod hosts;
mod join;
mod normal;
mod paths;
mod rank;
mod spec;
mod table;
#[cfg(test)]
mod tests;

pub use entity::SpecError;
pub(crate) use entity::{id as entity_id, protocols as entity_protocols, reference as entity_reference};
pub use join::{Joint, join_into};
pub use normal::{escape_into, normalize};
pub use spec::{PathHandling, Pattern, Protocol, Protocols, RouteSpec, ServiceSpec};
pub use table::{Ask, BadPath, Match, Router, check_path_regex};
