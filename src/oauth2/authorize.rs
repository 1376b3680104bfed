//! The authorization endpoint (RFC 6749 §3.1), called by the API owner's login backend.

use super::{OAuthError, Params, Policy};

/// Checks an authorization request up to its response type. No response type is served yet, so every one ends in a
/// refusal: the first of provision key, user id, response type.
pub fn authorize(params: &Params, policy: &Policy) -> OAuthError {
    if !policy.provision_key.matches(params.text("provision_key").unwrap_or_default()) {
        return OAuthError::InvalidProvisionKey;
    }
    if params.filled("authenticated_userid").is_none() {
        return OAuthError::MissingUserid;
    }
    OAuthError::UnsupportedResponseType
}
