//! The developer portal: its use cases, its face, its server.

use std::io;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tracing::warn;

use super::error::Failure;
use super::listeners::Bound;
use crate::config::Settings;
use crate::engine::Node;
use crate::engine::accounts::{AccountSettings, Accounts, Outbox};
use crate::engine::registration::Registration;
use crate::mail::Transport;
use crate::portal::{self, Desk, Face, PortalState};

/// Threads that serve it; slow hashes have threads of their own.
const WORKERS: usize = 2;

/// The use cases of developers' accounts; starts the mailer. `portal_url`: where the portal is, unless the settings say.
/// `is_dev`: this is somebody's own machine, and mails that nobody sends are shown in the log.
///
/// # Errors
/// Settings of mail that cannot be used.
pub(super) fn accounts(
    settings: &Settings,
    node: &Node,
    registration: Registration,
    portal_url: String,
    is_dev: bool,
) -> Result<Accounts, Failure> {
    let transport = Transport::of(&settings.mail).map_err(Failure::setting)?;
    let kept = matches!(transport, Transport::Kept);
    if settings.portal.enabled && kept && !is_dev {
        warn!("smtp.url is not set: mails of the portal are kept in the database and sent to nobody");
    }
    if Transport::tells_password_openly(&settings.mail) {
        warn!("smtp.url sends its password unencrypted: add ?tls=required, or use smtps://");
    }
    let outbox = Outbox::start(node, transport, is_dev);
    Ok(Accounts::new(node.clone(), registration, outbox, AccountSettings::of(settings, portal_url)))
}

/// `shows_mails`: to whoever asks.
pub(super) fn face(settings: &Settings, shows_mails: bool) -> Face {
    let portal = &settings.portal;
    let loopback = portal.listen.iter().chain(&portal.listen_tls).all(|address| address.ip().is_loopback());
    Face {
        own_origin: settings.portal.own_origin(),
        cors_origins: settings.portal.cors_origins.clone(),
        secure_cookies: settings.portal.secure_cookies,
        loopback_names_only: shows_mails && loopback,
        trusted: settings.proxy_trusted_ips.clone(),
        app_auth: settings.portal.app_auth.name(),
    }
}

/// What the pages need beside. `proxy`: where developers on this machine reach the proxy, unless the settings say.
pub(super) fn desk(
    settings: &Settings,
    node: &Node,
    accounts: &Accounts,
    registration: Registration,
    proxy: String,
) -> Desk {
    Desk {
        accounts: accounts.clone(),
        registration,
        keyring: std::sync::Arc::clone(&node.keyring),
        face: face(settings, accounts.shows_mails()),
        // A name that certificates are made for is one that the settings tell.
        insecure: settings.portal.proxy_url.is_none(),
        proxy_url: settings.portal.proxy_url.clone().unwrap_or(proxy),
    }
}

/// # Errors
/// A socket cannot be used.
pub(super) fn server(
    state: Data<PortalState>,
    desk: Data<Desk>,
    plain: Vec<Bound>,
    tls: Vec<Bound>,
    config: Option<rustls::ServerConfig>,
) -> io::Result<Server> {
    let mut server = HttpServer::new(move || {
        let (state, desk) = (state.clone(), desk.clone());
        App::new().wrap(from_fn(portal::guard)).configure(move |config| portal::configure(config, state, desk))
    });
    for bound in plain {
        server = server.listen(bound.socket)?;
    }
    if let Some(config) = config {
        for bound in tls {
            server = server.listen_rustls_0_23(bound.socket, config.clone())?;
        }
    }
    Ok(server.workers(WORKERS).disable_signals().run())
}
