//! The store on both databases: one suite, every backend.
//!
//! The PostgreSQL half needs `TOLLGATE_TEST_POSTGRES` (a URL of a server where schemas may be made) and fails without it.

mod accounts;
mod bench;
mod catalog;
mod codes;
mod configuration;
mod entities;
mod failover;
mod fixtures;
mod group_commit;
mod keys;
mod lists;
mod migrations;
mod on_postgres;
mod on_postgres_tls;
mod on_sqlite;
mod people;
mod pooler;
mod refreshes;
mod registration;
mod registration_reads;
mod resealing;
mod revocations;
mod revocations_under_way;
mod roster;
mod secrets;
mod servers;
mod standings;
#[path = "../support/mod.rs"]
mod support;
mod surroundings;
mod sweeps;
mod tokens;
mod verbs;
