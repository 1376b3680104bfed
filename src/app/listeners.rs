//! Sockets, bound before anything else starts: a port in use is told at once.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use tokio::net::TcpSocket;
use tracing::info;

use super::error::Failure;
use crate::config::Settings;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// A bound socket of a listener, and the name it is logged under (its setting, with `_` for `.listen`).
#[derive(Debug)]
pub(super) struct Bound {
    pub name: &'static str,
    pub address: SocketAddr,
    pub socket: TcpListener,
}

/// Every socket of the gateway.
#[derive(Debug)]
pub(super) struct Listeners {
    pub proxy: Vec<Bound>,
    pub proxy_tls: Vec<Bound>,
    pub admin: Vec<Bound>,
    pub admin_tls: Vec<Bound>,
    pub portal: Vec<Bound>,
    pub portal_tls: Vec<Bound>,
    pub status: Vec<Bound>,
}

impl Listeners {
    /// # Errors
    /// The first address that cannot be listened on, with its setting.
    pub(super) fn bind(settings: &Settings) -> Result<Self, Failure> {
        let portal = &settings.portal;
        let of_portal = |addresses: &[SocketAddr]| if portal.enabled { addresses.to_vec() } else { Vec::new() };
        Ok(Self {
            proxy: bind("proxy", "proxy.listen", &settings.proxy_listen)?,
            proxy_tls: bind("proxy_tls", "proxy.listen_tls", &settings.proxy_listen_tls)?,
            admin: bind("admin", "admin.listen", &settings.admin_listen)?,
            admin_tls: bind("admin_tls", "admin.listen_tls", &settings.admin_listen_tls)?,
            portal: bind("portal", "portal.listen", &of_portal(&portal.listen))?,
            portal_tls: bind("portal_tls", "portal.listen_tls", &of_portal(&portal.listen_tls))?,
            status: bind("status", "status.listen", &settings.status_listen)?,
        })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Bound> {
        let admin = [&self.admin, &self.admin_tls, &self.portal, &self.portal_tls];
        [&self.proxy, &self.proxy_tls].into_iter().chain(admin).chain([&self.status]).flatten()
    }

    /// Where developers on this machine reach the portal, unless the settings say where: `http://127.0.0.1:8003`.
    pub(super) fn portal_url(&self) -> String {
        local_url(&self.portal_tls, &self.portal)
    }

    /// The same of the proxy; over TLS where there is a listener for it, for tokens are given over TLS only.
    pub(super) fn proxy_url(&self) -> String {
        local_url(&self.proxy_tls, &self.proxy)
    }

    /// One line `listening` per socket (runtime.md).
    pub(super) fn announce(addresses: &[(&'static str, SocketAddr)]) {
        for (name, address) in addresses {
            info!(listener = name, address = %address, "listening");
        }
    }
}

fn bind(name: &'static str, setting: &str, addresses: &[SocketAddr]) -> Result<Vec<Bound>, Failure> {
    addresses.iter().map(|address| bind_one(name, setting, *address)).collect()
}

fn bind_one(name: &'static str, setting: &str, address: SocketAddr) -> Result<Bound, Failure> {
    let bound = (|| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(BACKLOG)?.into_std()?;
        Ok(Bound { name, address: socket.local_addr()?, socket })
    })();
    bound.map_err(|error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => ": another program listens there; stop it or choose another port",
            std::io::ErrorKind::PermissionDenied => ": ports below 1024 need privileges; choose another port",
            std::io::ErrorKind::AddrNotAvailable => ": this machine does not have that address",
            _ => "",
        };
        Failure::Failed(format!("{setting}: cannot listen on {address}: {error}{hint}"))
    })
}

fn local_url(tls: &[Bound], plain: &[Bound]) -> String {
    let addresses = tls.iter().map(|bound| ("https", bound.address));
    let mut addresses = addresses.chain(plain.iter().map(|bound| ("http", bound.address)));
    let (scheme, address) = addresses.next().unwrap_or(("http", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
    let (ip, port) = (address.ip(), address.port());
    if ip.is_unspecified() { format!("{scheme}://localhost:{port}") } else { format!("{scheme}://{address}") }
}
