//! Logging in and out, and the session.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, ServiceConfig};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::json;

use super::super::client;
use super::super::errors::unauthorized;
use super::super::reply::Reply;
use super::super::session::Member;
use super::super::state::PortalState;
use super::{at, reading};
use crate::domain::Secret;
use crate::engine::accounts::{Credentials, IDLE_SECONDS};

/// Clients write base64 with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Seconds before its end from which on a page should ask whether to go on.
const RENEW_SECONDS: i64 = 600;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(at("/auth", "DELETE, GET").route(web::get().to(log_in)).route(web::delete().to(log_out)));
    config.service(at("/session", "GET, HEAD").route(reading().to(session)));
}

/// `GET /auth`: 204 with the cookie of a new session.
async fn log_in(request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let credentials = credentials(&request).ok_or_else(|| unauthorized("Unauthorized"))?;
    let client = client::address(&request, &state.face.trusted);
    let cookie = state.cookie();
    let before = cookie.read(&request);
    let logged_in = state.accounts.log_in(credentials, client, before.as_ref()).await?;
    Ok(Reply::empty(204).header("Set-Cookie", cookie.set(&logged_in.begun.cookie)))
}

/// `DELETE /auth`: the session ends here, and the browser forgets the cookie. Nobody logged in is no error.
async fn log_out(request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let cookie = state.cookie();
    if let Some(value) = cookie.read(&request) {
        state.accounts.log_out(&value).await?;
    }
    Ok(Reply::json(200, json!({ "message": "logged out" })).header("Set-Cookie", cookie.clear()))
}

/// `GET /session`: when it ends, for pages that ask in time.
async fn session(member: Member) -> Reply {
    let expires = member.0.session.expires_at.seconds();
    let cookie = json!({ "renew": RENEW_SECONDS, "lifetime": IDLE_SECONDS });
    Reply::json(200, json!({ "session": { "expires": expires, "cookie": cookie } }))
}

/// Basic `email:password` in UTF-8, or the header `apikey`.
fn credentials(request: &HttpRequest) -> Option<Credentials> {
    if let Some(key) = request.headers().get("apikey") {
        return key.to_str().ok().map(|key| Credentials::Key(Secret::new(key)));
    }
    let (scheme, encoded) = request.headers().get("authorization")?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Secret::new(String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?);
    let (email, password) = decoded.reveal().split_once(':')?;
    Some(Credentials::Password { email: email.to_owned(), password: Secret::new(password) })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn read(name: &'static str, value: &str) -> Option<Credentials> {
        credentials(&TestRequest::get().insert_header((name, value)).to_http_request())
    }

    #[test]
    fn basic_credentials_are_utf8_and_split_at_the_first_colon() {
        for encoded in ["YW5hQGIudGVzdDpwYTpzc8OkIQ", "YW5hQGIudGVzdDpwYTpzc8OkIQ=="] {
            let found = read("authorization", &format!("basic {encoded}"));
            let Some(Credentials::Password { email, password }) = found else { panic!("{encoded}") };
            assert_eq!((email.as_str(), password.reveal()), ("ana@b.test", "pa:ssä!"));
        }
        for bad in ["Basic !", "Basic /w==", "Basic YQ==", "Bearer YTpi", "Basic"] {
            assert!(read("authorization", bad).is_none(), "{bad}");
        }
        assert!(matches!(read("apikey", "k"), Some(Credentials::Key(key)) if key.matches("k")));
    }
}
