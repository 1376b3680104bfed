//! What a node remembers, and may forget at any time: bounded maps beside the truth in the store.
//!
//! **Invariants:** every map here is bounded; forgetting costs a look-up (or loosens a lock), never a right or a wrong answer. A view is
//! stored only by the actor that owns its look-ups (room `actors`), so that a fill cannot overtake a revocation.
//!
//! **Absent on purpose:** deciding whether a token is good (`oauth2::judge`), and loading what is missing.

mod attempts;
mod common;
mod custom_tokens;
mod lookups;
pub mod redis;
mod verified;

pub use attempts::{Attempts, Leniency};
pub use common::Common;
pub use custom_tokens::{CustomTokens, Reading};
pub use lookups::{Found, Key, Lookups};
pub use verified::VerifiedSecrets;
