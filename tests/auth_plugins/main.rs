//! The authentication plugins `key-auth` and `jwt`, alone and together with `oauth2`, in front of a real gateway.

mod api;
mod jwt;
mod key_auth;
mod several;
#[path = "../support/mod.rs"]
mod support;
