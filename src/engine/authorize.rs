//! The authorization endpoint's use case (RFC 6749 §4.1.1, §4.2.1).

use uuid::Uuid;

use super::issue::Refreshable;
use super::{EngineError, Worker};
use crate::actors::Exchange;
use crate::domain::{ClientView, NewCode};
use crate::oauth2::{self, Authorized, Earned, OAuthError, Params, Place, ResponseType, S256, Unauthorized};

/// Seconds a code lives.
const CODE_LIFE: i64 = 300;

/// What the login backend is told: where to send the browser, and whether with good news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub redirect_uri: String,
    /// `None`: granted.
    pub refusal: Option<OAuthError>,
}

impl Worker {
    /// Answers an authorization request. `issuer` is told in the redirect (RFC 9207) where the profile wants it.
    ///
    /// # Errors
    /// A refusal that no redirect URI is known for, and what could not be stored.
    pub async fn authorize(
        &self,
        place: Place<'_>,
        params: &Params,
        issuer: Option<&str>,
    ) -> Result<Sent, EngineError> {
        let user = oauth2::vouch(params, place.policy)?;
        let client = match params.filled("client_id") {
            Some(id) => self.find_client(id).await?,
            None => None,
        };
        let standing = match &client {
            Some(client) => self.standing_at(place, client).await?,
            None => None,
        };
        let place = standing.as_deref().map_or(place, |standing| place.of(standing));
        let state = params.text("state");
        let common = [state.map(|state| ("state", state)), issuer.map(|issuer| ("iss", issuer))];
        match oauth2::authorize(params, place, client.as_deref(), user) {
            Ok(authorized) => {
                // The decision was made of this client.
                let Some(client) = client else { return Err(OAuthError::InvalidClient { in_header: false }.into()) };
                let granted = self.grant(place, &client, authorized.clone()).await?;
                self.check_again(place, &client).await?;
                let given = granted.iter().map(|(name, value)| (*name, value.as_str()));
                let all: Vec<_> = given.chain(common.into_iter().flatten()).collect();
                Ok(Sent { redirect_uri: authorized.redirect.with(&all), refusal: None })
            }
            Err(Unauthorized { error, redirect: Some(redirect) }) => {
                let description = error.description();
                let told = [("error", error.code_under(place.policy.profile)), ("error_description", &description)];
                let all: Vec<_> = told.into_iter().chain(common.into_iter().flatten()).collect();
                Ok(Sent { redirect_uri: redirect.with(&all), refusal: Some(error) })
            }
            Err(Unauthorized { error, redirect: None }) => Err(error.into()),
        }
    }

    /// The parameters of the good news, durable before they are told.
    async fn grant(
        &self,
        place: Place<'_>,
        client: &ClientView,
        authorized: Authorized,
    ) -> Result<Vec<(&'static str, String)>, EngineError> {
        match authorized.response_type {
            ResponseType::Code => {
                let code = self.node.keyring.mint(rand::random());
                let new = self.new_code(place, client, authorized, code.reveal());
                self.node.exchange(Exchange::Keep(new.clone())).await?;
                if let Some(hot) = &self.hot {
                    hot.codes.keep(&new, self.node.clock.now());
                }
                Ok(vec![("code", code.reveal().to_owned())])
            }
            ResponseType::Token => {
                let user = Some(authorized.authenticated_userid);
                let earned = Earned { scope: authorized.scope, authenticated_userid: user };
                let issued = self.write(self.new_token(place, client, earned, Refreshable::No)).await?;
                let mut told = vec![("access_token", issued.access_token.reveal().to_owned())];
                told.extend(issued.expires_in.map(|seconds| ("expires_in", seconds.to_string())));
                told.push(("token_type", "bearer".to_owned()));
                Ok(told)
            }
        }
    }

    fn new_code(&self, place: Place<'_>, client: &ClientView, authorized: Authorized, code: &str) -> NewCode {
        let created_at = self.node.clock.now();
        NewCode {
            id: Uuid::now_v7(),
            digest: self.node.keyring.digest(code.as_bytes()),
            credential_id: client.credential_id,
            service_id: place.service.filter(|_| !place.policy.global_credentials),
            plugin_id: place.plugin,
            scope: authorized.scope,
            authenticated_userid: Some(authorized.authenticated_userid),
            challenge_method: authorized.challenge.is_some().then(|| S256.to_owned()),
            challenge: authorized.challenge,
            redirect_uri: authorized.asked_redirect_uri,
            family_id: Uuid::now_v7(),
            created_at,
            expires_at: created_at.plus_seconds(CODE_LIFE),
        }
    }
}
