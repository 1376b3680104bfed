//! The `application-registration` plugin before a real gateway's services: who may call, and who is given tokens.

mod admission;
mod calls;
mod generations;
mod issuance;
mod keys;
mod scopes;
mod secrets;
mod settings;
mod stage;
#[path = "../support/mod.rs"]
mod support;
