//! The authorization endpoint (RFC 6749 §3.1, oauth2.md section 3), called by the API owner's login backend.

use super::grants::scope;
use super::redirect::{Part, redirect};
use super::{OAuthError, Params, Place, Policy, pkce};
use crate::domain::{ClientView, LONGEST_NAME};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    Code,
    /// Implicit.
    Token,
}

/// What a good authorization request earns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    pub response_type: ResponseType,
    pub scope: Option<String>,
    pub authenticated_userid: String,
    /// Normalised; `None` without PKCE.
    pub challenge: Option<String>,
    /// The redirect URI the request named, which rfc9700 binds the code to.
    pub asked_redirect_uri: Option<String>,
    pub redirect: Redirect,
}

/// Where the answer goes: a registered URI, and the part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub uri: String,
    pub part: Part,
}

impl Redirect {
    pub fn with(&self, params: &[(&str, &str)]) -> String {
        redirect(&self.uri, params, self.part)
    }
}

/// Why there is no answer; `redirect` is where the client hears of it, once that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unauthorized {
    pub error: OAuthError,
    pub redirect: Option<Redirect>,
}

/// Checks that need no client: who asks, and for whom.
///
/// # Errors
/// A wrong provision key, no user.
pub fn vouch(params: &Params, policy: &Policy) -> Result<String, OAuthError> {
    if !policy.provision_key.matches(params.text("provision_key").unwrap_or_default()) {
        return Err(OAuthError::InvalidProvisionKey);
    }
    user(params)?.ok_or(OAuthError::MissingUserid)
}

/// The user that is named, if one is.
pub(super) fn user(params: &Params) -> Result<Option<String>, OAuthError> {
    match params.filled("authenticated_userid") {
        Some(user) if user.len() > LONGEST_NAME => Err(OAuthError::UseridTooLong),
        user => Ok(user.map(str::to_owned)),
    }
}

/// Judges an authorization request of a user who was vouched for.
///
/// Of response type, scope, client, redirect URI and PKCE the last fault is told, as Kong does; before them all it is
/// told that the client may have nothing here.
///
/// # Errors
/// See [`Unauthorized`].
pub fn authorize(
    params: &Params,
    place: Place<'_>,
    client: Option<&ClientView>,
    authenticated_userid: String,
) -> Result<Authorized, Unauthorized> {
    let policy = place.policy;
    let response_type = response_type(params, policy);
    let granted = scope(params, place);
    let part = if params.text("response_type") == Some("token") { Part::Fragment } else { Part::Query };
    let Some(client) = client.filter(|client| !client.redirect_uris.is_empty()) else {
        let error = client.and(place.check().err()).unwrap_or(OAuthError::InvalidClient { in_header: false });
        return Err(Unauthorized { error, redirect: None });
    };
    let asked = params.get("redirect_uri").map(|_| params.text("redirect_uri").unwrap_or_default());
    let registered = asked.map(|asked| client.redirect_uris.iter().find(|uri| *uri == asked));
    let uri = registered.flatten().unwrap_or(&client.redirect_uris[0]).clone();
    let redirect = Redirect { uri, part };
    let matched = if registered == Some(None) { Err(OAuthError::InvalidRedirectUri) } else { Ok(()) };
    let challenge = match &response_type {
        Ok(ResponseType::Token) => Ok(None),
        _ => pkce::challenge(params, policy.pkce(), client.client_type),
    };
    // Each may fail; the last failure is the one that is told.
    let faults = [response_type.clone().err(), granted.clone().err(), matched.err(), challenge.clone().err()];
    let faults = faults.into_iter().chain([place.check().err()]);
    if let Some(error) = faults.flatten().next_back() {
        return Err(Unauthorized { error, redirect: Some(redirect) });
    }
    match (response_type, granted, challenge) {
        (Ok(response_type), Ok(scope), Ok(challenge)) => Ok(Authorized {
            response_type,
            scope,
            authenticated_userid,
            challenge,
            asked_redirect_uri: asked.map(str::to_owned),
            redirect,
        }),
        // Every failure was told above.
        _ => Err(Unauthorized { error: OAuthError::UnsupportedResponseType, redirect: Some(redirect) }),
    }
}

fn response_type(params: &Params, policy: &Policy) -> Result<ResponseType, OAuthError> {
    match params.text("response_type") {
        Some("code") if policy.authorization_code => Ok(ResponseType::Code),
        Some("token") if policy.implicit => Ok(ResponseType::Token),
        _ => Err(OAuthError::UnsupportedResponseType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth2::fixtures::{client, place, policy};

    fn asked(form: &str) -> Result<Authorized, Unauthorized> {
        let params = Params::from_form(form.as_bytes());
        authorize(&params, place(&policy()), Some(&client()), "user".into())
    }

    fn error(form: &str) -> OAuthError {
        asked(form).unwrap_err().error
    }

    #[test]
    fn the_key_and_the_user_are_checked_first() {
        let told = |form: &str| vouch(&Params::from_form(form.as_bytes()), &policy());
        assert_eq!(told("authenticated_userid=u"), Err(OAuthError::InvalidProvisionKey));
        assert_eq!(told("provision_key=provision&authenticated_userid=+"), Err(OAuthError::MissingUserid));
        assert_eq!(told("provision_key=provision&authenticated_userid=u"), Ok("u".into()));
    }

    #[test]
    fn a_later_fault_replaces_an_earlier_one() {
        assert_eq!(error("response_type=no"), OAuthError::UnsupportedResponseType);
        assert_eq!(error("response_type=no&scope=wot"), OAuthError::UnknownScope("wot".into()));
        assert_eq!(error("response_type=no&scope=wot&redirect_uri=http://x"), OAuthError::InvalidRedirectUri);
        let worst = "response_type=no&scope=wot&redirect_uri=http://x&code_challenge_method=S256";
        assert_eq!(error(worst), OAuthError::ChallengeMissing);
        let params = Params::from_form(b"response_type=no&scope=wot");
        let unknown = authorize(&params, place(&policy()), None, "user".into()).unwrap_err();
        assert_eq!(unknown, Unauthorized { error: OAuthError::InvalidClient { in_header: false }, redirect: None });
    }

    #[test]
    fn a_wrong_redirect_uri_is_told_at_the_first_registered_one() {
        let refused = asked("response_type=code&redirect_uri=http://evil").unwrap_err();
        assert_eq!(refused.redirect.unwrap().uri, "https://client/cb");
        let good = asked("response_type=code&redirect_uri=https://client/other").unwrap();
        assert_eq!(good.redirect, Redirect { uri: "https://client/other".into(), part: Part::Query });
        assert_eq!(good.asked_redirect_uri.as_deref(), Some("https://client/other"));
    }

    #[test]
    fn what_a_client_may_not_have_is_told_before_every_other_fault() {
        let policy = policy();
        let refused = crate::domain::Refused::Revoked;
        let place = Place { allowed: super::super::Allowed::Nothing(refused), ..place(&policy) };
        let told = |client: &ClientView, form: &str| {
            let params = Params::from_form(form.as_bytes());
            authorize(&params, place, Some(client), "user".into()).unwrap_err()
        };
        let worst = told(&client(), "response_type=no&scope=wot&redirect_uri=http://x");
        assert_eq!(worst.error, OAuthError::NotApproved(refused));
        assert_eq!(worst.redirect.unwrap().uri, "https://client/cb");
        let mut homeless = client();
        homeless.redirect_uris.clear();
        let expected = Unauthorized { error: OAuthError::NotApproved(refused), redirect: None };
        assert_eq!(told(&homeless, "response_type=code"), expected);
    }

    #[test]
    fn implicit_answers_in_the_fragment_and_knows_no_pkce() {
        let good = asked("response_type=token&scope=email").unwrap();
        assert_eq!((good.response_type, good.redirect.part), (ResponseType::Token, Part::Fragment));
        assert_eq!(good.scope.as_deref(), Some("email"));
    }
}
