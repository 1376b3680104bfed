//! The store: SQL and row mapping once, driven twice (PostgreSQL, SQLite).
//!
//! [`Store`] is the only door. Entities of the Admin API are stored generically, from their schemas; verbs with rules of
//! their own (redeem a code, insert a batch of tokens, sweep, reseal) are written by hand, each one atomic method, its SQL
//! beside its row mapping.
//!
//! **Invariants:** secrets rest sealed or digested, and are sealed and opened here and nowhere else; a row past its end is
//! invisible to every reader, swept or not; what was answered as written is on disk; every wait is bounded; no error text
//! holds a value of a row; the two databases answer alike (one suite tests both).
//!
//! **Absent on purpose:** caches, retries of writes, decisions (a store says what is, `oauth2` says what it means),
//! repository traits and mocks (SQLite in memory is the test double).

mod admin_tokens;
mod application_requests;
mod audit;
mod bulk;
mod clients;
mod codes;
mod configuration;
mod crud;
mod driver;
mod error;
mod exchange;
mod keys;
mod list;
mod location;
mod mailed_tokens;
mod mails;
mod migrations;
mod page;
mod postgres;
mod registration;
mod registration_documents;
mod registration_services;
mod registration_tokens;
mod reseal;
mod revocations;
mod roster;
mod rows;
mod secrets;
mod sessions;
mod sqlite;
mod standings;
mod statements;
mod store;
mod sweep;
mod table;
mod tokens;
mod turns;
mod value;

pub use application_requests::ApplicationCalls;
pub use bulk::{KNOWN_AT_ONCE, Stored};
pub use driver::PoolState;
pub use error::StorageError;
pub use location::{Location, PostgresOptions, Role, SqliteOptions};
pub use mailed_tokens::{MailedToken, Purpose};
pub use mails::{DueMail, MailRecord, MailState, NewMail};
pub use page::{AdminRole, AdminToken, AuditRecord, ListQuery, Lookup, Order, Page, TagFilter, Tagged};
pub use registration::Handed;
pub use registration_services::{EntranceRow, GuardRow, OfferRow, OfferRows};
pub use registration_tokens::{Holder, TokenFilter};
pub use reseal::{ResealCursor, Resealed};
pub use revocations::{Removed, Revocation};
pub use roster::{Entry, Roster, RosterRow};
pub use secrets::{ClientSecretRow, Removal};
pub use sessions::{Session, SessionHolder};
pub use store::{Migration, Store};
pub use sweep::{SweepCursor, Swept};
