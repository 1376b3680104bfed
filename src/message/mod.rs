//! HTTP/1.1 messages as data (RFC 9110, RFC 9112): heads, header fields, body framing, answers.
//!
//! **Invariants:** pure parsing of bytes, strict where two parsers could disagree (request smuggling); nothing here
//! reads a socket. Every parser is fuzzed or property-tested.
//!
//! **Absent on purpose:** connections (room `proxy`) and what a header means to a plugin.

mod answer;
mod body;
mod headers;

pub use answer::Answer;
pub use body::{BodyError, Source};
pub use headers::{Headers, RequestHead};
