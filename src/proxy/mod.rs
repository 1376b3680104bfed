//! The data plane: listeners, connections, phases of a request, upstream connections.
//!
//! Each worker thread accepts connections for itself ([`accept`]), and everything of a connection stays in its thread
//! ([`worker`]). A connection reads
//! requests ([`connection`]; [`http2`] for streams) and gives each to the exchange ([`exchange`]), which finds its route,
//! runs its plugins and forwards it ([`forward`], [`transfer`]). Between connection and exchange lies a seam ([`seam`]),
//! so that either protocol feeds the same exchange.
//!
//! **Invariants:** a request sees one [`Snapshot`], from its head to its end. Nothing on the way of a request crosses
//! threads or takes a lock, and nothing is allocated per request once a connection is warm. What is held for a slow
//! reader is bounded, in each direction. Heads are rebuilt field by field; bytes of one side's head never reach the
//! other as they came. An upstream connection is used again only after both bodies ended cleanly.
//!
//! **Absent on purpose:** retries after a time-out (the upstream may be at work on it), trailers of HTTP/1.1, and any
//! knowledge of what a plugin does.

mod accept;
mod certificates;
mod connection;
mod counts;
mod dial;
mod exchange;
mod failure;
mod fields;
mod forward;
mod gateway;
mod http2;
mod io;
mod link;
mod loads;
mod names;
mod own;
mod post;
mod preamble;
mod queue;
mod request_id;
mod seam;
mod snapshot;
mod tickets;
mod timer;
mod trace;
mod transfer;
mod trust;
mod tunnel;
mod verify;
mod wire;
mod worker;

pub use accept::{Listener, Workers};
pub use certificates::{Certificate, Expiry};
pub use counts::OpenNow;
pub use exchange::Record;
pub use failure::Failure;
pub use gateway::{Gateway, Settings};
pub use own::PRODUCT;
pub use post::{Destination, Poster};
pub use snapshot::{Configuration, Snapshot};
pub use trust::TrustedNetworks;
