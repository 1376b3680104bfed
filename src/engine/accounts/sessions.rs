//! Sessions: who a cookie stands for.

use rand::random;
use tracing::warn;
use uuid::Uuid;

use super::{AccountError, Accounts, Developer};
use crate::domain::{DeveloperStatus, PlainToken, Secret, Timestamp, TokenDigest};
use crate::storage::{Session, SessionHolder, StorageError};

/// Seconds after its last use until a session ends.
pub const IDLE_SECONDS: i64 = 3600;
/// Seconds after its beginning until it ends however much it is used.
const ABSOLUTE_SECONDS: i64 = 12 * 3600;
/// A use is written down when the last one that was is so many seconds old: most requests write nothing.
const TOUCHED_EVERY: i64 = 60;

/// A session that has just begun.
#[derive(Debug)]
pub struct Begun {
    /// The value of the cookie; nobody else has it.
    pub cookie: PlainToken,
    pub session: Session,
}

/// A request of someone who is logged in.
#[derive(Clone, Debug)]
pub struct Visit {
    pub session: Session,
    pub developer: Developer,
}

impl Accounts {
    /// Begins a session. The cookie's value is new, so that nobody can have planted it.
    ///
    /// # Errors
    /// [`AccountError::WrongCredentials`] when the developer has just been deleted.
    pub async fn begin_session(&self, holder: SessionHolder) -> Result<Begun, AccountError> {
        let node = &self.0.node;
        let (cookie, now) = (node.keyring.mint(random()), node.clock.now());
        let expires_at = end(now, now);
        let session = Session { id: Uuid::now_v7(), holder, created_at: now, seen_at: now, expires_at };
        let digest = node.keyring.digest(cookie.reveal().as_bytes());
        match node.store.insert_session(&session, digest).await {
            Ok(()) => Ok(Begun { cookie, session }),
            Err(StorageError::ForeignKey { .. }) => Err(AccountError::WrongCredentials),
            Err(error) => Err(error.into()),
        }
    }

    /// The session of a cookie, its end moved by this use. `None`: there is none (any more).
    ///
    /// # Errors
    /// The store failed.
    pub async fn session(&self, cookie: &Secret) -> Result<Option<Session>, AccountError> {
        let Some(digest) = self.digest_of(cookie) else { return Ok(None) };
        let store = &self.0.node.store;
        let Some(mut session) = store.find_session(digest).await? else { return Ok(None) };
        let now = self.0.node.clock.now();
        if session.seen_at.plus_seconds(TOUCHED_EVERY) <= now {
            let expires_at = end(session.created_at, now);
            match store.touch_session(session.id, now, expires_at).await {
                Ok(true) => (session.seen_at, session.expires_at) = (now, expires_at),
                Ok(false) => return Ok(None),
                // It is good all the same; the next use tries again.
                Err(error) => warn!(%error, "the use of a session was not written down"),
            }
        }
        Ok(Some(session))
    }

    /// The developer whom a cookie of the portal stands for. `None`: nobody, or one who may not be here any more.
    ///
    /// # Errors
    /// The store failed.
    pub async fn visit(&self, cookie: &Secret) -> Result<Option<Visit>, AccountError> {
        let Some(session) = self.session(cookie).await? else { return Ok(None) };
        let SessionHolder::Developer(id) = session.holder else { return Ok(None) };
        let developer = self.find_by_id(id).await?;
        let developer = developer.filter(|developer| developer.status == DeveloperStatus::Approved);
        Ok(developer.map(|developer| Visit { session, developer }))
    }

    /// The admin token (by its digest) that a cookie of the console stands for. Whether it is still one is for the caller
    /// to ask.
    ///
    /// # Errors
    /// The store failed.
    pub async fn admin_session(&self, cookie: &Secret) -> Result<Option<(Session, TokenDigest)>, AccountError> {
        let session = self.session(cookie).await?;
        Ok(session.and_then(|session| match session.holder {
            SessionHolder::Admin(token) => Some((session, token)),
            SessionHolder::Developer(_) => None,
        }))
    }

    /// Ends the session of a cookie; one that has ended is no error.
    ///
    /// # Errors
    /// The store failed, and the session goes on.
    pub async fn log_out(&self, cookie: &Secret) -> Result<(), AccountError> {
        if let Some(digest) = self.digest_of(cookie) {
            self.0.node.store.end_session(digest).await?;
        }
        Ok(())
    }
}

/// When a session ends that is used now.
fn end(created_at: Timestamp, now: Timestamp) -> Timestamp {
    now.plus_seconds(IDLE_SECONDS).min(created_at.plus_seconds(ABSOLUTE_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_an_hour_after_its_use_and_twelve_after_its_beginning() {
        let begun = Timestamp::from_seconds(0);
        let at = |hours: i64| Timestamp::from_seconds(hours * 3600);
        assert_eq!(end(begun, begun), at(1));
        assert_eq!(end(begun, at(10)), at(11));
        assert_eq!(end(begun, Timestamp::from_seconds(11 * 3600 + 1800)), at(12));
    }
}
