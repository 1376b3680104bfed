//! Traces: the W3C context of a call, and its spans as OpenTelemetry's OTLP/JSON has them.
//!
//! A traced call is two spans: one of the server, for the whole call, and below it one of the client, for what the
//! upstream took. Both are written when the call is over, into a buffer of the worker's own ([`SpanLog`]); who sends
//! batches to a collector is the actor `Exporter`'s affair. docs/tracing.md lists the attributes.
//!
//! **Invariants:** no query, body, token or secret reaches a span; texts of clients are cut and escaped as in the access
//! log. A context that does not follow the specification is as good as none. A batch that nobody takes is dropped and
//! counted, never waited for. A call that is not traced pays nothing but the look whether it is.
//!
//! **Absent on purpose:** baggage (it passes untouched), and spans of the gateway's own phases: their time is in the
//! server's span, before the client's begins.

mod context;
mod span;

pub use context::{Incoming, Sampling, Trace};
pub use span::{SpanLog, Spanned, envelope};
