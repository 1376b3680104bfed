//! Protocol errors: the `error` and `error_description` of an answer (RFC 6749 §5.2, RFC 6750 §3.1).

use super::Profile;
use crate::domain::{ClientType, Refused};

/// What the gateway tells a client that asked for something it cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// Another method than POST; `endpoint` is `token` or `authorization`.
    InvalidMethod {
        method: String,
        endpoint: &'static str,
    },
    HttpsRequired,
    RepeatedForwardedProto,
    UnsupportedGrantType,
    /// `in_header`: the client authenticated with HTTP Basic, so the answer is a 401 with a challenge.
    InvalidClient {
        in_header: bool,
    },
    SecretFromPublicClient,
    InvalidRedirectUri,
    InvalidProvisionKey,
    MissingUserid,
    UseridTooLong,
    UnsupportedResponseType,
    ScopeNotText,
    UnknownScope(String),
    ScopeRequired,
    /// Rfc9700: this client may not use this grant.
    UnauthorizedClient,
    /// The client's contract with the service is not approved. Clients are told one text for every reason.
    NotApproved(Refused),
    UnknownChallengeMethod,
    ChallengeMissing,
    ChallengeRequired(ClientType),
    VerifierMissing,
    VerifierNotText,
    VerifierLength,
    WrongVerifier,
    InvalidCode,
    InvalidRefreshToken,
    ScopeMismatch,
    /// A body that is not what its content type says.
    UnreadableBody(&'static str),
    /// A parameter that no store can keep: it holds a NUL character.
    Unstorable(String),
}

impl OAuthError {
    /// The `error` under a profile: rfc9700 uses the codes of RFC 6749 §5.2 where Kong does not.
    pub fn code_under(&self, profile: Profile) -> &'static str {
        match (profile, self) {
            (Profile::Rfc9700, Self::InvalidCode | Self::InvalidRefreshToken) => "invalid_grant",
            _ => self.code(),
        }
    }

    /// The `error` as Kong names it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidMethod { .. } => "invalid_method",
            Self::HttpsRequired | Self::RepeatedForwardedProto => "access_denied",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidClient { .. } => "invalid_client",
            Self::SecretFromPublicClient
            | Self::InvalidRedirectUri
            | Self::UnknownChallengeMethod
            | Self::ChallengeMissing
            | Self::ChallengeRequired(_)
            | Self::VerifierMissing
            | Self::VerifierNotText
            | Self::VerifierLength
            | Self::InvalidCode
            | Self::InvalidRefreshToken
            | Self::UnreadableBody(_)
            | Self::Unstorable(_) => "invalid_request",
            Self::WrongVerifier => "invalid_grant",
            Self::UnauthorizedClient | Self::NotApproved(_) => "unauthorized_client",
            Self::InvalidProvisionKey => "invalid_provision_key",
            Self::MissingUserid | Self::UseridTooLong => "invalid_authenticated_userid",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ScopeNotText | Self::UnknownScope(_) | Self::ScopeRequired | Self::ScopeMismatch => "invalid_scope",
        }
    }

    pub fn description(&self) -> String {
        let text = match self {
            Self::InvalidMethod { method, endpoint } => {
                return format!("The HTTP method {method} is invalid for the {endpoint} endpoint");
            }
            Self::Unstorable(name) => return format!("{name} holds a character that cannot be stored"),
            Self::UnknownScope(word) => return format!("\"{word}\" is an invalid scope"),
            Self::HttpsRequired => "You must use HTTPS",
            Self::RepeatedForwardedProto => "Only one X-Forwarded-Proto header allowed",
            Self::UnsupportedGrantType => "Invalid grant_type",
            Self::InvalidClient { .. } => "Invalid client authentication",
            Self::SecretFromPublicClient => "client_secret is disallowed for public clients",
            Self::InvalidRedirectUri => {
                "Invalid redirect_uri that does not match with any redirect_uri created with the application"
            }
            Self::InvalidProvisionKey => "Invalid provision_key",
            Self::MissingUserid => "Missing authenticated_userid parameter",
            Self::UseridTooLong => "authenticated_userid is longer than 1024 bytes",
            Self::UnsupportedResponseType => "Invalid response_type",
            Self::ScopeNotText => "scope must be a string",
            Self::ScopeRequired => "You must specify a scope",
            Self::UnauthorizedClient => "The client may not use this grant",
            Self::NotApproved(_) => "The client is not approved for this service",
            Self::UnknownChallengeMethod => "code_challenge_method is not supported, must be S256",
            Self::ChallengeMissing => "code_challenge is required when code_method is present",
            Self::ChallengeRequired(ClientType::Public) => "code_challenge is required for public clients",
            Self::ChallengeRequired(ClientType::Confidential) => "code_challenge is required for confidential clients",
            Self::VerifierMissing => "code_verifier is required for PKCE authorization requests",
            Self::VerifierNotText => "code_verifier is not a string",
            Self::VerifierLength => "code_verifier must be between 43 and 128 characters",
            Self::WrongVerifier | Self::InvalidCode => "Invalid code",
            Self::InvalidRefreshToken => "Invalid refresh_token",
            Self::ScopeMismatch => "Scope mismatch",
            Self::UnreadableBody(why) => why,
        };
        text.to_owned()
    }
}
