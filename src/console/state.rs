//! What the console holds.

use actix_web::web::Data;

use crate::admin::AdminState;
use crate::engine::Node;
use crate::pages::Cookie;

/// What the Admin API holds, and the node. One per listener, shared by its workers.
pub struct ConsoleState {
    pub admin: Data<AdminState>,
    pub node: Node,
    /// Whether cookies are for HTTPS only (`portal.secure_cookies`).
    pub secure_cookies: bool,
}

impl ConsoleState {
    /// Who is logged in.
    pub(super) fn session_cookie(&self) -> Cookie {
        Cookie { name: "console_session", path: "/console", secure: self.secure_cookies }
    }

    /// Whose log-in form it is.
    pub(super) fn visitor_cookie(&self) -> Cookie {
        Cookie { name: "console_visitor", path: "/console", secure: self.secure_cookies }
    }
}
