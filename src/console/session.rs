//! Who is logged in to the console: a cookie, of which the store keeps a digest, and the admin token behind it.

use std::net::IpAddr;

use actix_web::HttpRequest;

use super::state::ConsoleState;
use crate::admin::AdminIdentity;
use crate::domain::Secret;
use crate::engine::accounts::AccountError;

/// Somebody who is logged in.
pub(super) struct Session {
    pub cookie: Secret,
    pub who: AdminIdentity,
}

/// The session of a request, if its admin token is still one.
///
/// # Errors
/// The store is away.
pub(super) async fn find(state: &ConsoleState, request: &HttpRequest) -> Result<Option<Session>, AccountError> {
    let Some(cookie) = state.session_cookie().read(request) else { return Ok(None) };
    let Some((_, token)) = state.accounts.admin_session(&cookie).await? else { return Ok(None) };
    match state.admin.surroundings.find_admin_digest(token).await? {
        Some(who) => Ok(Some(Session { cookie, who })),
        None => {
            state.accounts.log_out(&cookie).await?;
            Ok(None)
        }
    }
}

/// Whose attempts are counted together: an address, or the network that one IPv6 user has to themselves.
pub(super) fn origin(request: &HttpRequest) -> IpAddr {
    match request.peer_addr().map(|peer| peer.ip()) {
        Some(IpAddr::V6(address)) => IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()),
        Some(address) => address,
        None => IpAddr::from([0; 4]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn attempts_of_one_network_are_counted_together() {
        let origin = |peer: &str| origin(&TestRequest::get().peer_addr(peer.parse().unwrap()).to_http_request());
        assert_eq!(origin("[2001:db8::1]:1"), origin("[2001:db8::2]:9"));
        assert_ne!(origin("[2001:db8::1]:1"), origin("[2001:db8:0:1::1]:1"));
        assert_ne!(origin("10.0.0.1:1"), origin("10.0.0.2:1"));
    }
}
