//! The use cases: what a handler holds and asks. The engine loads, asks the pure rooms, stores.
//!
//! [`Node`] is shared by all threads; a [`Worker`] belongs to one thread and reads its caches without a message.
//!
//! **Invariants:** a token in clear goes no further than its digest; what was answered with success is durable and in
//! force on this node; a full queue is an error of its own ([`EngineError::Overloaded`]), never a wait without end.
//!
//! **Absent on purpose:** HTTP and its texts (rooms `plugins`, `admin`), and protocol decisions (`oauth2`).

pub mod accounts;
mod authenticate;
mod authorize;
pub mod catalog;
mod cluster;
mod error;
mod issue;
mod node;
mod outside;
mod ports;
mod refresh;
pub mod registration;
mod validate;
mod worker;

pub use crate::cache::{Attempts, Leniency};
pub use crate::storage::{AuditRecord, Tagged};
pub use crate::telemetry::{AskedGrant, TokenRefusal, TraceId};
pub use authorize::Sent;
pub use cluster::Membership;
pub use error::EngineError;
pub use issue::Issued;
pub use node::Node;
pub use outside::Outside;
pub use worker::Worker;
