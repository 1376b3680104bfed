//! What every page of the portal needs.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;

use crate::domain::{Keyring, Network};
use crate::engine::accounts::Accounts;
use crate::engine::registration::Registration;
use crate::pages::{Cookie, Link, Site};

pub(super) static SITE: Site = Site {
    name: "Developer portal",
    home: "/",
    account: "/account",
    log_out: "/account/logout",
    assets: "/assets",
    foot: "Developer portal, served by tollgate.",
    public: &[
        Link { path: "/catalog", text: "Services" },
        Link { path: "/account/login", text: "Log in" },
        Link { path: "/account/register", text: "Sign up" },
    ],
    private: &[Link { path: "/catalog", text: "Services" }, Link { path: "/apps", text: "My applications" }],
};

/// Shared by the workers of the portal's listeners.
pub struct Desk {
    pub accounts: Accounts,
    pub registration: Registration,
    pub keyring: Arc<Keyring>,
    /// Where developers reach the proxy, without a slash at the end.
    pub proxy_url: String,
    /// Whether the proxy shows a self-signed certificate there.
    pub insecure: bool,
    /// Whether a page shows the mails that would have been sent (`tollgate dev`).
    pub shows_mails: bool,
    pub secure_cookies: bool,
    pub trusted: Vec<Network>,
}

impl Desk {
    pub(super) fn session_cookie(&self) -> Cookie {
        Cookie { name: "portal_session", path: "/", secure: self.secure_cookies }
    }

    /// Of who is not logged in: forms are bound to it.
    pub(super) fn visitor_cookie(&self) -> Cookie {
        Cookie { name: "portal_visitor", path: "/", secure: self.secure_cookies }
    }

    /// The client's address: the peer's, or what a trusted peer says last.
    pub(super) fn client(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
        if !self.trusted.iter().any(|network| network.contains(peer)) {
            return peer;
        }
        let forwarded = request.headers().get_all("x-forwarded-for").last().and_then(|value| value.to_str().ok());
        let last = forwarded.and_then(|hops| hops.rsplit(',').next()?.trim().parse().ok());
        last.unwrap_or(peer)
    }
}
