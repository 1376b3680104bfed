//! The grants at the token endpoint (RFC 6749 §4 and §6): which one is asked for, and what it gives.

use uuid::Uuid;

use super::authorize::{user, vouch};
use super::{OAuthError, Param, Params, Policy, Profile, pkce};
use crate::domain::{ClientView, Code, CodeState, Gate, RefreshView, Refused, ScopeSet, Standing, Timestamp};

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

/// Where a grant is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    pub policy: &'p Policy,
    pub plugin: Uuid,
    pub service: Option<Uuid>,
    /// What stands before the service; how the client stands to it settles `allowed`.
    pub gate: Option<Gate>,
    pub allowed: Allowed<'p>,
}

/// What a client may have at a place: its contract with the service, where a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed<'p> {
    /// Whatever the policy has.
    All,
    /// These scopes of the policy's.
    Scopes(&'p [String]),
    Nothing(Refused),
}

impl<'p> Place<'p> {
    /// The same place for a client that stands to the service like this.
    #[must_use]
    pub fn of(self, standing: &'p Standing) -> Self {
        let Some(gate) = self.gate else { return self };
        let scopes = match standing {
            Standing::Application(application) => application.contract.as_ref().and_then(|of| of.scopes.as_deref()),
            Standing::Stranger => None,
        };
        let allowed = match standing.admit(gate.consumers) {
            Ok(()) => scopes.map_or(Allowed::All, Allowed::Scopes),
            Err(refused) => Allowed::Nothing(refused),
        };
        Self { allowed, ..self }
    }

    /// # Errors
    /// The client may have no token here.
    pub fn check(&self) -> Result<(), OAuthError> {
        match self.allowed {
            Allowed::Nothing(refused) => Err(OAuthError::NotApproved(refused)),
            Allowed::All | Allowed::Scopes(_) => Ok(()),
        }
    }

    /// Whether a token may have this scope.
    fn knows(&self, word: &str) -> bool {
        self.policy.scopes.iter().any(|scope| scope == word) && self.contract_has(word)
    }

    fn contract_has(&self, word: &str) -> bool {
        match self.allowed {
            Allowed::All => true,
            Allowed::Scopes(words) => words.iter().any(|scope| scope == word),
            Allowed::Nothing(_) => false,
        }
    }
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
pub fn client_credentials(params: &Params, place: Place<'_>) -> Result<Earned, OAuthError> {
    let names_user = params.get("authenticated_userid").is_some();
    let key = params.text("provision_key").unwrap_or_default();
    if names_user && !place.policy.provision_key.matches(key) {
        return Err(OAuthError::InvalidProvisionKey);
    }
    let authenticated_userid = user(params)?;
    Ok(Earned { scope: scope(params, place)?, authenticated_userid })
}

/// Decides a password request (RFC 6749 §4.3): the API owner vouches for the user, the gateway sees no password.
///
/// # Errors
/// A wrong provision key, no user, a scope fault.
pub fn password(params: &Params, place: Place<'_>) -> Result<Earned, OAuthError> {
    let authenticated_userid = Some(vouch(params, place.policy)?);
    Ok(Earned { scope: scope(params, place)?, authenticated_userid })
}

/// Decides what a code is good for (RFC 6749 §4.1.3). Whether it can still be used up is settled by the store.
///
/// # Errors
/// `Invalid code` for one that is unknown, ended, or another client's, service's or plugin's; a PKCE fault; a scope that
/// the contract has lost since.
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
    if !words(&code.issued.scope).all(|word| place.contract_has(word)) {
        return Err(OAuthError::ScopeMismatch);
    }
    let (scope, authenticated_userid) = (code.issued.scope.clone(), code.issued.authenticated_userid.clone());
    Ok(Decision::Issue(Earned { scope, authenticated_userid }))
}

/// Decides a refresh (RFC 6749 §6). `None` for `row`: no live row has this refresh token.
///
/// # Errors
/// `Invalid refresh_token`, another client's (`invalid_client`), a scope the plugin or the contract no longer has.
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
    if !words(&row.scope).all(|word| place.knows(word)) {
        return Err(OAuthError::ScopeMismatch);
    }
    Ok(Earned { scope: row.scope.clone(), authenticated_userid: row.authenticated_userid.clone() })
}

fn words(scope: &Option<String>) -> impl Iterator<Item = &str> {
    scope.as_deref().unwrap_or_default().split_whitespace()
}

/// The granted scope (RFC 6749 §3.3): each word must be one of the plugin's, and of the contract's if that names some.
///
/// # Errors
/// A scope that is not a text, an unknown word, none where one is mandatory.
pub fn scope(params: &Params, place: Place<'_>) -> Result<Option<String>, OAuthError> {
    let asked = match params.get("scope") {
        Some(Param::NotText) => return Err(OAuthError::ScopeNotText),
        Some(Param::Text(text)) => text.as_str(),
        None => "",
    };
    let unknown = asked.split_whitespace().find(|word| !place.knows(word));
    if let Some(word) = unknown {
        return Err(OAuthError::UnknownScope(word.to_owned()));
    }
    if ScopeSet::parse(asked).is_empty() {
        return if place.policy.mandatory_scope { Err(OAuthError::ScopeRequired) } else { Ok(None) };
    }
    let words: Vec<&str> = asked.split_whitespace().collect();
    Ok(Some(words.join(" ")))
}

#[cfg(test)]
mod tests;
