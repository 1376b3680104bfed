//! Who is logged in: a developer in the portal, or the holder of an admin token in the console.

use uuid::Uuid;

use crate::domain::{Timestamp, TokenDigest};

use super::Store;
use super::mailed_tokens::{self, Purpose};
use super::mails::{self, NewMail};
use super::store::Outcome;
use super::value::{Row, Statement, count};

pub(super) const STATEMENTS: &[&str] = &[INSERT, CROWD, FIND, TOUCH, END, END_OTHERS];

const INSERT: &str =
    "INSERT INTO sessions (id, digest, developer_id, admin_token_digest, created_at, seen_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
/// A developer has so many sessions at most; the oldest end first.
const CROWD: &str = "DELETE FROM sessions WHERE developer_id = $1 AND id NOT IN
    (SELECT id FROM sessions WHERE developer_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2)";
const FIND: &str = "SELECT id, developer_id, admin_token_digest, created_at, seen_at, expires_at FROM sessions
    WHERE digest = $1 AND expires_at > $2";
/// What has ended stays ended.
const TOUCH: &str = "UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE id = $1 AND expires_at > $2 RETURNING id";
const END: &str = "DELETE FROM sessions WHERE digest = $1 RETURNING id";
const END_OTHERS: &str = "DELETE FROM sessions WHERE developer_id = $1 AND id <> $2 RETURNING id";

const MOST_SESSIONS: usize = 32;

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionHolder {
    Developer(Uuid),
    /// The digest of the admin token that was shown: the session ends with the token.
    Admin(TokenDigest),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// UUID v7.
    pub id: Uuid,
    pub holder: SessionHolder,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    /// From then on nobody finds it.
    pub expires_at: Timestamp,
}

impl Store {
    /// Begins a session, found by the digest of its cookie.
    ///
    /// # Errors
    /// [`super::StorageError::ForeignKey`] when the developer has gone.
    pub async fn insert_session(&self, session: &Session, digest: TokenDigest) -> Outcome<()> {
        let (developer, admin) = match session.holder {
            SessionHolder::Developer(id) => (Some(id), None),
            SessionHolder::Admin(token) => (None, Some(token)),
        };
        let params = vec![
            session.id.into(),
            digest.into(),
            developer.into(),
            admin.into(),
            session.created_at.into(),
            session.seen_at.into(),
            session.expires_at.into(),
        ];
        let mut statements = vec![Statement::new(INSERT, params)];
        if let Some(developer) = developer {
            statements.push(Statement::new(CROWD, vec![developer.into(), count(MOST_SESSIONS)]));
        }
        self.driver().write(statements).await.map(drop)
    }

    /// The session of a cookie, if it has not ended.
    pub async fn find_session(&self, digest: TokenDigest) -> Outcome<Option<Session>> {
        let found = self.read(FIND, vec![digest.into(), self.now().into()]).await?.pop();
        found.map(session).transpose()
    }

    /// Remembers that a session was used, and moves its end. False: it has ended meanwhile, and stays so.
    pub async fn touch_session(&self, id: Uuid, seen_at: Timestamp, expires_at: Timestamp) -> Outcome<bool> {
        let touched = self.write(TOUCH, vec![id.into(), seen_at.into(), expires_at.into()]).await?;
        Ok(!touched.is_empty())
    }

    /// Ends the session of a cookie; false when there was none.
    pub async fn end_session(&self, digest: TokenDigest) -> Outcome<bool> {
        Ok(!self.write(END, vec![digest.into()]).await?.is_empty())
    }

    /// Ends what an old password or address had begun: every session but `keep`, every mailed link to a new password. The
    /// mails about it are kept with it, all or none. Gives the number of sessions ended.
    pub async fn end_sessions(&self, developer: Uuid, keep: Option<Uuid>, mails: &[NewMail]) -> Outcome<usize> {
        let keep = keep.unwrap_or_default();
        let mut statements = vec![
            Statement::new(END_OTHERS, vec![developer.into(), keep.into()]),
            mailed_tokens::delete_purpose(developer, Purpose::PasswordReset),
        ];
        statements.extend(mails.iter().map(|mail| mails::insert(mail, &self.keyring())));
        let answers = self.driver().write(statements).await?;
        Ok(answers.first().map_or(0, Vec::len))
    }
}

fn session(row: Row) -> Outcome<Session> {
    let mut columns = row.read("sessions");
    let (id, developer, admin) = (columns.uuid()?, columns.maybe_uuid()?, columns.maybe_bytes()?);
    let admin = admin.and_then(|bytes| bytes.try_into().ok()).map(TokenDigest);
    let holder = match (developer, admin) {
        (Some(developer), None) => SessionHolder::Developer(developer),
        (None, Some(admin)) => SessionHolder::Admin(admin),
        _ => return Err(columns.fault("it is not of one developer or one admin token")),
    };
    let (created_at, seen_at, expires_at) = (columns.time()?, columns.time()?, columns.time()?);
    Ok(Session { id, holder, created_at, seen_at, expires_at })
}
