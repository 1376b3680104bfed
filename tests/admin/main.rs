//! The Admin API of the real binary, held against its contract sentence by sentence.
//!
//! The half on PostgreSQL needs `TOLLGATE_TEST_POSTGRES` (a URL of a server where schemas may be made) and fails without
//! it.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod bodies;
mod certificates;
mod commands;
mod credentials;
mod databases;
mod desk;
mod entities;
mod errors;
mod flows;
mod information;
mod lists;
mod nested;
mod proxying;
mod relay;
mod tools;
mod upstream;
mod verbs;
mod violations;
