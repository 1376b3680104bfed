//! `tollgate import` and `tollgate export`: files as they are found, Admin APIs as they answer, and gateways that run
//! beside them.
//!
//! The half on PostgreSQL needs `TOLLGATE_TEST_POSTGRES` (a URL of a server where schemas may be made) and fails without
//! it; the cluster needs `redis-server` in the path.

mod api;
mod calls;
mod cluster;
mod exports;
mod faults;
mod house;
mod living;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
