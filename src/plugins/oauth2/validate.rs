//! The bearer check of an API call (oauth2.md section 6).

use std::sync::Arc;

use serde_json::json;
use tracing::info;
use uuid::Uuid;

use super::{Config, identity, token};
use crate::domain::TokenView;
use crate::engine::{EngineError, TokenRefusal, Worker};
use crate::message::Answer;
use crate::oauth2::{Refusal, judge};
use crate::plugins::{Call, Verdict, anonymous};

pub(super) async fn access(config: &Config, call: &mut Call<'_>, engine: &Worker) -> Verdict {
    let anonymous = config.anonymous.as_deref();
    if anonymous::is_settled(anonymous, call) {
        crate::plugins::identity::forget_token(call);
        return Verdict::Continue;
    }
    match check(config, call, engine).await {
        Ok(Ok(view)) => {
            identity::authenticated(config, &view, call);
            Verdict::Continue
        }
        Ok(Err(refusal)) => anonymous::turn_away(anonymous, call, engine, || challenged(config, refusal)).await,
        Err(failure) => Verdict::Answer(anonymous::unavailable(&failure, call)),
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
            info!(
                request_id = call.request_id,
                trace_id = call.trace_id.map(display),
                "refused a token in a query: RFC 9700 section 2.2 forbids it"
            );
        }
        engine.count_refusal(TokenRefusal::Missing);
        return Ok(Err(Refusal::Missing));
    };
    if config.hide_credentials {
        token::hide(config, &carried, call).await;
    }
    let Some(view) = engine.find_token(&carried.token, call.now).await? else {
        engine.count_refusal(TokenRefusal::Unknown);
        return Ok(Err(Refusal::Invalid));
    };
    let service = call.service.map(|service| service.id);
    let judged = judge(&view, config.policy.global_credentials, service, call.now);
    if let Err(refusal) = judged {
        engine.count_refusal(counted(refusal, &view, service));
    }
    Ok(judged.map(|()| view))
}

/// Why a known token was refused. Who presents it is not told that much.
fn counted(refusal: Refusal, view: &TokenView, service: Option<Uuid>) -> TokenRefusal {
    match refusal {
        Refusal::Missing => TokenRefusal::Missing,
        Refusal::Global => TokenRefusal::Global,
        Refusal::Invalid if view.service_id.is_some() && view.service_id != service => TokenRefusal::OtherService,
        Refusal::Invalid => TokenRefusal::Expired,
    }
}

fn challenged(config: &Config, refusal: Refusal) -> Answer {
    let (code, description) = (refusal.code(), refusal.description());
    let challenge = match refusal {
        Refusal::Missing => config.challenge(None),
        Refusal::Invalid | Refusal::Global => config.challenge(Some((code, description))),
    };
    Answer::json(401, &json!({ "error": code, "error_description": description }))
        .with_header("www-authenticate", challenge)
        .with_grpc(anonymous::UNAUTHENTICATED, description)
}
