//! What mailed links carry: kept as digests, used once.

use uuid::Uuid;

use crate::domain::{Timestamp, TokenDigest};

use super::mails::{self, NewMail};
use super::store::Outcome;
use super::value::{Row, Statement, count};
use super::{StorageError, Store};

pub(super) const STATEMENTS: &[&str] = &[INSERT, CROWD, FIND, TAKE, DELETE_PURPOSE, DELETE_ALL];

const INSERT: &str = "INSERT INTO mailed_tokens (digest, purpose, email, developer_id, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)";
/// Of one developer and purpose so many links work at a time; the oldest end first.
const CROWD: &str = "DELETE FROM mailed_tokens WHERE developer_id = $1 AND purpose = $2 AND digest NOT IN
    (SELECT digest FROM mailed_tokens WHERE developer_id = $1 AND purpose = $2 ORDER BY created_at DESC, digest LIMIT $3)";
const FIND: &str = "SELECT developer_id, purpose, email, created_at, expires_at FROM mailed_tokens
    WHERE digest = $1 AND expires_at > $2";
const TAKE: &str = "DELETE FROM mailed_tokens WHERE digest = $1 AND purpose = $2 AND expires_at > $3
    RETURNING developer_id, purpose, email, created_at, expires_at";
const DELETE_PURPOSE: &str = "DELETE FROM mailed_tokens WHERE developer_id = $1 AND purpose = $2";
const DELETE_ALL: &str = "DELETE FROM mailed_tokens WHERE developer_id = $1";

const MOST_TOKENS: usize = 5;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To show that the address one registered with is one's own.
    Verification,
    /// To show that the address one wants to have is one's own.
    NewAddress,
    PasswordReset,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Verification, Self::NewAddress, Self::PasswordReset];

    fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::NewAddress => "new-address",
            Self::PasswordReset => "password-reset",
        }
    }
}

/// A link that was mailed and not used yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailedToken {
    pub developer: Uuid,
    pub purpose: Purpose,
    /// The address it was mailed to.
    pub email: String,
    pub created_at: Timestamp,
    /// From then on nobody finds it.
    pub expires_at: Timestamp,
}

impl Store {
    /// Keeps a token with the mail that carries it, both or none.
    ///
    /// # Errors
    /// [`StorageError::ForeignKey`] when the developer has gone.
    pub async fn insert_mailed_token(&self, token: &MailedToken, digest: TokenDigest, mail: &NewMail) -> Outcome<()> {
        if token.email.contains('\0') {
            return Err(StorageError::Unstorable { field: "email".to_owned() });
        }
        let (developer, purpose) = (token.developer, token.purpose.name());
        let params = vec![
            digest.into(),
            purpose.into(),
            token.email.as_str().into(),
            developer.into(),
            token.created_at.into(),
            token.expires_at.into(),
        ];
        let statements = vec![
            Statement::new(INSERT, params),
            Statement::new(CROWD, vec![developer.into(), purpose.into(), count(MOST_TOKENS)]),
            mails::insert(mail, &self.keyring()),
        ];
        self.driver().write(statements).await.map(drop)
    }

    /// What a link is good for; it stays good.
    pub async fn find_mailed_token(&self, digest: TokenDigest) -> Outcome<Option<MailedToken>> {
        let found = self.read(FIND, vec![digest.into(), self.now().into()]).await?.pop();
        found.map(mailed_token).transpose()
    }

    /// Uses up a link: of many who try at once, one gets it.
    pub async fn take_mailed_token(&self, digest: TokenDigest, purpose: Purpose) -> Outcome<Option<MailedToken>> {
        let params = vec![digest.into(), purpose.name().into(), self.now().into()];
        self.write(TAKE, params).await?.pop().map(mailed_token).transpose()
    }

    /// Ends every link that was mailed to a developer. The mail about it is kept with it, both or none.
    pub async fn end_links(&self, developer: Uuid, mail: &NewMail) -> Outcome<()> {
        let ended = Statement::new(DELETE_ALL, vec![developer.into()]);
        self.driver().write(vec![ended, mails::insert(mail, &self.keyring())]).await.map(drop)
    }
}

/// Ends every link of a developer for this purpose.
pub(super) fn delete_purpose(developer: Uuid, purpose: Purpose) -> Statement {
    Statement::new(DELETE_PURPOSE, vec![developer.into(), purpose.name().into()])
}

fn mailed_token(row: Row) -> Outcome<MailedToken> {
    let mut columns = row.read("mailed_tokens");
    let (developer, purpose) = (columns.uuid()?, columns.text()?);
    let purpose = Purpose::ALL.into_iter().find(|known| known.name() == purpose);
    let purpose = purpose.ok_or_else(|| columns.fault("its purpose is none"))?;
    Ok(MailedToken {
        developer,
        purpose,
        email: columns.text()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
