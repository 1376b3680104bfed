//! HTTP messages as data (RFC 9110, RFC 9112, RFC 9113): heads, header fields, body framing, answers.
//!
//! **Invariants:** pure parsing of bytes, strict where two parsers could disagree (request smuggling); nothing here
//! reads a socket. A head is copied once, into room that is kept from one to the next, and its parts are places in that.
//! Every parser is fuzzed or property-tested.
//!
//! **Absent on purpose:** connections (room `proxy`), what a header means to a plugin, and trailers of chunked bodies,
//! which are checked and dropped.

mod answer;
mod body;
mod chunked;
mod framing;
mod headers;
mod pseudo;
mod refusal;
mod request;
mod response;
mod scan;
mod target;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use body::{BodyError, Source};
pub use chunked::{BadChunk, Decoded, Decoder, LAST_CHUNK, encode_chunk, encode_size};
pub use framing::{BodyLength, Version, list};
pub use headers::{Headers, RequestHead, is_clean};
pub use pseudo::{Pseudo, complete_head};
pub use refusal::Refusal;
pub use request::{HeadLimits, MAX_FIELDS, RequestFrame, read_request};
pub use response::{BadResponse, ResponseFrame, ResponseHead, read_response};
pub use scan::Scan;
pub use target::is_authority;
