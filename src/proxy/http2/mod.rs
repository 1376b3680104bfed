//! HTTP/2 on both sides (RFC 9113): clients' streams into the exchange, calls to upstreams that speak gRPC.
//!
//! The crate `h2` knows frames, flow control and header compression; this room turns its streams into what
//! [`seam`](super::seam) asks for. A stream is served by a task of its own on its connection's thread ([`stream`],
//! [`crew`]), with what HTTP/1.1 has too: exchange, record, time limits.
//!
//! **Invariants:** a client's window is opened again only when the exchange took what came, and an answer is handed to
//! `h2` only as far as the client's window reaches: what one stream holds is bounded by the same figure as a connection
//! of HTTP/1.1. Streams of a connection, streams that clients reset, and frames without sense are counted, and beyond a
//! bound the connection ends.
//!
//! **Absent on purpose:** server push, priorities, and HTTP/2 to services of other protocols than `grpc` and `grpcs`, as
//! in Kong.

mod begun;
mod call;
mod channel;
mod connection;
mod crew;
mod forward;
mod head;
mod kit;
mod stream;
mod tunnel;
mod wire;

pub(super) use channel::Channels;
pub(super) use connection::{PREFACE, serve};
pub(super) use crew::Crew;
pub(super) use forward::run as forward;
