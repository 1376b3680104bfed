//! Whether a token is good for this call (oauth2.md section 6).

use uuid::Uuid;

use crate::domain::{Timestamp, TokenView};

/// Why a token does not open the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No token in the request.
    Missing,
    /// Unknown, expired, or another service's.
    Invalid,
    /// A global token, and this plugin does not take part in `global_credentials`.
    Global,
}

impl Refusal {
    pub fn description(self) -> &'static str {
        match self {
            Self::Missing => "The access token is missing",
            Self::Invalid => "The access token is invalid or has expired",
            Self::Global => {
                "The access token is global, but the current plugin is configured without 'global_credentials'"
            }
        }
    }

    /// The `error` of RFC 6750 §3.1.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "invalid_request",
            Self::Invalid | Self::Global => "invalid_token",
        }
    }
}

/// Judges a known token. Expiry is judged here and nowhere else, so a stale view never lengthens a life.
///
/// # Errors
/// The reason for a refusal.
pub fn judge(token: &TokenView, global: bool, service: Option<Uuid>, now: Timestamp) -> Result<(), Refusal> {
    match token.service_id {
        Some(bound) if Some(bound) != service => return Err(Refusal::Invalid),
        Some(_) => {}
        None if !global => return Err(Refusal::Global),
        None => {}
    }
    let row_ended = token.expires_at.is_some_and(|end| end <= now);
    let age = now.millis().saturating_sub(token.created_at.millis());
    let expired = token.expires_in > 0 && age > token.expires_in.saturating_mul(1000);
    if row_ended || expired { Err(Refusal::Invalid) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::Consumer;

    const SERVICE: Uuid = Uuid::from_u128(1);

    fn token() -> TokenView {
        TokenView {
            id: Uuid::from_u128(9),
            credential_id: Uuid::from_u128(8),
            family_id: Uuid::from_u128(9),
            client_id: "app".into(),
            consumer: Arc::new(Consumer { id: Uuid::from_u128(7), username: Some("bob".into()), custom_id: None }),
            service_id: Some(SERVICE),
            scope: None,
            authenticated_userid: None,
            created_at: Timestamp::from_seconds(1000),
            expires_in: 60,
            expires_at: None,
        }
    }

    fn at(token: &TokenView, seconds: i64) -> Result<(), Refusal> {
        judge(token, false, Some(SERVICE), Timestamp::from_seconds(seconds))
    }

    #[test]
    fn a_token_lives_expires_in_seconds() {
        assert_eq!(at(&token(), 1060), Ok(()));
        assert_eq!(at(&token(), 1061), Err(Refusal::Invalid));
        assert_eq!(at(&TokenView { expires_in: 0, ..token() }, i64::MAX / 1000), Ok(()));
    }

    #[test]
    fn the_row_ends_earlier_than_the_token_when_its_ttl_says_so() {
        let row = TokenView { expires_at: Some(Timestamp::from_seconds(1010)), ..token() };
        assert_eq!(at(&row, 1009), Ok(()));
        assert_eq!(at(&row, 1010), Err(Refusal::Invalid));
    }

    #[test]
    fn a_token_of_another_service_is_invalid() {
        let now = Timestamp::from_seconds(1000);
        assert_eq!(judge(&token(), true, Some(Uuid::from_u128(2)), now), Err(Refusal::Invalid));
        assert_eq!(judge(&token(), true, None, now), Err(Refusal::Invalid));
    }

    #[test]
    fn a_global_token_needs_a_global_plugin() {
        let global = TokenView { service_id: None, ..token() };
        let now = Timestamp::from_seconds(1000);
        assert_eq!(judge(&global, false, Some(SERVICE), now), Err(Refusal::Global));
        assert_eq!(judge(&global, true, Some(SERVICE), now), Ok(()));
    }
}
