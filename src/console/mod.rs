//! The console: what administrators do by hand, as HTML pages under `/console` on the Admin listener.
//!
//! One handler serves every path ([`configure`]): it refuses pages of other origins, finds the session, and hands GETs to
//! [`read`] and POSTs to [`acts`], each one table from path to page.
//!
//! **Invariants:** nobody sees a page but the log-in without a session of an admin token, which is looked up again at
//! every request; a POST is let through only with the CSRF token of its session, by a token that may write, and is told
//! to the audit log before it is answered; no page prints a secret that the store keeps; texts in notices come from a
//! fixed set, never from a query.
//!
//! **Absent on purpose:** rules of entities, contracts and tokens (room `engine`): the console asks what the Admin API asks.

mod acts;
mod applications;
mod audit;
mod calls;
mod contracts;
mod developers;
mod documents;
mod entities;
mod facts;
mod frame;
mod home;
mod login;
mod mails;
mod notices;
mod paging;
mod read;
mod refusal;
mod requests;
mod serve;
mod services;
mod session;
mod state;
mod token_search;
mod tokens;
mod views;
mod visit;

pub use serve::configure;
pub use state::ConsoleState;
