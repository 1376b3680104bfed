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
#[cfg(test)]
mod fixtures;
mod grants;
mod judge;
mod params;
mod pkce;
mod policy;
#[cfg(test)]
mod properties;
mod redirect;

pub use authorize::{Authorized, Redirect, ResponseType, Unauthorized, authorize, vouch};
pub use bearer::bearer;
pub use client::{Authentication, Claimed, ClientClaim, authenticate, claim};
pub use error::OAuthError;
pub use grants::{
    Allowed, Decision, Earned, GrantType, Place, check_redirect_uri, client_credentials, exchange, grant_type,
    password, refresh,
};
pub use judge::{Refusal, judge};
pub use params::{Param, Params};
pub use pkce::S256;
pub use policy::{Pkce, Policy, Profile};
pub use redirect::Part;
