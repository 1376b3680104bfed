//! The Admin API over HTTP.
//!
//! One handler serves every path: it finds the endpoint in the table that the schemas give ([`crate::schema::Endpoint`]),
//! judges the caller, reads the body, asks the catalog, and answers in Kong's words. So a path that is described is a
//! path that is served.
//!
//! **Invariants:** every answer has `Server` and `X-Request-Id`; every write that was let through is told to the audit
//! log before it is answered; a page of another origin reaches nothing; no body or path with a secret is logged.
//!
//! **Absent on purpose:** rules of entities (rooms `schema` and `engine`), listeners and TLS (room `app`).

mod access;
mod audit;
mod body;
mod entities;
mod errors;
mod information;
mod query;
mod registration;
mod reply;
mod routing;
mod serve;
mod state;
mod tokens;

pub use access::{Foreign, foreign};
pub use errors::told;
pub use serve::configure;
pub use state::{AdminIdentity, AdminRole, AdminState, AuditEntry, AuditPage, Exposure, Surroundings};

#[cfg(test)]
mod tests;
