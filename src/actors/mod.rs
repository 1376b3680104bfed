//! The owners: actors that each own one thing, so that it needs no lock and cannot race.
//!
//! | actor | where | owns |
//! |---|---|---|
//! | [`Credentials`] | one per worker | look-ups in flight, fills and invalidations of that worker's caches |
//! | [`Issuer`] | one per worker | the batch of tokens being written |
//! | [`Exchanger`] | one per node | codes and refresh tokens being used up, and what they end |
//! | [`Hasher`] | a small pool of threads | slow hashes |
//! | [`Link`] | one per node | the list of workers, and the order of invalidations |
//! | [`Keeper`] | one per node | rebuilding the configuration snapshot |
//! | [`Janitor`] | one per node | removing what has expired |
//! | [`Ledger`] | one per node | calls of applications that are not added up yet |
//! | [`Mailer`] | one per node | sending mails, and trying again |
//! | [`Recorder`] | one per node | the audit log's batch |
//! | [`Scribe`] | one per node, on a thread of its own | the file of the access log |
//! | [`Tracer`] | one per node, on a thread of its own | spans that are not sent yet |
//!
//! **Invariants:** every mailbox is bounded, and a full one is answered "try again later" (by scribe and tracer: not at all); an
//! invalidation is
//! acknowledged by every worker before the change that caused it is answered; a fill begun before an invalidation is
//! never stored after it.
//!
//! **Absent on purpose:** decisions of the protocol (`oauth2`), HTTP, other nodes (`cache::redis` tells them).

mod contact;
mod credentials;
mod exchanger;
mod flights;
mod hasher;
mod issuer;
mod janitor;
mod keeper;
mod ledger;
mod link;
mod mailer;
mod recorder;
mod roster;
mod scribe;
mod tracer;

pub use crate::cache::redis::{Bus, Event, Lease, Unconfirmed};
pub use contact::Contact;
pub use credentials::{
    Ask, Caches, Credentials, FindClient, FindConsumer, FindJwtSecret, FindKey, FindStanding, FindToken, Sources,
};
pub use exchanger::{Exchange, Exchanger};
pub use hasher::{Hash, HashError, Hasher, Verified, Verify, hasher_pool};
pub use issuer::{Issue, IssueError, Issuer};
pub use janitor::Janitor;
pub use keeper::{Keeper, PublishError, Rebuild, Refresh, Watch};
pub use ledger::{Balance, Ledger, Tallies, Tally};
pub use link::{Announce, Attach, Join, Link, Obey};
pub use mailer::{Mailer, Wake};
pub use recorder::{Record, Recorder};
pub use roster::StoreRoster;
pub use scribe::{Reopen, Scribe, Settle};
pub use tracer::{Finish, Post, Tracer};
