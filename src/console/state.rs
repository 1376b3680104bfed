//! What the console holds.

use std::net::IpAddr;
use std::sync::Mutex;

use actix_web::web::Data;

use crate::admin::AdminState;
use crate::engine::accounts::Accounts;
use crate::engine::{Attempts, Leniency, Node};
use crate::pages::Cookie;

/// Wrong tokens of one address, before it has to wait.
const WRONG_TOKENS: Leniency = Leniency { free: 10, first_lock: 5, longest_lock: 300, memory: 900 };
/// Addresses that are remembered.
const ADDRESSES: usize = 10_000;

/// What the Admin API holds, and the node. One per listener, shared by its workers.
pub struct ConsoleState {
    pub admin: Data<AdminState>,
    pub node: Node,
    pub accounts: Accounts,
    /// Whether cookies are for HTTPS only.
    secure_cookies: bool,
    pub(super) attempts: Mutex<Attempts<IpAddr>>,
}

impl ConsoleState {
    /// `secure_cookies`: whether they are for HTTPS only (`portal.secure_cookies`).
    pub fn new(admin: Data<AdminState>, node: Node, accounts: Accounts, secure_cookies: bool) -> Self {
        Self { admin, node, accounts, secure_cookies, attempts: Mutex::new(Attempts::new(WRONG_TOKENS, ADDRESSES)) }
    }

    /// Who is logged in.
    pub(super) fn session_cookie(&self) -> Cookie {
        Cookie { name: "console_session", path: "/console", secure: self.secure_cookies }
    }

    /// Whose log-in form it is.
    pub(super) fn visitor_cookie(&self) -> Cookie {
        Cookie { name: "console_visitor", path: "/console", secure: self.secure_cookies }
    }
}
