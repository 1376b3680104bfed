//! What the program tells about itself: logs, the access log, traces, counters, request ids.
//!
//! **Invariants:** no token, secret or body reaches a line of any log, and no address of a client one of the program's;
//! counters are per worker, so that the hot path shares no cache line, and are summed when they are read. Every name of a
//! metric stands in docs/metrics.md.
//!
//! **Absent on purpose:** who serves `/metrics` (rooms `admin` and `app`).

mod access;
mod histogram;
mod loads;
mod logs;
mod meters;
mod outbox;
mod outcomes;
mod owners;
mod reading;
mod text;
mod trace;
mod traffic;

pub use access::{AccessLog, Caller, Entry, Place, Sent};
pub use loads::Loads;
pub use logs::{LogHandle, start_logs};
pub use meters::{Meter, Meters, Registry, Waiting};
pub use outbox::{Batch, HandOver, Spares};
pub use outcomes::{AskedGrant, TokenRefusal};
pub use owners::Owner;
pub use reading::{Kind, Reading, Readings};
pub use trace::{Attempt, CallSpans, Context, Envelope, Marks, Sampler, SpanId, SpanLog, Trace, TraceId};
pub use traffic::{Answered, ConsumerClass, RouteLabels, Slot, Traffic};
