//! The bearer check of an API call (oauth2.md section 6).

use std::sync::Arc;

use serde_json::json;
use tracing::{error, info};

use super::{Config, identity, token};
use crate::domain::TokenView;
use crate::engine::{EngineError, Worker};
use crate::message::Answer;
use crate::oauth2::{Refusal, judge};
use crate::plugins::{Call, Verdict};

/// gRPC status UNAUTHENTICATED.
const UNAUTHENTICATED: u8 = 16;
/// gRPC status UNAVAILABLE.
const UNAVAILABLE: u8 = 14;

pub(super) async fn access(config: &Config, call: &mut Call<'_>, engine: &Worker) -> Verdict {
    if config.anonymous.is_some() && call.identity.as_ref().is_some_and(|who| who.credential.is_some()) {
        // An earlier plugin knows who this is.
        return Verdict::Continue;
    }
    let refusal = match check(config, call, engine).await {
        Ok(Ok(view)) => {
            identity::authenticated(config, &view, call);
            return Verdict::Continue;
        }
        Ok(Err(refusal)) => refusal,
        Err(failure) => return Verdict::Answer(unavailable(&failure)),
    };
    let Some(anonymous) = &config.anonymous else { return Verdict::Answer(challenged(config, refusal)) };
    match engine.find_consumer(anonymous).await {
        Ok(Some(consumer)) => {
            identity::anonymous(consumer, call);
            Verdict::Continue
        }
        Ok(None) => {
            let message = format!("anonymous consumer {anonymous} is configured but doesn't exist");
            Verdict::Answer(Answer::json(500, &json!({ "message": message })))
        }
        Err(failure) => Verdict::Answer(unavailable(&failure)),
    }
}

/// The token of the call, judged; a good one is hidden from the upstream when the configuration says so.
async fn check(
    config: &Config,
    call: &mut Call<'_>,
    engine: &Worker,
) -> Result<Result<Arc<TokenView>, Refusal>, EngineError> {
    let Some(carried) = token::find(config, call).await else {
        if token::is_in_query(call) {
            info!(request.id = call.request_id, "refused a token in a query: RFC 9700 section 2.2 forbids it");
        }
        return Ok(Err(Refusal::Missing));
    };
    if config.hide_credentials {
        token::hide(config, &carried, call).await;
    }
    let Some(view) = engine.find_token(&carried.token).await? else { return Ok(Err(Refusal::Invalid)) };
    let service = call.service.map(|service| service.id);
    Ok(judge(&view, config.policy.global_credentials, service, call.now).map(|()| view))
}

fn challenged(config: &Config, refusal: Refusal) -> Answer {
    let (code, description) = (refusal.code(), refusal.description());
    let challenge = match refusal {
        Refusal::Missing => config.challenge(None),
        Refusal::Invalid | Refusal::Global => config.challenge(Some((code, description))),
    };
    Answer::json(401, &json!({ "error": code, "error_description": description }))
        .with_header("www-authenticate", challenge)
        .with_grpc(UNAUTHENTICATED, description)
}

fn unavailable(failure: &EngineError) -> Answer {
    let message = "The token cannot be checked at the moment, try again later";
    if !failure.is_transient() {
        error!(error = %failure, "a token check failed");
        return Answer::json(500, &json!({ "message": "An unexpected error occurred" }))
            .with_grpc(13, "internal error");
    }
    Answer::json(503, &json!({ "message": message })).with_header("retry-after", "1").with_grpc(UNAVAILABLE, message)
}
