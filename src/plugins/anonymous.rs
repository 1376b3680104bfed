//! Several authentication plugins on one route, and calls that none of them knows (`config.anonymous`).
//!
//! Without `anonymous` a plugin refuses what it does not know, so all of them must pass. With it on each, the first that
//! passes wins: later ones leave the call as it is.

use serde_json::json;
use tracing::error;

use super::{Call, Verdict, identity};
use crate::engine::{EngineError, Worker};
use crate::message::Answer;

/// gRPC status UNAUTHENTICATED.
pub(super) const UNAUTHENTICATED: u8 = 16;
/// gRPC status UNAVAILABLE.
const UNAVAILABLE: u8 = 14;

/// Whether a plugin with this `anonymous` leaves the call as it is: an earlier one knows who calls.
pub(super) fn is_settled(anonymous: Option<&str>, call: &Call<'_>) -> bool {
    anonymous.is_some() && call.identity.as_ref().is_some_and(|who| who.credential.is_some())
}

/// Whether a call is a browser's question before the call, which carries no credentials.
pub(super) fn is_preflight(call: &Call<'_>) -> bool {
    call.head.method() == b"OPTIONS"
}

/// What becomes of a call without good credentials: it goes on as the anonymous consumer where there is one, else it is
/// refused.
pub(super) async fn turn_away(
    anonymous: Option<&str>,
    call: &mut Call<'_>,
    engine: &Worker,
    refusal: impl FnOnce() -> Answer,
) -> Verdict {
    let Some(anonymous) = anonymous else { return Verdict::Answer(refusal()) };
    match engine.find_consumer(anonymous).await {
        Ok(Some(consumer)) => {
            identity::anonymous(consumer, call);
            Verdict::Continue
        }
        Ok(None) => {
            let message = format!("anonymous consumer {anonymous} is configured but doesn't exist");
            Verdict::Answer(Answer::json(500, &json!({ "message": message })))
        }
        Err(failure) => Verdict::Answer(unavailable(&failure, call)),
    }
}

/// The answer when credentials could not be checked.
pub(super) fn unavailable(failure: &EngineError, call: &Call<'_>) -> Answer {
    let message = "The credentials cannot be checked at the moment, try again later";
    if !failure.is_transient() {
        error!(request_id = call.request_id, trace_id = call.trace_id.map(display), error = %failure, "a check of credentials failed");
        return Answer::json(500, &json!({ "message": "An unexpected error occurred" }))
            .with_grpc(13, "internal error");
    }
    Answer::json(503, &json!({ "message": message })).with_header("retry-after", "1").with_grpc(UNAVAILABLE, message)
}
