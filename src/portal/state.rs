//! What the portal holds.

use crate::domain::Network;
use crate::engine::accounts::Accounts;
use crate::engine::registration::Registration;
use crate::pages::Cookie;

/// The cookie of a developer's session.
pub(super) const SESSION: &str = "portal_session";

/// The use cases, and how the portal stands in the world. One per listener, shared by its workers.
pub struct PortalState {
    pub accounts: Accounts,
    /// With the door to mails: whoever is concerned by what is asked for here is told.
    pub registration: Registration,
    pub face: Face,
}

/// How the portal stands in the world.
#[derive(Clone, Debug)]
pub struct Face {
    /// `https://portal.example.com`, where the settings name it: pages of that origin are the portal's own, as are those of
    /// the origin that a request is sent to.
    pub own_origin: Option<String>,
    /// Origins of other pages that may call the API.
    pub cors_origins: Vec<String>,
    pub secure_cookies: bool,
    /// Answer only to names of this machine (and to `own_origin`): for a portal on loopback that shows mails to whoever asks,
    /// so that no page whose name was rebound to this machine reads them.
    pub loopback_names_only: bool,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted: Vec<Network>,
    /// `kong-oauth2` or `external-oauth2`
    pub app_auth: &'static str,
}

impl PortalState {
    pub fn new(accounts: Accounts, registration: Registration, face: Face) -> Self {
        Self { accounts, registration, face }
    }

    /// The cookie of a developer's session.
    pub fn cookie(&self) -> Cookie {
        Cookie { name: SESSION, path: "/", secure: self.face.secure_cookies }
    }
}
