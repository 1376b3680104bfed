//! The portal's pages under attack and in trouble, as a browser without a script sees them.
//!
//! The half on PostgreSQL needs `TOLLGATE_TEST_POSTGRES` (a URL of a server where schemas may be made) and fails without
//! it.

#[expect(dead_code, reason = "this is a part of what can be done on databases")]
#[path = "../admin/databases.rs"]
mod databases;
#[expect(dead_code, reason = "this is a part of what a desk can do")]
#[path = "../admin/desk.rs"]
mod desk;
#[expect(dead_code, reason = "these are a part of whom to test with")]
#[path = "../registration/people.rs"]
mod people;
#[expect(dead_code, reason = "nothing is cut here")]
#[path = "../admin/relay.rs"]
mod relay;
#[path = "../support/mod.rs"]
mod support;

mod clean;
mod forgery;
mod guessing;
mod headers;
mod hostile;
mod mail_server;
mod no_script;
mod others;
mod post;
mod sessions;
mod stage;
mod trouble;

use support::{browser, html};
