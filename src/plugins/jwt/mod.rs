//! The `jwt` plugin: priority 1450, Kong's by name, configuration and texts.
//!
//! A call brings a JSON Web Token (RFC 7519) in the query, a cookie or a header; the issuer it names is a credential, by
//! whose key its signature is verified.
//!
//! **Invariants:** nothing of a token is believed, beside which credential to ask for, before its signature is verified;
//! it is verified by the algorithm of the credential, never by one of the token's choice.
//!
//! **Absent on purpose:** cryptography (`domain::VerifyingKey`), look-ups (room `engine`), encrypted tokens, key sets
//! fetched from elsewhere.

mod claims;
mod config;
mod find;
mod parse;
mod schema;

use std::sync::Arc;

use serde_json::{Value, json};

pub use config::Config;
pub use schema::schema;

use super::challenge::challenge;
use super::{Call, Verdict, anonymous, identity};
use crate::domain::{Algorithm, JwtSecretView};
use crate::engine::{EngineError, Worker};
use crate::message::Answer;
use find::Found;
use parse::Token;

pub const NAME: &str = "jwt";
pub const PRIORITY: i32 = 1450;

/// One configured instance.
#[derive(Debug)]
pub struct Jwt {
    config: Config,
}

/// Why a call is turned away.
#[derive(Debug, PartialEq)]
enum Refusal {
    /// There was no token.
    Missing,
    Text(String),
    /// What is wrong with each claim.
    Claims(Value),
}

impl From<&str> for Refusal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Jwt {
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
            Ok(Ok(view)) => {
                identity::authenticated(&view.consumer, view.credential_id, &view.key, call);
                Verdict::Continue
            }
            Ok(Err(refusal)) => anonymous::turn_away(anonymous, call, engine, || self.refused(&refusal)).await,
            Err(failure) => Verdict::Answer(anonymous::unavailable(&failure, call)),
        }
    }

    /// The credential that the token of the call names, once the token has proved that it comes from there.
    async fn check(
        &self,
        call: &Call<'_>,
        engine: &Worker,
    ) -> Result<Result<Arc<JwtSecretView>, Refusal>, EngineError> {
        let text = match find::find(&self.config, call.head.query().unwrap_or_default(), &call.head.headers) {
            Found::None => return Ok(Err(Refusal::Missing)),
            Found::Several => return Ok(Err("Multiple tokens provided".into())),
            Found::One(text) => text,
        };
        let token = match Token::parse(&text) {
            Ok(token) => token,
            Err(why) => return Ok(Err(Refusal::Text(format!("Bad token; {why}")))),
        };
        let issuer = match self.issuer(&token) {
            Ok(issuer) => issuer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(view) = engine.find_jwt_secret(issuer).await? else {
            let claim = &self.config.key_claim_name;
            return Ok(Err(Refusal::Text(format!("No credentials found for given '{claim}'"))));
        };
        Ok(self.judge(&token, &view, call.now.seconds()).map(|()| view))
    }

    /// What a token says of where it comes from: in its claims, or else in its header.
    fn issuer<'t>(&self, token: &'t Token<'_>) -> Result<&'t str, Refusal> {
        let claim = &self.config.key_claim_name;
        let said = |part: &'t serde_json::Map<String, Value>| part.get(claim).filter(|value| !value.is_null());
        match said(&token.claims).or_else(|| said(&token.header)) {
            None | Some(Value::Bool(false)) => Err(Refusal::Text(format!("No mandatory '{claim}' in claims"))),
            Some(Value::String(issuer)) if !issuer.is_empty() => Ok(issuer),
            Some(_) => Err(Refusal::Text(format!("Invalid '{claim}' in claims"))),
        }
    }

    fn judge(&self, token: &Token<'_>, view: &JwtSecretView, now: i64) -> Result<(), Refusal> {
        if Some(view.algorithm) != token.algorithm() {
            return Err("Invalid algorithm".into());
        }
        let key = view.verifying_key(self.config.secret_is_base64).ok_or("Invalid key/secret")?;
        if !key.verifies(token.signed, &token.signature) {
            return Err("Invalid signature".into());
        }
        claims::judge(&self.config, &token.claims, now).map_err(Refusal::Claims)
    }

    fn refused(&self, refusal: &Refusal) -> Answer {
        let (body, text) = match refusal {
            Refusal::Missing => (json!({ "message": "Unauthorized" }), "Unauthorized"),
            Refusal::Text(text) => (json!({ "message": text }), text.as_str()),
            Refusal::Claims(faults) => (faults.clone(), "Unauthorized"),
        };
        let error: &[_] = if *refusal == Refusal::Missing { &[] } else { &[("error", "invalid_token")] };
        Answer::json(401, &body)
            .with_header("www-authenticate", challenge("Bearer", self.config.realm.as_deref(), error))
            .with_grpc(anonymous::UNAUTHENTICATED, text)
    }
}

impl Token<'_> {
    fn algorithm(&self) -> Option<Algorithm> {
        self.header.get("alg").and_then(Value::as_str).and_then(Algorithm::named)
    }
}
