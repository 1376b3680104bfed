//! The `oauth2` plugin: priority 1400, Kong's by name, configuration, texts and endpoints (contract: oauth2.md).
//!
//! A request whose path ends in `/oauth2/token` or `/oauth2/authorize` is answered here; every other one is an API call
//! whose token is checked.
//!
//! **Invariants:** a token in clear is read from the request and handed to the engine, nothing else; identity headers
//! are set only from what the store knows.
//!
//! The first generation of `application-registration` is served by the same code.
//!
//! **Absent on purpose:** protocol decisions (room `oauth2`), look-ups and writes (room `engine`).

mod config;
mod endpoint;
mod identity;
mod schema;
mod token;
mod validate;

pub use config::Config;
pub use schema::schema;
pub(super) use schema::{a_grant_is_enabled, field, scopes_when_mandatory};

use uuid::Uuid;

use super::{Call, Verdict};
use crate::engine::Worker;
use crate::message::Answer;

pub const NAME: &str = "oauth2";
pub const PRIORITY: i32 = 1400;

/// One configured instance.
#[derive(Debug)]
pub struct OAuth2 {
    config: Config,
}

impl OAuth2 {
    /// # Errors
    /// A configuration that its schema would have refused.
    pub fn compile(id: Uuid, config: &serde_json::Value) -> Result<Self, String> {
        Ok(Self { config: Config::read(id, config)? })
    }

    pub async fn access(&self, call: &mut Call<'_>, engine: &Worker) -> Verdict {
        match self.serve(call, engine).await {
            Some(answer) => Verdict::Answer(answer),
            None => self.check(call, engine).await,
        }
    }

    /// Answers a request for one of the two endpoints; `None`: it is an API call.
    pub(super) async fn serve(&self, call: &mut Call<'_>, engine: &Worker) -> Option<Answer> {
        let endpoint = endpoint::asked(call.head.path())?;
        // Boxed, for every call would have to carry room for it.
        Some(Box::pin(endpoint::answer(&self.config, endpoint, call, engine)).await)
    }

    /// Checks the token of an API call.
    pub(super) async fn check(&self, call: &mut Call<'_>, engine: &Worker) -> Verdict {
        validate::access(&self.config, call, engine).await
    }
}
