//! The grants at the token endpoint (RFC 6749 §4 and §6): which one is asked for, and what it gives.

use uuid::Uuid;

use super::authorize::{user, vouch};
use super::{OAuthError, Param, Params, Policy, Profile, pkce};
use crate::domain::{ClientView, Code, CodeState, RefreshView, ScopeSet, Timestamp};

/// A grant this plugin instance knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    Password,
}

/// What a request earns: for whom, with which scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earned {
    /// As granted: the words asked for, in their order. `None` when no scope was asked for.
    pub scope: Option<String>,
    pub authenticated_userid: Option<String>,
}

/// Where a code or refresh token is presented.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    pub policy: &'p Policy,
    pub plugin: Uuid,
    pub service: Option<Uuid>,
}

/// What a presented code is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Issue(Earned),
    /// It was used before: what it issued is to be revoked (RFC 6749 §4.1.2).
    Replay,
}

/// # Errors
/// `unsupported_grant_type` for an unknown grant and for one that is switched off.
pub fn grant_type(params: &Params, policy: &Policy) -> Result<GrantType, OAuthError> {
    match params.text("grant_type") {
        Some("authorization_code") => Ok(GrantType::AuthorizationCode),
        Some("refresh_token") => Ok(GrantType::RefreshToken),
        Some("client_credentials") if policy.client_credentials => Ok(GrantType::ClientCredentials),
        Some("password") if policy.password => Ok(GrantType::Password),
        Some("client_credentials" | "password") if policy.profile == Profile::Rfc9700 => {
            Err(OAuthError::UnauthorizedClient)
        }
        _ => Err(OAuthError::UnsupportedGrantType),
    }
}

/// A redirect URI, when given, must be registered.
///
/// # Errors
/// It is not, or is not a text.
pub fn check_redirect_uri(params: &Params, client: &ClientView) -> Result<(), OAuthError> {
    let Some(asked) = params.get("redirect_uri") else { return Ok(()) };
    let registered = matches!(asked, Param::Text(asked) if client.redirect_uris.iter().any(|uri| uri == asked));
    if registered { Ok(()) } else { Err(OAuthError::InvalidRedirectUri) }
}

/// Decides a client-credentials request (RFC 6749 §4.4) of a client already authenticated.
///
/// # Errors
/// A user id without the right provision key; a scope fault as in [`scope`].
pub fn client_credentials(params: &Params, policy: &Policy) -> Result<Earned, OAuthError> {
    let names_user = params.get("authenticated_userid").is_some();
    let key = params.text("provision_key").unwrap_or_default();
    if names_user && !policy.provision_key.matches(key) {
        return Err(OAuthError::InvalidProvisionKey);
    }
    let authenticated_userid = user(params)?;
    Ok(Earned { scope: scope(params, policy)?, authenticated_userid })
}

/// Decides a password request (RFC 6749 §4.3): the API owner vouches for the user, the gateway sees no password.
///
/// # Errors
/// A wrong provision key, no user, a scope fault.
pub fn password(params: &Params, policy: &Policy) -> Result<Earned, OAuthError> {
    let authenticated_userid = Some(vouch(params, policy)?);
    Ok(Earned { scope: scope(params, policy)?, authenticated_userid })
}

/// Decides what a code is good for (RFC 6749 §4.1.3). Whether it can still be used up is settled by the store.
///
/// # Errors
/// `Invalid code` for one that is unknown, ended, or another client's, service's or plugin's; a PKCE fault.
pub fn exchange(
    params: &Params,
    place: Place<'_>,
    client: &ClientView,
    code: Option<&Code>,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    let belongs = |code: &&Code| {
        let issued = &code.issued;
        let global = place.policy.global_credentials;
        let here = if global { issued.plugin_id == place.plugin } else { issued.service_id == place.service };
        issued.credential_id == client.credential_id && here
    };
    let Some(code) = code.filter(belongs) else { return Err(OAuthError::InvalidCode) };
    if code.state != CodeState::Unused {
        return Ok(Decision::Replay);
    }
    if code.issued.expires_at <= now {
        return Err(OAuthError::InvalidCode);
    }
    let challenge = code.issued.challenge.as_deref();
    pkce::verify(params, challenge, place.policy.pkce(), client.client_type)?;
    if place.policy.profile == Profile::Rfc9700 && code.issued.redirect_uri.as_deref() != params.text("redirect_uri") {
        return Err(OAuthError::InvalidCode);
    }
    let (scope, authenticated_userid) = (code.issued.scope.clone(), code.issued.authenticated_userid.clone());
    Ok(Decision::Issue(Earned { scope, authenticated_userid }))
}

/// Decides a refresh (RFC 6749 §6). `None` for `row`: no live row has this refresh token.
///
/// # Errors
/// `Invalid refresh_token`, another client's (`invalid_client`), a scope the plugin no longer has.
pub fn refresh(
    place: Place<'_>,
    client: &ClientView,
    row: Option<&RefreshView>,
    in_header: bool,
) -> Result<Earned, OAuthError> {
    let here = |row: &&RefreshView| place.policy.global_credentials || row.service_id == place.service;
    let Some(row) = row.filter(here) else { return Err(OAuthError::InvalidRefreshToken) };
    if row.credential_id != client.credential_id {
        return Err(OAuthError::InvalidClient { in_header });
    }
    let known = |word: &str| place.policy.scopes.iter().any(|scope| scope == word);
    if !row.scope.as_deref().unwrap_or_default().split_whitespace().all(known) {
        return Err(OAuthError::ScopeMismatch);
    }
    Ok(Earned { scope: row.scope.clone(), authenticated_userid: row.authenticated_userid.clone() })
}

/// The granted scope (RFC 6749 §3.3): each word must be one of the plugin's.
///
/// # Errors
/// A scope that is not a text, an unknown word, none where one is mandatory.
pub fn scope(params: &Params, policy: &Policy) -> Result<Option<String>, OAuthError> {
    let asked = match params.get("scope") {
        Some(Param::NotText) => return Err(OAuthError::ScopeNotText),
        Some(Param::Text(text)) => text.as_str(),
        None => "",
    };
    let unknown = asked.split_whitespace().find(|word| !policy.scopes.iter().any(|known| known == word));
    if let Some(word) = unknown {
        return Err(OAuthError::UnknownScope(word.to_owned()));
    }
    if ScopeSet::parse(asked).is_empty() {
        return if policy.mandatory_scope { Err(OAuthError::ScopeRequired) } else { Ok(None) };
    }
    let words: Vec<&str> = asked.split_whitespace().collect();
    Ok(Some(words.join(" ")))
}

#[cfg(test)]
mod tests;
