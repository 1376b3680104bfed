//! What every page of the portal needs.

use std::sync::Arc;

use crate::domain::Keyring;
use crate::engine::accounts::Accounts;
use crate::engine::registration::Registration;
use crate::pages::{Cookie, Link, Site};
use crate::portal::state::{Face, SESSION};

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
    pub face: Face,
    /// Where developers reach the proxy, without a slash at the end.
    pub proxy_url: String,
    /// Whether the proxy shows a certificate there that nobody knows.
    pub insecure: bool,
}

impl Desk {
    pub(super) fn session_cookie(&self) -> Cookie {
        Cookie { name: SESSION, path: "/", secure: self.face.secure_cookies }
    }

    /// Of who is not logged in: forms are bound to it.
    pub(super) fn visitor_cookie(&self) -> Cookie {
        Cookie { name: "portal_visitor", path: "/", secure: self.face.secure_cookies }
    }
}
