//! What operators do to a gateway that has lived: backup and restore, upgrade, key rotation, recovery. One file per page
//! under docs/.

mod backup;
mod disaster;
mod keys;
mod postgres;
mod site;
#[path = "../support/mod.rs"]
mod support;
mod upgrade;
