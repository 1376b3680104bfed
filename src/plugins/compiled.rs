//! Every plugin this program has, behind one name, dispatched statically.

use serde_json::json;

use super::{Attachment, Call, Plugin, Verdict, application_registration, jwt, key_auth, oauth2};
use crate::domain::Gate;
use crate::engine::Worker;
use crate::message::Answer;
use crate::schema::PluginSchema;

/// A compiled plugin.
#[derive(Debug)]
pub enum Compiled {
    Jwt(jwt::Jwt),
    OAuth2(oauth2::OAuth2),
    KeyAuth(key_auth::KeyAuth),
    ApplicationRegistration(application_registration::ApplicationRegistration),
    /// Did not compile: refuses every call rather than let one through unchecked.
    Broken,
}

/// The schemas of every plugin, for the Admin API.
pub fn schemas() -> Vec<PluginSchema> {
    vec![jwt::schema(), oauth2::schema(), key_auth::schema(), application_registration::schema()]
}

impl Plugin for Compiled {
    type Engine = Worker;

    fn is_current(engine: &Worker) -> bool {
        engine.is_current()
    }

    fn compile(attachment: &Attachment) -> Result<Self, String> {
        match attachment.name.as_str() {
            jwt::NAME => jwt::Jwt::compile(&attachment.config).map(Self::Jwt),
            oauth2::NAME => oauth2::OAuth2::compile(attachment.id, &attachment.config).map(Self::OAuth2),
            key_auth::NAME => key_auth::KeyAuth::compile(&attachment.config).map(Self::KeyAuth),
            application_registration::NAME => {
                let (id, config) = (attachment.id, &attachment.config);
                application_registration::ApplicationRegistration::compile(id, config)
                    .map(Self::ApplicationRegistration)
            }
            other => Err(format!("there is no plugin `{other}`")),
        }
    }

    fn priority(name: &str) -> i32 {
        match name {
            jwt::NAME => jwt::PRIORITY,
            oauth2::NAME => oauth2::PRIORITY,
            key_auth::NAME => key_auth::PRIORITY,
            application_registration::NAME => application_registration::PRIORITY,
            _ => i32::MAX,
        }
    }

    fn broken(_: &str) -> Self {
        Self::Broken
    }

    fn gate(&self) -> Option<Gate> {
        match self {
            Self::ApplicationRegistration(plugin) => Some(plugin.gate()),
            Self::Jwt(_) | Self::OAuth2(_) | Self::KeyAuth(_) | Self::Broken => None,
        }
    }

    async fn access(&self, call: &mut Call<'_>, engine: &Worker) -> Verdict {
        match self {
            Self::Jwt(plugin) => plugin.access(call, engine).await,
            Self::OAuth2(plugin) => plugin.access(call, engine).await,
            Self::KeyAuth(plugin) => plugin.access(call, engine).await,
            Self::ApplicationRegistration(plugin) => plugin.access(call, engine).await,
            Self::Broken => Verdict::Answer(
                Answer::json(500, &json!({ "message": "An unexpected error occurred" }))
                    .with_grpc(13, "internal error"),
            ),
        }
    }
}
