//! Traces: what a call belongs to (W3C Trace Context), and its spans as OTLP takes them.
//!
//! A worker writes its spans into a buffer of its own ([`SpanLog`]) and hands it over by the batch; who sends batches is
//! the actor `Tracer`'s affair. Names and attributes are listed in docs/tracing.md.
//!
//! **Invariants:** no query, body, token or secret reaches a span. What a client sent is cut to a bounded length and
//! escaped. Reading a context does not allocate, and one that breaks the standard's rules counts as none. Spans that
//! nobody takes are dropped and counted, never waited for.
//!
//! **Absent on purpose:** chance (ids are handed in), sockets, and how a [`CallSpans`] comes about (room `app`).

mod context;
mod otlp;
mod sampler;
mod spans;

pub use context::{Context, SpanId, TraceId};
pub use otlp::{Envelope, Marks};
pub use sampler::{Sampler, Trace};
pub use spans::{Attempt, CallSpans, SpanLog};
