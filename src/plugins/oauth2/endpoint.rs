//! `/oauth2/token` and `/oauth2/authorize` (oauth2.md sections 2 to 4).

use serde_json::{Map, Value, json};
use tracing::{error, info};

use super::Config;
use crate::domain::Gate;
use crate::engine::{AskedGrant, EngineError, Issued, Sent, TraceId, Worker};
use crate::message::{Answer, BodyError};
use crate::oauth2::{self, Allowed, OAuthError, Params, Place, Profile};
use crate::plugins::reason::with_reason;
use crate::plugins::{Call, ForwardedProto};

/// Largest body of a token request: a real one has a few hundred bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// What is counted where no error is answered.
const ISSUED: &str = "issued";
const INVALID_REQUEST: &str = "invalid_request";
const SERVER_ERROR: &str = "server_error";
const UNAVAILABLE: &str = "temporarily_unavailable";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    Authorize,
}

/// The endpoint a path ends in; one trailing slash is allowed.
pub(super) fn asked(path: &[u8]) -> Option<Endpoint> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if path.ends_with(b"/oauth2/token") {
        Some(Endpoint::Token)
    } else if path.ends_with(b"/oauth2/authorize") {
        Some(Endpoint::Authorize)
    } else {
        None
    }
}

pub(super) async fn answer(config: &Config, endpoint: Endpoint, call: &mut Call<'_>, engine: &Worker) -> Answer {
    if let Err(refusal) = check_method(endpoint, call) {
        let query = query(call);
        tell(call, engine, grant(endpoint, &query), refusal.code_under(config.policy.profile));
        return refused(config, &refusal, query.text("state"));
    }
    let secure = check_https(config, call);
    let params = match read_params(call).await {
        Ok(params) => params,
        Err(_) if secure.is_err() => query(call),
        Err(answer) => {
            tell(call, engine, AskedGrant::Unknown, INVALID_REQUEST);
            return answer;
        }
    };
    let asked = grant(endpoint, &params);
    let state = params.text("state").map(str::to_owned);
    if let Err(refusal) = secure {
        tell(call, engine, asked, refusal.code_under(config.policy.profile));
        return refused(config, &refusal, state.as_deref());
    }
    let gate = call.gate;
    let (result, outcome) = match ask(config, endpoint, call, engine, &params).await {
        Ok(answer) => answer,
        Err(EngineError::OAuth(refusal)) => {
            let answer = reasoned(gate, &refusal, refused(config, &refusal, state.as_deref()));
            (answer, refusal.code_under(config.policy.profile))
        }
        Err(failure) => failed(&failure, call.request_id, call.trace_id),
    };
    tell(call, engine, asked, outcome);
    result
}

/// Tells what came of a request, to whoever counts and to whoever traces.
fn tell(call: &mut Call<'_>, engine: &Worker, asked: AskedGrant, outcome: &'static str) {
    engine.count_outcome(asked, outcome);
    call.asked = Some((asked, outcome));
}

/// What the parameters ask of an endpoint.
fn grant(endpoint: Endpoint, params: &Params) -> AskedGrant {
    match endpoint {
        Endpoint::Token => AskedGrant::of_type(params.text("grant_type")),
        Endpoint::Authorize => AskedGrant::of_response(params.text("response_type")),
    }
}

/// Asks the engine. With the answer comes what is counted of it.
async fn ask(
    config: &Config,
    endpoint: Endpoint,
    call: &Call<'_>,
    engine: &Worker,
    params: &Params,
) -> Result<(Answer, &'static str), EngineError> {
    let policy = &config.policy;
    let (service, gate) = (call.service.map(|service| service.id), call.gate);
    let place = Place { policy, plugin: config.id, service, gate, allowed: Allowed::All };
    match endpoint {
        Endpoint::Token => {
            let header = call.head.headers.get(&config.auth_header_name);
            let claim = oauth2::claim(params, header);
            let issued = engine.issue(place, params, claim).await?;
            Ok((told(&issued, params.text("state")), ISSUED))
        }
        Endpoint::Authorize => {
            let issuer = (policy.profile == Profile::Rfc9700).then(|| issuer(call));
            let sent = engine.authorize(place, params, issuer.as_deref()).await?;
            let outcome = sent.refusal.as_ref().map_or(ISSUED, |refusal| refusal.code_under(policy.profile));
            Ok((redirected(gate, &sent), outcome))
        }
    }
}

/// The issuer identifier of this endpoint's place (RFC 9207 §2): what stands before `/oauth2/authorize`.
fn issuer(call: &Call<'_>) -> String {
    let path = String::from_utf8_lossy(call.head.path());
    let prefix = path.trim_end_matches('/').trim_end_matches("/oauth2/authorize");
    format!("https://{}{prefix}", String::from_utf8_lossy(call.head.host()))
}

/// The login backend is told where to send the browser, with good news or bad. A client that may have nothing here is
/// told beside it too: there is nothing that its user could do.
fn redirected(gate: Option<Gate>, sent: &Sent) -> Answer {
    let status = if sent.refusal.is_none() { 200 } else { 400 };
    let mut body = json!({ "redirect_uri": sent.redirect_uri });
    let Some(refusal @ OAuthError::NotApproved(_)) = &sent.refusal else {
        return uncached(Answer::json(status, &body));
    };
    body["error"] = refusal.code().into();
    body["error_description"] = refusal.description().into();
    reasoned(gate, refusal, uncached(Answer::json(status, &body)))
}

/// Adds why a client may have nothing here, where the gate tells it.
fn reasoned(gate: Option<Gate>, refusal: &OAuthError, answer: Answer) -> Answer {
    match (gate, refusal) {
        (Some(gate), OAuthError::NotApproved(why)) => with_reason(gate, *why, answer),
        _ => answer,
    }
}

fn check_method(endpoint: Endpoint, call: &Call<'_>) -> Result<(), OAuthError> {
    if call.head.method() == b"POST" {
        return Ok(());
    }
    let endpoint = match endpoint {
        Endpoint::Token => "token",
        Endpoint::Authorize => "authorization",
    };
    Err(OAuthError::InvalidMethod { method: String::from_utf8_lossy(call.head.method()).into_owned(), endpoint })
}

/// Tokens travel over TLS only: ours, or that of a trusted proxy in front.
fn check_https(config: &Config, call: &Call<'_>) -> Result<(), OAuthError> {
    if call.peer.tls {
        return Ok(());
    }
    let setting = match (config.accept_http_if_already_terminated, call.peer.trusted) {
        (true, true) => None,
        (false, _) => Some("accept_http_if_already_terminated"),
        (true, false) => Some("proxy.trusted_ips"),
    };
    match (call.forwarded_proto(), setting) {
        (ForwardedProto::Several, None) => Err(OAuthError::RepeatedForwardedProto),
        (ForwardedProto::One(proto), None) if proto.eq_ignore_ascii_case(b"https") => Ok(()),
        (ForwardedProto::One(proto), Some(setting)) if proto.eq_ignore_ascii_case(b"https") => {
            info!(
                request_id = call.request_id,
                trace_id = call.trace_id.map(display),
                setting,
                "refused HTTP though TLS ended in front: see `{setting}`"
            );
            Err(OAuthError::HttpsRequired)
        }
        _ => Err(OAuthError::HttpsRequired),
    }
}

fn query(call: &Call<'_>) -> Params {
    call.head.query().map(Params::from_form).unwrap_or_default()
}

/// Query and body merged, the body winning.
async fn read_params(call: &mut Call<'_>) -> Result<Params, Answer> {
    let query = query(call);
    let body = call.body(BODY_LIMIT).await.map_err(|error| unread(&error))?;
    let from_body = body_params(call.head.headers.get("content-type"), &body);
    match from_body {
        Ok(params) => Ok(query.overridden_by(params)),
        Err(refusal) => Err(plain_error(400, refusal.code(), &refusal.description())),
    }
}

fn body_params(content_type: Option<&[u8]>, body: &[u8]) -> Result<Params, OAuthError> {
    let content_type = content_type.map(String::from_utf8_lossy).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        _ if body.is_empty() => Ok(Params::default()),
        "application/x-www-form-urlencoded" => Ok(Params::from_form(body)),
        "application/json" => {
            Params::from_json(body).ok_or(OAuthError::UnreadableBody("The body is not a JSON object"))
        }
        "multipart/form-data" => crate::schema::multipart_pairs(&content_type, body)
            .map(Params::from_pairs)
            .map_err(|_| OAuthError::UnreadableBody("The body is not multipart/form-data")),
        // Kong reads no parameters from other bodies either.
        _ => Ok(Params::default()),
    }
}

fn unread(error: &BodyError) -> Answer {
    match error {
        BodyError::TooLong(limit) => {
            plain_error(413, INVALID_REQUEST, &format!("The body is longer than {limit} bytes"))
        }
        BodyError::TimedOut => plain_error(408, INVALID_REQUEST, "The body did not arrive in time"),
        BodyError::Truncated | BodyError::Malformed | BodyError::Io(_) => {
            plain_error(400, INVALID_REQUEST, "The body could not be read")
        }
    }
}

fn told(issued: &Issued, state: Option<&str>) -> Answer {
    let mut body = Map::new();
    body.insert("access_token".to_owned(), issued.access_token.reveal().into());
    body.insert("token_type".to_owned(), "bearer".into());
    if let Some(seconds) = issued.expires_in {
        body.insert("expires_in".to_owned(), seconds.into());
    }
    if let Some(refresh_token) = &issued.refresh_token {
        body.insert("refresh_token".to_owned(), refresh_token.reveal().into());
    }
    echo(&mut body, state);
    uncached(Answer::json(200, &Value::Object(body)))
}

fn refused(config: &Config, refusal: &OAuthError, state: Option<&str>) -> Answer {
    let (code, description) = (refusal.code_under(config.policy.profile), refusal.description());
    let mut body = Map::new();
    body.insert("error".to_owned(), code.into());
    body.insert("error_description".to_owned(), description.clone().into());
    echo(&mut body, state);
    let body = Value::Object(body);
    uncached(match refusal {
        OAuthError::InvalidMethod { .. } => Answer::json(405, &body)
            .with_header("www-authenticate", config.challenge(Some((code, &description))))
            .with_header("allow", "POST"),
        OAuthError::InvalidClient { in_header: true } => {
            Answer::json(401, &body).with_header("www-authenticate", "Basic realm=\"OAuth2.0\"")
        }
        OAuthError::InvalidClient { in_header: false } if config.policy.profile == Profile::Rfc9700 => {
            Answer::json(401, &body)
        }
        _ => Answer::json(400, &body),
    })
}

/// Nothing the client did: too much waits, or the store is away or broken.
fn failed(failure: &EngineError, request_id: &str, trace_id: Option<TraceId>) -> (Answer, &'static str) {
    if failure.is_transient() {
        let description = "The server is currently unable to handle the request, try again later";
        return (plain_error(503, UNAVAILABLE, description).with_header("retry-after", "1"), UNAVAILABLE);
    }
    error!(request_id, trace_id = trace_id.map(display), error = %failure, "a token request failed");
    (plain_error(500, SERVER_ERROR, "An unexpected error occurred"), SERVER_ERROR)
}

fn plain_error(status: u16, code: &str, description: &str) -> Answer {
    uncached(Answer::json(status, &json!({ "error": code, "error_description": description })))
}

fn echo(body: &mut Map<String, Value>, state: Option<&str>) {
    if let Some(state) = state {
        body.insert("state".to_owned(), state.into());
    }
}

fn uncached(answer: Answer) -> Answer {
    answer.with_header("cache-control", "no-store").with_header("pragma", "no-cache")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_found_at_the_end_of_a_path() {
        assert_eq!(asked(b"/oauth2/token"), Some(Endpoint::Token));
        assert_eq!(asked(b"/some/prefix/oauth2/token/"), Some(Endpoint::Token));
        assert_eq!(asked(b"/x/oauth2/authorize"), Some(Endpoint::Authorize));
        assert_eq!(asked(b"/oauth2/token//"), None);
        assert_eq!(asked(b"/oauth2/tokens"), None);
        assert_eq!(asked(b"/xoauth2/token"), None);
    }
    #[test]
    fn a_full_queue_is_a_reason_to_come_back() {
        let (answer, outcome) = failed(&EngineError::Overloaded, "1", None);
        assert_eq!((answer.status, outcome), (503, "temporarily_unavailable"));
        assert!(answer.headers.contains(&("retry-after", "1".to_owned())), "{:?}", answer.headers);
    }
}
