//! The contract of the `oauth2` plugin, sentence by sentence, on a real gateway.

mod anonymous;
mod api;
mod calls;
mod clients;
mod endpoints;
mod hiding;
mod hostile;
mod lives;
mod rows;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
