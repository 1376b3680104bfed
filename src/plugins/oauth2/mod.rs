//! The `oauth2` plugin: priority 1400, Kong's by name, configuration, texts and endpoints (contract: oauth2.md).
//!
//! A request whose path ends in `/oauth2/token` or `/oauth2/authorize` is answered here; every other one is an API call
//! whose token is checked.
//!
//! **Invariants:** a token in clear is read from the request and handed to the engine, nothing else; identity headers
//! are set only from what the store knows.
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

use uuid::Uuid;

use super::{Call, Verdict};
use crate::engine::Worker;

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
        match endpoint::asked(&call.head.path) {
            Some(endpoint) => Verdict::Answer(endpoint::answer(&self.config, endpoint, call, engine).await),
            None => validate::access(&self.config, call, engine).await,
        }
    }
}
