//! What the Admin API answered is in force for the next call, on every worker, however many calls run meanwhile.
//!
//! The half on PostgreSQL needs `TOLLGATE_TEST_POSTGRES` (a URL of a server where schemas may be made) and fails without
//! it.

mod caller;
mod changes;
mod churn;
mod imports;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod truth;
