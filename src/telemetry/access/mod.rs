//! The access log: one line per answered request, as JSON or as nginx's `combined`.
//!
//! A worker writes its lines into a buffer of its own ([`AccessLog`]) and hands it over by the batch; who writes batches
//! to a file is the actor `Scribe`'s affair. The fields are listed in docs/access-log.md.
//!
//! **Invariants:** no query, body, token or secret reaches a line, and of a referrer only what stands before its query.
//! What a client sent is cut to a bounded length and escaped to visible ASCII, so that it can neither end its field nor
//! its line, nor steer a terminal. Writing a line takes no lock, no allocation once warm and no system call. A batch that
//! nobody takes is dropped and counted, never waited for.
//!
//! **Absent on purpose:** files (room `actors`), and how an [`Entry`] comes about (room `app`).

mod buffer;
mod combined;
mod entry;
mod json;

pub use buffer::AccessLog;
pub use entry::{Caller, Entry, Place, Sent};
pub(super) use json::{MOST_AGENT, MOST_HOST, MOST_METHOD, MOST_NAME, MOST_PATH};
