//! The grants (RFC 6749 §4): which one is asked for, and what it gives.

use super::{OAuthError, Param, Params, Policy};
use crate::domain::ScopeSet;

/// A grant this plugin instance knows. The code, refresh and password grants join with their own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    ClientCredentials,
}

/// What a client-credentials request earns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCredentials {
    /// As granted: the words asked for, in their order. `None` when no scope was asked for.
    pub scope: Option<String>,
    pub authenticated_userid: Option<String>,
}

/// # Errors
/// `unsupported_grant_type` for an unknown grant and for one that is switched off.
pub fn grant_type(params: &Params, policy: &Policy) -> Result<GrantType, OAuthError> {
    match params.text("grant_type") {
        Some("client_credentials") if policy.client_credentials => Ok(GrantType::ClientCredentials),
        _ => Err(OAuthError::UnsupportedGrantType),
    }
}

/// Decides a client-credentials request (RFC 6749 §4.4) of a client already authenticated.
///
/// # Errors
/// A user id without the right provision key; a scope fault as in [`scope`].
pub fn client_credentials(params: &Params, policy: &Policy) -> Result<ClientCredentials, OAuthError> {
    let names_user = params.get("authenticated_userid").is_some();
    let key = params.text("provision_key").unwrap_or_default();
    if names_user && !policy.provision_key.matches(key) {
        return Err(OAuthError::InvalidProvisionKey);
    }
    let authenticated_userid = params.filled("authenticated_userid").map(str::to_owned);
    Ok(ClientCredentials { scope: scope(params, policy)?, authenticated_userid })
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
mod tests {
    use super::*;
    use crate::domain::Secret;
    use crate::oauth2::{Pkce, Profile};

    fn policy() -> Policy {
        Policy {
            scopes: vec!["email".into(), "phone".into()],
            mandatory_scope: false,
            provision_key: Secret::new("provision"),
            token_expiration: 7200,
            authorization_code: false,
            implicit: false,
            client_credentials: true,
            password: false,
            global_credentials: false,
            refresh_token_ttl: 1_209_600,
            reuse_refresh_token: false,
            pkce: Pkce::Lax,
            profile: Profile::Kong,
        }
    }

    #[test]
    fn a_grant_that_is_off_is_unknown() {
        let params = Params::from_form(b"grant_type=client_credentials");
        assert_eq!(grant_type(&params, &policy()), Ok(GrantType::ClientCredentials));
        let off = Policy { client_credentials: false, ..policy() };
        assert_eq!(grant_type(&params, &off), Err(OAuthError::UnsupportedGrantType));
        assert_eq!(grant_type(&Params::default(), &policy()), Err(OAuthError::UnsupportedGrantType));
    }

    #[test]
    fn scopes_must_be_the_plugins() {
        let asked = |form: &str| scope(&Params::from_form(form.as_bytes()), &policy());
        assert_eq!(asked("scope=phone+email"), Ok(Some("phone email".into())));
        assert_eq!(asked(""), Ok(None));
        assert_eq!(asked("scope=wot"), Err(OAuthError::UnknownScope("wot".into())));
        assert_eq!(asked("scope=email&scope=phone"), Err(OAuthError::ScopeNotText));
        let mandatory = Policy { mandatory_scope: true, ..policy() };
        assert_eq!(scope(&Params::from_form(b"scope=+"), &mandatory), Err(OAuthError::ScopeRequired));
    }

    #[test]
    fn a_user_id_needs_the_provision_key() {
        let asked = |form: &str| client_credentials(&Params::from_form(form.as_bytes()), &policy());
        assert_eq!(asked("authenticated_userid=u"), Err(OAuthError::InvalidProvisionKey));
        let granted = asked("authenticated_userid=u&provision_key=provision").unwrap();
        assert_eq!(granted.authenticated_userid.as_deref(), Some("u"));
        assert_eq!(asked("provision_key=wrong").unwrap().authenticated_userid, None);
    }
}
