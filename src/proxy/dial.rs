//! Making connections to upstreams: addresses, sockets, TLS.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tracing::field::display;
use tracing::warn;

use super::counts::Counts;
use super::failure::Failure;
use super::io::{Io, Socket};
use super::link::Link;
use super::names::Names;
use super::snapshot::Upstream;
use crate::telemetry::TraceId;

/// For whom a connection is made, where it is for a call: so that the log can name it.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub request_id: &'a str,
    pub trace_id: Option<TraceId>,
}

/// A new connection, TLS included, within the service's `connect_timeout`.
pub(super) async fn dial(
    upstream: &Upstream,
    names: &Rc<Names>,
    counts: &Arc<Counts>,
    asker: Asker<'_>,
) -> Result<Box<Link>, Failure> {
    match timeout(upstream.spec.connect_timeout, connect(upstream, names, Some(asker))).await {
        Ok(made) => made.map(|io| Box::new(Link::new(io, counts))),
        Err(_) => Err(Failure::TimedOut),
    }
}

pub(super) async fn connect(upstream: &Upstream, names: &Rc<Names>, asker: Option<Asker<'_>>) -> Result<Io, Failure> {
    let addresses = names.resolve(&upstream.spec.host, upstream.spec.port).await?;
    let stream = open(&addresses, names, upstream.spec.connect_timeout).await?;
    // Requests are written whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    match &upstream.tls {
        None => Ok(Io::Plain(Socket(stream))),
        Some(Err(())) => Err(Failure::Handshake),
        Some(Ok((config, name))) => {
            let connector = TlsConnector::from(config.clone());
            let stream = connector.connect(name.clone(), Socket(stream)).await.map_err(|error| {
                let request_id = asker.map(|asker| asker.request_id);
                let trace_id = asker.and_then(|asker| asker.trace_id).map(display);
                warn!(request_id, trace_id, service.id = %upstream.spec.id, %error, "TLS handshake with the upstream failed");
                Failure::Handshake
            })?;
            Ok(Io::Tls(Box::new(stream.into())))
        }
    }
}

/// The first of the addresses that takes a connection. One that says nothing must leave time for the others.
async fn open(addresses: &[SocketAddr], names: &Names, limit: Duration) -> Result<TcpStream, Failure> {
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    for address in addresses {
        match timeout(share, TcpStream::connect(*address)).await {
            Ok(Ok(stream)) => {
                names.note(*address, true);
                return Ok(stream);
            }
            Ok(Err(_)) | Err(_) => names.note(*address, false),
        }
    }
    Err(Failure::Refused)
}
