//! Making connections to upstreams: names, sockets, TLS.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::failure::Failure;
use super::io::Io;
use super::link::Link;
use super::snapshot::Upstream;

/// How long an answer of the resolver is used without asking again.
const FRESH: Duration = Duration::from_secs(5);
/// How long it is used when the resolver does not answer.
const STALE: Duration = Duration::from_secs(300);
/// Most names remembered.
const MAX_NAMES: usize = 4096;

/// Addresses of upstream hosts, as one worker lately learnt them.
#[derive(Default)]
pub(super) struct Names {
    known: RefCell<HashMap<String, (Vec<IpAddr>, Instant)>>,
    turn: std::cell::Cell<usize>,
}

impl Names {
    /// The addresses of a host, beginning with another one each time.
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(vec![address]);
        }
        let remembered = |limit| {
            let known = self.known.borrow();
            let (addresses, learnt) = known.get(host)?;
            (learnt.elapsed() < limit).then(|| addresses.clone())
        };
        let mut addresses = match remembered(FRESH) {
            Some(addresses) => addresses,
            None => match lookup_host((host, 0)).await {
                Ok(found) => self.learn(host, found.map(|address| address.ip()).collect()),
                Err(_) => remembered(STALE).ok_or(Failure::Resolve)?,
            },
        };
        if addresses.is_empty() {
            return Err(Failure::Resolve);
        }
        self.turn.set(self.turn.get().wrapping_add(1));
        let turn = self.turn.get() % addresses.len();
        addresses.rotate_left(turn);
        Ok(addresses)
    }

    fn learn(&self, host: &str, addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let mut known = self.known.borrow_mut();
        if known.len() >= MAX_NAMES {
            known.clear();
        }
        known.insert(host.to_owned(), (addresses.clone(), Instant::now()));
        addresses
    }
}

/// A new connection, TLS included, within the service's `connect_timeout`.
pub(super) async fn dial(upstream: &Upstream, names: &Names) -> Result<Box<Link>, Failure> {
    match timeout(upstream.spec.connect_timeout, connect(upstream, names)).await {
        Ok(made) => made.map(|io| Box::new(Link::new(io))),
        Err(_) => Err(Failure::TimedOut),
    }
}

pub(super) async fn connect(upstream: &Upstream, names: &Names) -> Result<Io, Failure> {
    let addresses = names.resolve(&upstream.spec.host).await?;
    let stream = open(&addresses, upstream.spec.port).await?;
    // Requests are written whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    match &upstream.tls {
        None => Ok(Io::Plain(stream)),
        Some(Err(())) => Err(Failure::Handshake),
        Some(Ok((config, name))) => {
            let connector = TlsConnector::from(config.clone());
            let stream = connector.connect(name.clone(), stream).await.map_err(|error| {
                tracing::warn!(service.id = %upstream.spec.id, %error, "TLS handshake with the upstream failed");
                Failure::Handshake
            })?;
            Ok(Io::Tls(Box::new(stream.into())))
        }
    }
}

async fn open(addresses: &[IpAddr], port: u16) -> Result<TcpStream, Failure> {
    for address in addresses {
        if let Ok(stream) = TcpStream::connect(SocketAddr::new(*address, port)).await {
            return Ok(stream);
        }
    }
    Err(Failure::Refused)
}
