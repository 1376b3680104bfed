//! What the data plane needs to know of a route and a service: their entities, typed.

use std::time::Duration;

use regex::Regex;
use uuid::Uuid;

/// What a client speaks on a route, or a gateway to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Http,
    Https,
    Grpc,
    Grpcs,
    Ws,
    Wss,
}

impl Protocol {
    /// `None` for names of protocols that are not proxied here (`tcp`, `tls`…).
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "http" => Self::Http,
            "https" => Self::Https,
            "grpc" => Self::Grpc,
            "grpcs" => Self::Grpcs,
            "ws" => Self::Ws,
            "wss" => Self::Wss,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Grpc => "grpc",
            Self::Grpcs => "grpcs",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Whether it runs over TLS.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Https | Self::Grpcs | Self::Wss)
    }

    /// Whether it is HTTP/2 with what gRPC asks of it.
    pub fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::Grpcs)
    }
}

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols(u8);

impl Protocols {
    pub fn contains(self, protocol: Protocol) -> bool {
        self.0 & (1 << protocol as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any of them is a gRPC.
    pub fn speaks_grpc(self) -> bool {
        self.contains(Protocol::Grpc) || self.contains(Protocol::Grpcs)
    }
}

impl FromIterator<Protocol> for Protocols {
    fn from_iter<I: IntoIterator<Item = Protocol>>(protocols: I) -> Self {
        Self(protocols.into_iter().fold(0, |set, protocol| set | 1 << protocol as u8))
    }
}

/// The two ways Kong joins a service path with what is left of a request path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathHandling {
    #[default]
    V0,
    V1,
}

/// A value of a route's `headers`: one of the listed values, or (given alone) a regular expression after `~*`.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Lower-cased; compares without regard to case.
    Values(Vec<String>),
    Regex(Regex),
}

/// A route. Texts that match without regard to case are lower-cased here.
#[derive(Clone, Debug)]
pub struct RouteSpec {
    pub id: Uuid,
    pub name: Option<String>,
    pub service: Option<Uuid>,
    pub protocols: Protocols,
    pub methods: Vec<String>,
    /// `x.org`, `x.org:8000`, `*.x.org`, `x.*`.
    pub hosts: Vec<String>,
    /// A prefix, or a regular expression after `~`.
    pub paths: Vec<String>,
    pub headers: Vec<(String, Pattern)>,
    pub snis: Vec<String>,
    pub https_redirect_status_code: u16,
    pub regex_priority: i64,
    pub strip_path: bool,
    pub path_handling: PathHandling,
    pub preserve_host: bool,
    /// Seconds since the epoch; the older route wins a tie.
    pub created_at: i64,
}

/// A service: where a route's calls go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    pub id: Uuid,
    pub name: Option<String>,
    pub protocol: Protocol,
    pub host: String,
    pub port: u16,
    pub path: Option<String>,
    pub retries: u16,
    pub connect_timeout: Duration,
    pub write_timeout: Duration,
    pub read_timeout: Duration,
    /// `None`: the gateway's default, which is not to verify (as Kong's).
    pub tls_verify: Option<bool>,
    pub tls_verify_depth: Option<u8>,
    pub client_certificate: Option<Uuid>,
    pub ca_certificates: Vec<Uuid>,
    pub enabled: bool,
}
