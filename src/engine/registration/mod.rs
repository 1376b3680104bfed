//! Application registration: developers, applications, contracts (application-registration.md section 6).
//!
//! The Admin API, the portal and the console ask the same use cases. A developer and an application each have a hidden consumer: credentials, tokens and plugins hang on that, and its end
//! takes them all with it. Bodies are judged by the schemas, through the [`Catalog`].
//!
//! **Invariants:** a developer, an application and their consumers come and go together, in one transaction; what a
//! closed contract or developer had (tokens, codes, sessions) ends in the transaction that closes it, and no cache
//! answers it any more when the caller is told; who holds an [`Application`] was allowed to see it.
//!
//! **Absent on purpose:** admission of calls (the gate, in room `plugins`), log-in and mails (rooms `portal`, `mail`),
//! HTTP.

mod applications;
mod calls;
mod contracts;
mod credentials;
mod developers;
mod documents;
mod expanded;
mod forgetting;
mod invite;
mod roles;
mod rows;
mod services;
mod tell;
mod tokens;

use std::sync::Arc;

use super::catalog::Catalog;

pub use applications::{Application, Created, Issued, Keeping, Scope};
pub use calls::{Calls, Interval};
pub use contracts::Side;
pub use credentials::NewSecret;
pub use invite::{Invite, InviteError, Invited};
pub use services::{Entrance, Offer, Offers};
pub use tell::{ContractMove, Tell};

pub use crate::config::AppAuth;
pub use crate::storage::TokenFilter;

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct Registration {
    pub catalog: Catalog,
    app_auth: AppAuth,
    invite: Option<Arc<dyn Invite>>,
    tell: Option<Arc<dyn Tell>>,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Registration({})", self.app_auth.name())
    }
}

impl Registration {
    pub fn new(catalog: Catalog, app_auth: AppAuth) -> Self {
        Self { catalog, app_auth, invite: None, tell: None }
    }

    /// Who keeps the credentials of applications.
    pub fn app_auth(&self) -> AppAuth {
        self.app_auth
    }
}

#[cfg(test)]
mod tests;
