//! The `key-auth` plugin: priority 1250, Kong's by name, configuration and texts. A call brings an API key in a header,
//! the query or the body.
//!
//! **Invariants:** a key in clear is read from the request and handed to the engine, nothing else; a key that came more
//! than once is no key.
//!
//! **Absent on purpose:** look-ups (room `engine`); keys in multipart bodies.

mod config;
mod find;
mod schema;

use std::sync::Arc;

use serde_json::json;

pub use config::Config;
pub use schema::schema;

use super::challenge::challenge;
use super::{Call, Verdict, anonymous, identity};
use crate::domain::{ClientView, KeyView};
use crate::engine::{EngineError, Worker};
use crate::message::Answer;
use find::Found;

pub const NAME: &str = "key-auth";
pub const PRIORITY: i32 = 1250;

/// One configured instance.
#[derive(Debug)]
pub struct KeyAuth {
    config: Config,
}

/// Whom a key may belong to.
enum Known {
    Key(Arc<KeyView>),
    /// With a gate on the service, the `client_id` of an application is a key too.
    Application(Arc<ClientView>),
}

impl KeyAuth {
    /// # Errors
    /// A configuration that its schema would have refused.
    pub fn compile(config: &serde_json::Value) -> Result<Self, String> {
        Ok(Self { config: Config::read(config)? })
    }

    pub async fn access(&self, call: &mut Call<'_>, engine: &Worker) -> Verdict {
        let anonymous = self.config.anonymous.as_deref();
        let passes = !self.config.run_on_preflight && anonymous::is_preflight(call);
        if passes || anonymous::is_settled(anonymous, call) {
            return Verdict::Continue;
        }
        match self.check(call, engine).await {
            Ok(Ok(Known::Key(view))) => {
                identity::authenticated(&view.consumer, view.credential_id, &view.credential_id.to_string(), call);
                Verdict::Continue
            }
            Ok(Ok(Known::Application(client))) => {
                identity::authenticated(&client.consumer, client.credential_id, &client.client_id, call);
                Verdict::Continue
            }
            Ok(Err(message)) => anonymous::turn_away(anonymous, call, engine, || self.refusal(message)).await,
            Err(failure) => Verdict::Answer(anonymous::unavailable(&failure, call)),
        }
    }

    /// What the key of the call belongs to, by the store; it is hidden from the upstream when the configuration says so.
    async fn check(&self, call: &mut Call<'_>, engine: &Worker) -> Result<Result<Known, &'static str>, EngineError> {
        let (name, key) = match find::find(&self.config, call).await {
            Found::One { name, key } => (name, key),
            Found::Several => return Ok(Err("Duplicate API key found")),
            Found::None => return Ok(Err("No API key found in request")),
        };
        if self.config.hide_credentials {
            find::hide(&self.config, name, call).await;
        }
        if let Some(view) = engine.find_key(&key).await?.filter(|view| view.is_live(call.now)) {
            return Ok(Ok(Known::Key(view)));
        }
        let application = match (call.gate, call.service) {
            (Some(_), Some(service)) => engine.find_application(&key, service.id).await?,
            _ => None,
        };
        Ok(application.map(Known::Application).ok_or("Unauthorized"))
    }

    fn refusal(&self, message: &'static str) -> Answer {
        Answer::json(401, &json!({ "message": message }))
            .with_header("www-authenticate", challenge("Key", self.config.realm.as_deref(), &[]))
            .with_grpc(anonymous::UNAUTHENTICATED, message)
    }
}
