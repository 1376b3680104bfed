//! Developers' accounts by the Portal API of the real binary: application-registration.md 6.2 (the rows of accounts) and
//! the clauses 7 and 11 of 6.3, and the mails that go with them.
//!
//! The halves on PostgreSQL need `TOLLGATE_TEST_POSTGRES`, those with a real mail server `TOLLGATE_TEST_PYTHON` (a Python
//! with aiosmtpd); they fail without.

#[path = "../support/mod.rs"]
mod support;

mod browsers;
mod databases;
mod house;
mod log_in;
mod mail_servers;
mod mails;
mod passwords;
mod profile;
mod sessions;
mod sign_up;
mod verification;
