//! Grants that use something up: a code is exchanged, a refresh token rotates or renews. Each is one transaction with
//! one winner; what a replay needs to be recognised is kept apart from live tokens.

use uuid::Uuid;

use crate::domain::{NewToken, RefreshView, Replaced, Timestamp, TokenDigest, TokenPair};

use super::revocations::{last_revocation, unrevoked};
use super::rows::{open, seal};
use super::store::Outcome;
use super::tokens::row;
use super::value::{Row, Statement, Value};
use super::{StorageError, Store};

pub(super) const STATEMENTS: &[&str] = &[
    CONSUME,
    ISSUE_FOR_CODE,
    FIND_REFRESH,
    REPLACE,
    ISSUE_FOR_REFRESH,
    END,
    RENEW,
    FIND_REPLACED,
    PAIR,
    REVOKE,
    FORGET,
];

/// How long a replaced refresh token of a row without an end is remembered.
const ENDLESS_MEMORY_SECONDS: i64 = 90 * 24 * 3600;

const CONSUME: &str = concat!(
    "UPDATE oauth2_authorization_codes AS t SET consumed_at = $2, consumed_by = $3
    WHERE digest = $1 AND consumed_at IS NULL AND expires_at > $2 AND ",
    unrevoked!("t"),
    " RETURNING id"
);
/// That no revocation has ended the code is seen by the statement that takes the number of the last revocation.
const ISSUE_FOR_CODE: &str = concat!(
    "INSERT INTO oauth2_tokens
    (id, credential_id, service_id, token_type, expires_in, access_token_digest, access_token_sealed,
     refresh_token_digest, refresh_token_sealed, authenticated_userid, scope, family_id, custom, created_at, expires_at,
     issued_after)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, ",
    last_revocation!(),
    " WHERE EXISTS (SELECT 1 FROM oauth2_authorization_codes AS t WHERE t.digest = $16 AND t.consumed_by = $17 AND ",
    unrevoked!("t"),
    ") RETURNING id"
);

const FIND_REFRESH: &str = concat!(
    "SELECT id, credential_id, service_id, scope, authenticated_userid, family_id, access_token_digest, expires_at
    FROM oauth2_tokens AS t WHERE refresh_token_digest = $1 AND (expires_at IS NULL OR expires_at > $2) AND ",
    unrevoked!("t")
);

/// Holds the row until the end of the transaction: who revokes its family waits, and then finds the successor; a family
/// revoked before has no row left to hold.
const HOLD: &str = concat!(
    "SELECT id FROM oauth2_tokens AS t
    WHERE refresh_token_digest = $1 AND (expires_at IS NULL OR expires_at > $2) AND ",
    unrevoked!("t")
);
/// The digest is the primary key: of two who rotate the same token, the second inserts nothing.
const REPLACE: &str = concat!(
    "INSERT INTO oauth2_replaced_refresh_tokens
    (digest, credential_id, family_id, successor_id, replaced_at, expires_at)
    SELECT refresh_token_digest, credential_id, COALESCE(family_id, id), $3, $2, COALESCE(expires_at, $4)
    FROM oauth2_tokens AS t WHERE refresh_token_digest = $1 AND (expires_at IS NULL OR expires_at > $2) AND ",
    unrevoked!("t"),
    " ON CONFLICT (digest) DO NOTHING RETURNING digest"
);
/// As for a code: the row that is replaced, the winner of it, and the number of the last revocation are seen at once.
const ISSUE_FOR_REFRESH: &str = concat!(
    "INSERT INTO oauth2_tokens
    (id, credential_id, service_id, token_type, expires_in, access_token_digest, access_token_sealed,
     refresh_token_digest, refresh_token_sealed, authenticated_userid, scope, family_id, custom, created_at, expires_at,
     issued_after)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, ",
    last_revocation!(),
    " WHERE EXISTS (SELECT 1 FROM oauth2_replaced_refresh_tokens AS r
        JOIN oauth2_tokens AS t ON t.refresh_token_digest = r.digest
        WHERE r.digest = $16 AND r.successor_id = $17 AND ",
    unrevoked!("t"),
    ") RETURNING id"
);
/// Only a row that has a successor goes: who rotated it tells the caches.
const END: &str = "DELETE FROM oauth2_tokens WHERE refresh_token_digest = $1
    AND EXISTS (SELECT 1 FROM oauth2_tokens AS s WHERE s.id = $2) RETURNING id";

/// Of two who renew at once, the second finds another access token in the row. It keeps its number: a revocation that
/// ends its refresh token ends the new access token, too.
const RENEW: &str = concat!(
    "UPDATE oauth2_tokens AS t
    SET access_token_digest = $3, access_token_sealed = $4, expires_in = $5, created_at = $6, custom = FALSE
    WHERE id = $1 AND access_token_digest = $2 AND ",
    unrevoked!("t"),
    " RETURNING id"
);

const FIND_REPLACED: &str = "SELECT credential_id, family_id, successor_id, replaced_at
    FROM oauth2_replaced_refresh_tokens WHERE digest = $1";
const PAIR: &str = concat!(
    "SELECT access_token_sealed, refresh_token_sealed, expires_in, service_id FROM oauth2_tokens AS t
    WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2) AND ",
    unrevoked!("t")
);

const REVOKE: &str = "DELETE FROM oauth2_tokens WHERE family_id = $1 RETURNING access_token_digest";
const FORGET: &str = "DELETE FROM oauth2_replaced_refresh_tokens WHERE family_id = $1 RETURNING digest";

impl Store {
    /// Exchanges a code for a token: both happen or neither. False: the code is unknown, ended, or was used before.
    pub async fn exchange_code(&self, code: TokenDigest, token: &NewToken, now: Timestamp) -> Outcome<bool> {
        let consume = Statement::new(CONSUME, vec![code.into(), now.into(), token.id.into()]);
        let issue = Statement::new(ISSUE_FOR_CODE, self.issue(token, code)?);
        let done = self.driver().write(vec![consume, issue]).await?;
        Ok(done.iter().all(|rows| !rows.is_empty()))
    }

    /// The live row of a refresh token.
    pub async fn find_refresh(&self, refresh_token: TokenDigest, now: Timestamp) -> Outcome<Option<RefreshView>> {
        self.read(FIND_REFRESH, vec![refresh_token.into(), now.into()]).await?.pop().map(refresh_view).transpose()
    }

    /// Replaces the row of a refresh token by a new pair. False: another rotation came first, or the row has gone.
    pub async fn rotate(&self, old: TokenDigest, token: &NewToken, now: Timestamp) -> Outcome<bool> {
        let memory = now.plus_seconds(ENDLESS_MEMORY_SECONDS);
        let hold = Statement::new(holding(self.dialect().hold), vec![old.into(), now.into()]);
        let replace = Statement::new(REPLACE, vec![old.into(), now.into(), token.id.into(), memory.into()]);
        let issue = Statement::new(ISSUE_FOR_REFRESH, self.issue(token, old)?);
        let end = Statement::new(END, vec![old.into(), token.id.into()]);
        let done = self.driver().write(vec![hold, replace, issue, end]).await?;
        Ok(done.iter().all(|rows| !rows.is_empty()))
    }

    /// Gives the row of a refresh token that is kept (`reuse_refresh_token`) a new access token. False: another renewal
    /// came first.
    pub async fn renew(&self, old: &RefreshView, token: &NewToken) -> Outcome<bool> {
        let keyring = self.keyring();
        let access_token = token.access_token.reveal();
        let params = vec![
            old.id.into(),
            old.access_token.into(),
            keyring.digest(access_token.as_bytes()).into(),
            seal(&keyring, access_token, "oauth2_tokens.access_token"),
            token.expires_in.into(),
            token.created_at.into(),
        ];
        Ok(!self.write(RENEW, params).await?.is_empty())
    }

    /// What became of a refresh token that rotation replaced.
    pub async fn find_replaced(&self, refresh_token: TokenDigest) -> Outcome<Option<Replaced>> {
        self.read(FIND_REPLACED, vec![refresh_token.into()]).await?.pop().map(replaced).transpose()
    }

    /// The pair of a live row, opened.
    pub async fn find_pair(&self, id: Uuid, now: Timestamp) -> Outcome<Option<TokenPair>> {
        let Some(found) = self.read(PAIR, vec![id.into(), now.into()]).await?.pop() else { return Ok(None) };
        let keyring = self.keyring();
        let mut columns = found.read("oauth2_tokens");
        let access_token = open(&keyring, columns.bytes()?, "oauth2_tokens.access_token")?.into();
        let refresh_token = columns.maybe_bytes()?;
        let refresh_token = refresh_token.map(|sealed| open(&keyring, sealed, "oauth2_tokens.refresh_token"));
        let refresh_token = refresh_token.transpose()?.map(Into::into);
        let (expires_in, service_id) = (columns.int()?, columns.maybe_uuid()?);
        Ok(Some(TokenPair { access_token, refresh_token, expires_in, service_id }))
    }

    /// Ends every token of a family; gives the digests of the access tokens that no cache may answer any more.
    pub async fn revoke_family(&self, family: Uuid) -> Outcome<Vec<TokenDigest>> {
        // The first waits for a rotation under way; only a statement begun after that sees what the rotation stored.
        let revoke = || Statement::new(REVOKE, vec![family.into()]);
        let forget = Statement::new(FORGET, vec![family.into()]);
        let done = self.driver().write(vec![revoke(), revoke(), forget]).await?;
        let revoked = done.into_iter().take(2).flatten();
        revoked.map(|row| row.read("oauth2_tokens").digest()).collect()
    }

    /// The parameters of an issue that hangs on what `used` names.
    fn issue(&self, token: &NewToken, used: TokenDigest) -> Outcome<Vec<Value>> {
        if let Some(field) = super::tokens::nul(token) {
            return Err(StorageError::Unstorable { field: field.to_owned() });
        }
        let mut params = row(token, &self.keyring());
        params.extend([used.into(), token.id.into()]);
        Ok(params)
    }
}

/// The statement that holds the row of a refresh token.
pub(super) fn holding(hold: &str) -> String {
    format!("{HOLD}{hold}")
}

fn refresh_view(row: Row) -> Outcome<RefreshView> {
    let mut columns = row.read("oauth2_tokens");
    Ok(RefreshView {
        id: columns.uuid()?,
        credential_id: columns.uuid()?,
        service_id: columns.maybe_uuid()?,
        scope: columns.maybe_text()?,
        authenticated_userid: columns.maybe_text()?,
        family_id: columns.maybe_uuid()?,
        access_token: columns.digest()?,
        expires_at: columns.maybe_time()?,
    })
}

fn replaced(row: Row) -> Outcome<Replaced> {
    let mut columns = row.read("oauth2_replaced_refresh_tokens");
    Ok(Replaced {
        credential_id: columns.uuid()?,
        family_id: columns.uuid()?,
        successor_id: columns.uuid()?,
        replaced_at: columns.time()?,
    })
}
