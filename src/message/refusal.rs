//! Why a request is not taken at all.

/// A request refused before it was routed. Its connection is closed, since what follows cannot be trusted either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("malformed request line")]
    RequestLine,
    #[error("malformed header field")]
    Field,
    #[error("line does not end in CRLF")]
    BareLineFeed,
    #[error("request target is not valid")]
    Target,
    #[error("method is not supported")]
    Method,
    #[error("HTTP version is not supported")]
    Version,
    #[error("request target is too long")]
    TargetTooLong,
    #[error("request head is too large")]
    HeadTooLarge,
    #[error("too many header fields")]
    TooManyFields,
    #[error("missing Host header")]
    MissingHost,
    #[error("more than one Host header")]
    RepeatedHost,
    #[error("Host is not valid")]
    Host,
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndEncoding,
    #[error("more than one Content-Length")]
    RepeatedLength,
    #[error("Content-Length is not a number")]
    Length,
    #[error("Transfer-Encoding is not `chunked`")]
    Encoding,
    #[error("Transfer-Encoding in HTTP/1.0")]
    EncodingInOldVersion,
    #[error("header field name imitates one that frames the body")]
    Imitation,
    #[error("expectation cannot be met")]
    Expectation,
    #[error("request head did not arrive in time")]
    TimedOut,
}

impl Refusal {
    pub fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::TimedOut => 408,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::HeadTooLarge | Self::TooManyFields => 431,
            Self::Version => 505,
            Self::RequestLine
            | Self::Field
            | Self::BareLineFeed
            | Self::Target
            | Self::MissingHost
            | Self::RepeatedHost
            | Self::Host
            | Self::LengthAndEncoding
            | Self::RepeatedLength
            | Self::Length
            | Self::Encoding
            | Self::EncodingInOldVersion
            | Self::Imitation => 400,
        }
    }
}
