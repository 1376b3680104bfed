//! tollgate: an OAuth 2.0 API gateway in one binary.
//!
//! The crate is a set of rooms, each a folder with a door (`mod.rs`). A room may name only the rooms that
//! `docs/architecture.md` lists for it; `tests/architecture.rs` guards that.

pub mod actors;
pub mod admin;
pub mod app;
pub mod cache;
pub mod config;
pub mod console;
pub mod doctor;
pub mod domain;
pub mod engine;
pub mod exchange;
pub mod mail;
pub mod message;
pub mod oauth2;
pub mod pages;
pub mod plugins;
pub mod portal;
pub mod proxy;
pub mod router;
pub mod schema;
pub mod storage;
pub mod telemetry;
