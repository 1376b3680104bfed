//! Sockets, bound before anything else starts: a port in use is told at once.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use tokio::net::TcpSocket;
use tracing::info;

use super::error::Failure;
use crate::config::Settings;
use crate::proxy::Listener;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// A bound socket of a listener, and the name it is logged under (its setting, with `_` for `.listen`).
#[derive(Debug)]
pub(super) struct Bound<S = TcpListener> {
    pub name: &'static str,
    pub address: SocketAddr,
    pub socket: S,
}

/// Every socket of the gateway.
#[derive(Debug)]
pub(super) struct Listeners {
    pub proxy: Vec<Bound<Listener>>,
    pub proxy_tls: Vec<Bound<Listener>>,
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
            proxy: bind_proxy("proxy", "proxy.listen", &settings.proxy_listen, false)?,
            proxy_tls: bind_proxy("proxy_tls", "proxy.listen_tls", &settings.proxy_listen_tls, true)?,
            admin: bind("admin", "admin.listen", &settings.admin_listen)?,
            admin_tls: bind("admin_tls", "admin.listen_tls", &settings.admin_listen_tls)?,
            portal: bind("portal", "portal.listen", &of_portal(&portal.listen))?,
            portal_tls: bind("portal_tls", "portal.listen_tls", &of_portal(&portal.listen_tls))?,
            status: bind("status", "status.listen", &settings.status_listen)?,
        })
    }

    /// Every name and address.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let proxy = [&self.proxy, &self.proxy_tls].into_iter().flatten().map(|bound| (bound.name, bound.address));
        let others = [&self.admin, &self.admin_tls, &self.portal, &self.portal_tls, &self.status];
        proxy.chain(others.into_iter().flatten().map(|bound| (bound.name, bound.address)))
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
    let bind_one = |address: &SocketAddr| {
        let socket = listen(*address).map_err(|error| cannot_listen(setting, *address, &error))?;
        let address = socket.local_addr().map_err(Failure::failed)?;
        Ok(Bound { name, address, socket })
    };
    addresses.iter().map(bind_one).collect()
}

fn bind_proxy(
    name: &'static str,
    setting: &str,
    addresses: &[SocketAddr],
    tls: bool,
) -> Result<Vec<Bound<Listener>>, Failure> {
    let bind_one = |address: &SocketAddr| {
        let socket = Listener::bind(*address, tls).map_err(|error| cannot_listen(setting, *address, &error))?;
        Ok(Bound { name, address: socket.address, socket })
    };
    addresses.iter().map(bind_one).collect()
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn cannot_listen(setting: &str, address: SocketAddr, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => ": another program listens there; stop it or choose another port",
        io::ErrorKind::PermissionDenied => ": ports below 1024 need privileges; choose another port",
        io::ErrorKind::AddrNotAvailable => ": this machine does not have that address",
        _ => "",
    };
    Failure::Failed(format!("{setting}: cannot listen on {address}: {error}{hint}"))
}

fn local_url<S>(tls: &[Bound<S>], plain: &[Bound<S>]) -> String {
    let addresses = tls.iter().map(|bound| ("https", bound.address));
    let mut addresses = addresses.chain(plain.iter().map(|bound| ("http", bound.address)));
    let (scheme, address) = addresses.next().unwrap_or(("http", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
    let (ip, port) = (address.ip(), address.port());
    if ip.is_unspecified() { format!("{scheme}://localhost:{port}") } else { format!("{scheme}://{address}") }
}
