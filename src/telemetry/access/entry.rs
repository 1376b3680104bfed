//! What is told of a request.

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use crate::telemetry::trace::TraceId;

/// A finished request. Bytes of clients are as they were sent; empty where there was nothing, or it was not believed.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    /// Milliseconds since 1970 at which it came.
    pub at_ms: i64,
    pub request_id: &'e str,
    /// `None`: traces are not kept.
    pub trace: Option<TraceId>,
    pub sent: Sent<'e>,
    /// The address of the client, also behind a trusted proxy.
    pub client_ip: IpAddr,
    /// `HTTP/1.1`.
    pub protocol: &'static str,
    pub tls: bool,
    pub status: u16,
    /// Bytes of bodies.
    pub bytes_received: u64,
    pub bytes_sent: u64,
    pub duration: Duration,
    /// Until the request was on its way to the upstream; `None` when it never was.
    pub proxy: Option<Duration>,
    pub upstream: Option<Duration>,
    pub place: Option<&'e Place>,
    pub caller: Option<Caller<'e>>,
    /// Why it was not proxied, or not to its end.
    pub failure: Option<&'static str>,
}

/// What the client says of its request.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'e> {
    pub method: &'e [u8],
    pub host: &'e [u8],
    /// Without the query: that may carry a token.
    pub path: &'e [u8],
    pub user_agent: Option<&'e [u8]>,
    pub referrer: Option<&'e [u8]>,
}

/// Who the call was made for.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'e> {
    pub consumer: Uuid,
    /// Username, or what stands for it.
    pub name: &'e str,
    /// `None`: the consumer is anonymous.
    pub credential: Option<Uuid>,
}

/// A route and its service, as lines tell of them: written once for each, not for each line.
#[derive(Clone, Debug)]
pub struct Place {
    pub(super) json: Box<[u8]>,
}

impl Place {
    /// Each by id and name; a name that is not set is null.
    pub fn new(route: (Uuid, Option<&str>), service: Option<(Uuid, Option<&str>)>) -> Self {
        let mut json = Vec::new();
        super::json::place(Some(route), service, &mut json);
        Self { json: json.into() }
    }
}
