//! Protocol errors: the `error` and `error_description` of an answer (RFC 6749 §5.2, RFC 6750 §3.1).

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
    UnsupportedResponseType,
    ScopeNotText,
    UnknownScope(String),
    ScopeRequired,
    /// A body that is not what its content type says.
    UnreadableBody(&'static str),
}

impl OAuthError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidMethod { .. } => "invalid_method",
            Self::HttpsRequired | Self::RepeatedForwardedProto => "access_denied",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidClient { .. } => "invalid_client",
            Self::SecretFromPublicClient | Self::InvalidRedirectUri | Self::UnreadableBody(_) => "invalid_request",
            Self::InvalidProvisionKey => "invalid_provision_key",
            Self::MissingUserid => "invalid_authenticated_userid",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ScopeNotText | Self::UnknownScope(_) | Self::ScopeRequired => "invalid_scope",
        }
    }

    pub fn description(&self) -> String {
        let text = match self {
            Self::InvalidMethod { method, endpoint } => {
                return format!("The HTTP method {method} is invalid for the {endpoint} endpoint");
            }
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
            Self::UnsupportedResponseType => "Invalid response_type",
            Self::ScopeNotText => "scope must be a string",
            Self::ScopeRequired => "You must specify a scope",
            Self::UnreadableBody(why) => why,
        };
        text.to_owned()
    }
}
