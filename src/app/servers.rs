//! The listeners' servers: the proxy on its workers, the portal on two threads, the Admin API and the status paths on one
//! thread each.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::Data;
use actix_web::{App, HttpServer};

use super::error::Failure;
use super::listeners::{Bound, Listeners};
use super::portal;
use super::snapshot::Publisher;
use super::status;
use super::surroundings::NodeSurroundings;
use super::vitals::Vitals;
use crate::admin::{self, AdminState, Exposure};
use crate::config::Settings;
use crate::console::{self, ConsoleState};
use crate::engine::Node;
use crate::engine::accounts::Accounts;
use crate::engine::registration::Registration;
use crate::portal::PortalState;
use crate::proxy::{Listener, Workers};

pub(super) struct Servers {
    pub proxy: Workers,
    pub admin: ServerHandle,
    /// `None`: it is not enabled.
    pub portal: Option<ServerHandle>,
    pub status: ServerHandle,
}

/// What the servers are made of.
pub(super) struct Parts {
    pub settings: Settings,
    pub accounts: Accounts,
    /// With the doors to invitations and mails.
    pub registration: Registration,
    pub node: Node,
    pub vitals: Vitals,
    pub publisher: Arc<Publisher>,
    pub surroundings: Arc<NodeSurroundings>,
}

impl Servers {
    /// Starts serving on every socket.
    ///
    /// # Errors
    /// A socket cannot be used, or TLS has no certificate.
    pub(super) fn start(listeners: Listeners, parts: Parts) -> Result<Self, Failure> {
        let Parts { settings, accounts, registration, node, vitals, publisher, surroundings } = parts;
        let own_tls = |sockets: &[Bound], setting: &str| match sockets.is_empty() {
            true => Ok(None),
            false => publisher.own_tls(setting).map(Some),
        };
        let admin_tls = own_tls(&listeners.admin_tls, "admin.listen_tls")?;
        let portal_tls = own_tls(&listeners.portal_tls, "portal.listen_tls")?;
        let proxy_url = listeners.proxy_url();
        let proxy = proxy(&settings, listeners.proxy, listeners.proxy_tls, &publisher).map_err(Failure::failed)?;
        let exposure = match (settings.admin_is_loopback(), settings.admin_allow_insecure) {
            (true, _) => Exposure::Loopback,
            (false, true) => Exposure::Insecure,
            (false, false) => Exposure::Tokens,
        };
        let state = Data::new(AdminState::new(registration.clone(), exposure, surroundings));
        let secure = settings.portal.secure_cookies;
        let console = Data::new(ConsoleState::new(state.clone(), node.clone(), accounts.clone(), secure));
        let admin = admin(state, console, listeners.admin, listeners.admin_tls, admin_tls).map_err(Failure::failed)?;
        let status = status(vitals, listeners.status).map_err(Failure::failed)?;
        let portal = match settings.portal.enabled {
            true => {
                let desk = portal::desk(&settings, &node, &accounts, registration.clone(), proxy_url);
                let face = portal::face(&settings, accounts.shows_mails());
                let state = Data::new(PortalState::new(accounts, registration, face));
                let server = portal::server(state, Data::new(desk), listeners.portal, listeners.portal_tls, portal_tls);
                Some(server.map_err(Failure::failed)?)
            }
            false => None,
        };
        let (admin, status) = (running(admin), running(status));
        Ok(Self { proxy, admin, portal: portal.map(running), status })
    }
}

fn running(server: Server) -> ServerHandle {
    let handle = server.handle();
    actix_rt::spawn(server);
    handle
}

fn proxy(
    settings: &Settings,
    plain: Vec<Bound<Listener>>,
    tls: Vec<Bound<Listener>>,
    publisher: &Arc<Publisher>,
) -> std::io::Result<Workers> {
    let listeners = plain.into_iter().chain(tls).map(|bound| bound.socket).collect();
    publisher.gateway.serve(settings.proxy_workers, listeners)
}

fn admin(
    state: Data<AdminState>,
    console: Data<ConsoleState>,
    plain: Vec<Bound>,
    tls: Vec<Bound>,
    config: Option<rustls::ServerConfig>,
) -> std::io::Result<Server> {
    let mut server = HttpServer::new(move || {
        let (state, console) = (state.clone(), console.clone());
        App::new()
            .configure(move |config| console::configure(config, console))
            .configure(move |config| admin::configure(config, state))
    });
    for bound in plain {
        server = server.listen(bound.socket)?;
    }
    if let Some(config) = config {
        for bound in tls {
            server = server.listen_rustls_0_23(bound.socket, config.clone())?;
        }
    }
    Ok(server.workers(1).disable_signals().run())
}

fn status(vitals: Vitals, sockets: Vec<Bound>) -> std::io::Result<Server> {
    let vitals = Data::new(vitals);
    let mut server = HttpServer::new(move || App::new().app_data(vitals.clone()).configure(status::routes));
    for bound in sockets {
        let socket: TcpListener = bound.socket;
        server = server.listen(socket)?;
    }
    Ok(server.workers(1).disable_signals().run())
}
