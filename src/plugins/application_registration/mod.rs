//! The `application-registration` plugin: priority 995, Kong's by name, configuration and behaviour.
//!
//! It is the gate before a service: contracts settle who may call (application-registration.md sections 1 and 6).
//!
//! Two generations live under one name. The first, used as soon as one of its OAuth fields is set, serves
//! `/oauth2/token` and `/oauth2/authorize` and checks tokens itself, by the code of the `oauth2` plugin. The second
//! leaves that to a plugin that runs earlier, and only gates.
//!
//! **Invariants:** every refusal has one text per status, whatever the reason; what an application is called is told to
//! the upstream only from what the store knows, and never as a client sent it (the chain sees to that, also for calls
//! of protocols that the plugin does not run on).
//!
//! **Absent on purpose:** tokens are refused to unapproved clients where they are issued (rooms `oauth2` and `engine`),
//! whichever plugin issues them: a chain tells all its plugins of the gate.

mod schema;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

pub use schema::schema;

use super::challenge::challenge;
use super::oauth2::OAuth2;
use super::reason::with_reason;
use super::{Call, Verdict, anonymous, identity};
use crate::domain::{Gate, Refused, Standing};
use crate::engine::{EngineError, Worker};
use crate::message::Answer;

pub const NAME: &str = "application-registration";
pub const PRIORITY: i32 = 995;

/// The gRPC status `PERMISSION_DENIED`.
const PERMISSION_DENIED: u8 = 7;

/// One configured instance.
#[derive(Debug)]
pub struct ApplicationRegistration {
    gate: Gate,
    /// The first generation's OAuth 2.0.
    oauth2: Option<OAuth2>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    enable_authorization_code: Option<bool>,
    enable_client_credentials: Option<bool>,
    enable_implicit_grant: Option<bool>,
    enable_password_grant: Option<bool>,
    enable_proxy_with_consumer_credential: bool,
    show_refusal_reason: bool,
}

impl Raw {
    /// The first generation has a flow enabled, the second has none.
    fn has_flow(&self) -> bool {
        let flows = [
            self.enable_authorization_code,
            self.enable_client_credentials,
            self.enable_implicit_grant,
            self.enable_password_grant,
        ];
        flows.contains(&Some(true))
    }
}

impl ApplicationRegistration {
    /// # Errors
    /// A configuration that its schema would have refused.
    pub fn compile(id: Uuid, config: &serde_json::Value) -> Result<Self, String> {
        let raw = Raw::deserialize(config).map_err(|error| format!("its config cannot be read: {error}"))?;
        let gate = Gate { consumers: raw.enable_proxy_with_consumer_credential, reasons: raw.show_refusal_reason };
        let oauth2 = if raw.has_flow() { Some(OAuth2::compile(id, config)?) } else { None };
        Ok(Self { gate, oauth2 })
    }

    pub fn gate(&self) -> Gate {
        self.gate
    }

    pub async fn access(&self, call: &mut Call<'_>, engine: &Worker) -> Verdict {
        if let Some(oauth2) = &self.oauth2 {
            if let Some(answer) = oauth2.serve(call, engine).await {
                return Verdict::Answer(answer);
            }
            let is_settled = call.identity.as_ref().is_some_and(|who| who.credential.is_some());
            if !is_settled && let Verdict::Answer(answer) = oauth2.check(call, engine).await {
                return Verdict::Answer(answer);
            }
        }
        match self.admit(call, engine).await {
            Ok(Ok(())) => Verdict::Continue,
            Ok(Err(refused)) => Verdict::Answer(self.refusal(refused)),
            Err(failure) => Verdict::Answer(anonymous::unavailable(&failure, call)),
        }
    }

    /// Whether who calls may call this service.
    async fn admit(&self, call: &mut Call<'_>, engine: &Worker) -> Result<Result<(), Refused>, EngineError> {
        let caller = call.identity.as_ref().and_then(|who| Some((who.consumer.as_ref()?.id, who.credential.is_some())));
        let (Some((consumer, proved)), Some(service)) = (caller, call.service) else {
            return Ok(Err(Refused::NotAnApplication));
        };
        let standing = if proved {
            engine.find_standing(consumer, service.id).await?
        } else {
            // Nobody has proved to be the anonymous consumer.
            Arc::new(Standing::Stranger)
        };
        let admitted = standing.admit(self.gate.consumers);
        if let Standing::Application(application) = &*standing {
            engine.count_call(application.id, service.id, admitted.is_ok());
            if admitted.is_ok() {
                identity::application(application, call);
            }
        }
        Ok(admitted)
    }

    fn refusal(&self, why: Refused) -> Answer {
        let (status, grpc, message) = match why {
            Refused::NotAnApplication => (401, anonymous::UNAUTHENTICATED, "Unauthorized"),
            _ => (403, PERMISSION_DENIED, "You cannot consume this service"),
        };
        let answer = Answer::json(status, &json!({ "message": message })).with_grpc(grpc, message);
        let answer = match status {
            401 => answer.with_header("www-authenticate", challenge("Bearer", None, &[])),
            _ => answer,
        };
        with_reason(self.gate, why, answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(config: serde_json::Value) -> Result<ApplicationRegistration, String> {
        ApplicationRegistration::compile(Uuid::nil(), &config)
    }

    #[test]
    fn a_flow_makes_the_first_generation() {
        let second = compiled(json!({ "display_name": "d", "enable_password_grant": null, "scopes": null })).unwrap();
        assert!(second.oauth2.is_none());
        assert_eq!(second.gate(), Gate { consumers: false, reasons: false });
        // Defaults that were spelled out.
        let second = compiled(json!({ "display_name": "d", "enable_password_grant": false, "token_expiration": 7200 }));
        assert!(second.unwrap().oauth2.is_none());
        let first = json!({ "display_name": "d", "enable_password_grant": true, "provision_key": "p" });
        assert!(compiled(first).unwrap().oauth2.is_some());
        assert!(compiled(json!({ "enable_password_grant": true })).is_err(), "without provision key a blank would do");
        assert!(compiled(json!({ "show_refusal_reason": "yes" })).is_err());
    }

    #[test]
    fn refusals_tell_their_reason_only_where_asked() {
        let told = |config, why| {
            let answer = compiled(config).unwrap().refusal(why);
            let reason = answer.headers.iter().find(|(name, _)| *name == "x-refusal-reason");
            (answer.status, answer.grpc.clone().unwrap().0, reason.map(|(_, value)| value.clone()), answer.body)
        };
        let (status, grpc, reason, body) = told(json!({}), Refused::Revoked);
        assert_eq!((status, grpc, reason), (403, 7, None));
        assert_eq!(body, told(json!({}), Refused::NoContract).3);
        let (status, grpc, reason, _) = told(json!({ "show_refusal_reason": true }), Refused::NotAnApplication);
        assert_eq!((status, grpc, reason.as_deref()), (401, 16, Some("not-an-application")));
    }
}
