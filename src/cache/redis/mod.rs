//! What nodes share through Redis, and how a revocation reaches every one of them.
//!
//! **Invariants:** nothing is decided by what Redis says alone: flushed, killed, restored from an old copy or split in
//! two, it costs time and never a right. A node answers from memory only while its lease is fresh. No secret is
//! written to Redis, and no error or log line holds one.
//!
//! **Absent on purpose:** who calls what (`actors`, `engine`), the roster's table (`storage`), and what a token is good
//! for (`oauth2::judge`).

mod address;
mod bus;
mod bytes;
mod codes;
mod counters;
mod dial;
mod epoch;
mod error;
mod event;
mod hot;
mod lease;
mod line;
mod memory;
mod protocol;
mod roster;
mod scripts;
mod seal;
mod shelf;
mod tier;
mod value;

pub use bus::{Bus, BusState, Obey, Obeyed, Order, Settings, Unconfirmed};
pub use codes::CodeTier;
pub use counters::Counters;
pub use dial::{Dialer, Purpose};
pub use epoch::{Epoch, NodeId, Position, Seq};
pub use error::RedisError;
pub use event::Event;
pub use hot::Hot;
pub use lease::{Asked, Lease};
pub use line::Line;
pub use memory::{Memory, Stamp};
pub use roster::{Entry, Pending, Roster, RosterError, Row, Rows};
pub use shelf::Tallies;
pub use tier::{Kept, TokenTier};
