//! The protocol as pure functions: parameters, client authentication, grants, bearer tokens, judgement.
//!
//! **Invariants:** nothing here is async, reads a clock or draws randomness; everything is decided from arguments.
//! Texts are those of Kong's `oauth2` plugin, word for word: existing clients depend on them.
//!
//! **Absent on purpose:** HTTP statuses and headers (room `plugins`), storage (room `engine`).

mod authorize;
mod bearer;
mod client;
mod error;
mod grants;
mod judge;
mod params;
mod policy;

pub use authorize::authorize;
pub use bearer::bearer;
pub use client::{Authentication, Claimed, ClientClaim, authenticate, claim};
pub use error::OAuthError;
pub use grants::{ClientCredentials, GrantType, client_credentials, grant_type};
pub use judge::{Refusal, judge};
pub use params::{Param, Params};
pub use policy::{Pkce, Policy, Profile};
