//! Every plugin this program has, behind one name, dispatched statically.

use serde_json::json;

use super::{Attachment, Call, Plugin, Verdict, oauth2};
use crate::engine::Worker;
use crate::message::Answer;
use crate::schema::PluginSchema;

/// A compiled plugin.
#[derive(Debug)]
pub enum Compiled {
    OAuth2(oauth2::OAuth2),
    /// Did not compile: refuses every call rather than let one through unchecked.
    Broken,
}

/// The schemas of every plugin, for the Admin API.
pub fn schemas() -> Vec<PluginSchema> {
    vec![oauth2::schema()]
}

impl Plugin for Compiled {
    type Engine = Worker;

    fn compile(attachment: &Attachment) -> Result<Self, String> {
        match attachment.name.as_str() {
            oauth2::NAME => oauth2::OAuth2::compile(attachment.id, &attachment.config).map(Self::OAuth2),
            other => Err(format!("there is no plugin `{other}`")),
        }
    }

    fn priority(name: &str) -> i32 {
        match name {
            oauth2::NAME => oauth2::PRIORITY,
            _ => i32::MAX,
        }
    }

    fn broken(_: &str) -> Self {
        Self::Broken
    }

    async fn access(&self, call: &mut Call<'_>, engine: &Worker) -> Verdict {
        match self {
            Self::OAuth2(plugin) => plugin.access(call, engine).await,
            Self::Broken => Verdict::Answer(
                Answer::json(500, &json!({ "message": "An unexpected error occurred" }))
                    .with_grpc(13, "internal error"),
            ),
        }
    }
}
