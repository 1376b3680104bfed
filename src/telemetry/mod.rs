//! What the program tells about itself: logs, counters, request ids.
//!
//! **Invariants:** no token, secret, address of a client or body reaches a log line; counters are per worker, so that
//! the hot path shares no cache line, and are summed when they are read.
//!
//! **Absent on purpose:** who serves `/metrics` (rooms `admin` and `app`).

mod histogram;
mod logs;
mod meters;
mod request_id;

pub use logs::{LevelHandle, filter, start_logs};
pub use meters::{Depth, Gauges, Meter, Meters, Registry};
pub use request_id::{RequestId, RequestIds};
