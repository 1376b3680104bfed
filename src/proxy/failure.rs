//! What goes wrong between a route and an answer, and what the client is told.

/// Why a call was not proxied, or not to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("no address for the upstream's name")]
    Resolve,
    #[error("upstream refuses connections")]
    Refused,
    #[error("TLS handshake with the upstream failed")]
    Handshake,
    /// It closed or broke the connection before its answer was whole.
    #[error("upstream broke the connection")]
    Broken,
    #[error("upstream's answer is malformed")]
    Malformed,
    #[error("upstream did not answer in time")]
    TimedOut,
    /// As many calls as there may be are under way to it.
    #[error("upstream has too many calls under way")]
    Overloaded,
    #[error("client's body is malformed")]
    ClientMalformed,
    #[error("client's body did not come in time")]
    ClientStalled,
    /// It closed, or does not read what it is sent.
    #[error("client has gone")]
    ClientGone,
    /// The time a stopping gateway leaves to what is under way was over.
    #[error("the gateway stops")]
    Stopped,
}

impl Failure {
    /// As the access log names it: stable.
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolve => "upstream_unresolved",
            Self::Refused => "upstream_refused",
            Self::Handshake => "upstream_handshake",
            Self::Broken => "upstream_broken",
            Self::Malformed => "upstream_malformed",
            Self::TimedOut => "upstream_timeout",
            Self::Overloaded => "upstream_overloaded",
            Self::ClientMalformed => "client_malformed",
            Self::ClientStalled => "client_stalled",
            Self::ClientGone => "client_gone",
            Self::Stopped => "stopped",
        }
    }

    /// Status and message; `None` when nobody is there to be told.
    pub(super) fn told(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Resolve => Some((503, "name resolution failed")),
            Self::Refused | Self::Handshake | Self::Broken | Self::Malformed => {
                Some((502, "An invalid response was received from the upstream server"))
            }
            Self::TimedOut => Some((504, "The upstream server is timing out")),
            Self::Overloaded => Some((503, "Too many requests to the upstream server are under way")),
            Self::ClientMalformed => Some((400, "Bad request")),
            Self::ClientStalled => Some((408, "Request timeout")),
            Self::Stopped => Some((503, "The gateway is stopping")),
            Self::ClientGone => None,
        }
    }
}
