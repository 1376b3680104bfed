//! Who is logged in to the console: a cookie, of which the store keeps a digest, and the admin token behind it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use rand::random;
use uuid::Uuid;

use super::state::ConsoleState;
use crate::admin::AdminIdentity;
use crate::domain::{Secret, Timestamp, TokenDigest};
use crate::engine::{self, EngineError, SessionHolder};

/// Seconds without a request after which a session ends.
const IDLE: i64 = 60 * 60;
/// Seconds after which a session ends whatever is done.
const LONGEST: i64 = 12 * 60 * 60;
/// Seconds between two remembered uses, so that not every page is a write.
const TOUCH: i64 = 60;

/// Somebody who is logged in.
pub(super) struct Session {
    pub cookie: Secret,
    pub who: AdminIdentity,
}

fn digest(state: &ConsoleState, cookie: &Secret) -> TokenDigest {
    state.node.keyring.digest(format!("console session {}", cookie.reveal()).as_bytes())
}

/// The session of a request, if its admin token is still one.
///
/// # Errors
/// The store is away.
pub(super) async fn find(state: &ConsoleState, request: &HttpRequest) -> Result<Option<Session>, EngineError> {
    let Some(cookie) = state.session_cookie().read(request) else { return Ok(None) };
    // What is not of our making is not looked for.
    if !state.node.keyring.is_minted(cookie.reveal()) {
        return Ok(None);
    }
    let store = &state.node.store;
    let Some(found) = store.find_session(digest(state, &cookie)).await? else { return Ok(None) };
    let SessionHolder::Admin(token) = found.holder else { return Ok(None) };
    let Some(who) = state.admin.surroundings.find_admin_digest(token).await? else {
        store.end_session(digest(state, &cookie)).await?;
        return Ok(None);
    };
    let now = state.node.clock.now();
    if now >= found.seen_at.plus_seconds(TOUCH)
        && !store.touch_session(found.id, now, end(found.created_at, now)).await?
    {
        return Ok(None);
    }
    Ok(Some(Session { cookie, who }))
}

/// Begins a session and gives its cookie's value.
///
/// # Errors
/// The store is away.
pub(super) async fn begin(state: &ConsoleState, token: TokenDigest) -> Result<Secret, EngineError> {
    let (cookie, now) = (state.node.keyring.mint(random()), state.node.clock.now());
    let session = engine::Session {
        id: Uuid::now_v7(),
        holder: SessionHolder::Admin(token),
        created_at: now,
        seen_at: now,
        expires_at: end(now, now),
    };
    state.node.store.insert_session(&session, digest(state, &cookie)).await?;
    Ok(cookie)
}

/// # Errors
/// The store is away.
pub(super) async fn end_now(state: &ConsoleState, session: &Session) -> Result<(), EngineError> {
    state.node.store.end_session(digest(state, &session.cookie)).await?;
    Ok(())
}

fn end(begun: Timestamp, seen: Timestamp) -> Timestamp {
    seen.plus_seconds(IDLE).min(begun.plus_seconds(LONGEST))
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
    fn a_session_ends_an_hour_after_its_last_use_and_half_a_day_after_its_first() {
        let begun = Timestamp::from_seconds(1000);
        assert_eq!(end(begun, begun), begun.plus_seconds(3600));
        let late = begun.plus_seconds(11 * 3600 + 1800);
        assert_eq!(end(begun, late), begun.plus_seconds(12 * 3600));
    }

    #[test]
    fn attempts_of_one_network_are_counted_together() {
        let origin = |peer: &str| origin(&TestRequest::get().peer_addr(peer.parse().unwrap()).to_http_request());
        assert_eq!(origin("[2001:db8::1]:1"), origin("[2001:db8::2]:9"));
        assert_ne!(origin("[2001:db8::1]:1"), origin("[2001:db8:0:1::1]:1"));
        assert_ne!(origin("10.0.0.1:1"), origin("10.0.0.2:1"));
    }
}
