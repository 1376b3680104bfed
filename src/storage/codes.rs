//! Authorization codes: stored by digest. They are used up in `exchange.rs`, together with the issue.

use crate::domain::{Code, CodeState, NewCode, TokenDigest};

use super::revocations::{last_revocation, unrevoked};
use super::store::Outcome;
use super::value::{Row, Value};
use super::{StorageError, Store};

pub(super) const STATEMENTS: &[&str] = &[INSERT, FIND];

const INSERT: &str = concat!(
    "INSERT INTO oauth2_authorization_codes
    (id, digest, credential_id, service_id, plugin_id, scope, authenticated_userid, challenge, challenge_method,
     redirect_uri, family_id, created_at, expires_at, issued_after)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, ",
    last_revocation!(),
    ")"
);
const FIND: &str = concat!(
    "SELECT id, digest, credential_id, service_id, plugin_id, scope, authenticated_userid, challenge,
        challenge_method, redirect_uri, family_id, created_at, expires_at, consumed_at
    FROM oauth2_authorization_codes AS t WHERE digest = $1 AND ",
    unrevoked!("t")
);

impl Store {
    /// # Errors
    /// [`StorageError::ForeignKey`] when its credential, service or plugin has gone.
    pub async fn insert_code(&self, code: &NewCode) -> Outcome<()> {
        if let Some(field) = nul(code) {
            return Err(StorageError::Unstorable { field: field.to_owned() });
        }
        match self.write(INSERT, params(code)).await {
            Ok(_) => Ok(()),
            Err(StorageError::ForeignKey { field, .. }) => {
                let field = field.trim_end_matches("_id").to_owned();
                Err(StorageError::ForeignKey { table: "oauth2_authorization_codes".into(), field })
            }
            Err(other) => Err(other),
        }
    }

    /// Finds a code that no revocation has ended, used or expired as it may be, so that a replay can be told from a
    /// stranger.
    pub async fn find_code(&self, digest: TokenDigest) -> Outcome<Option<Code>> {
        self.read(FIND, vec![digest.into()]).await?.pop().map(code).transpose()
    }
}

fn nul(code: &NewCode) -> Option<&'static str> {
    let texts = [
        ("scope", &code.scope),
        ("authenticated_userid", &code.authenticated_userid),
        ("challenge", &code.challenge),
        ("challenge_method", &code.challenge_method),
        ("redirect_uri", &code.redirect_uri),
    ];
    texts.into_iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.contains('\0'))).map(|(field, _)| field)
}

fn params(code: &NewCode) -> Vec<Value> {
    vec![
        code.id.into(),
        code.digest.into(),
        code.credential_id.into(),
        code.service_id.into(),
        code.plugin_id.into(),
        code.scope.clone().into(),
        code.authenticated_userid.clone().into(),
        code.challenge.clone().into(),
        code.challenge_method.clone().into(),
        code.redirect_uri.clone().into(),
        code.family_id.into(),
        code.created_at.into(),
        code.expires_at.into(),
    ]
}

fn code(row: Row) -> Outcome<Code> {
    let mut columns = row.read("oauth2_authorization_codes");
    let issued = NewCode {
        id: columns.uuid()?,
        digest: columns.digest()?,
        credential_id: columns.uuid()?,
        service_id: columns.maybe_uuid()?,
        plugin_id: columns.uuid()?,
        scope: columns.maybe_text()?,
        authenticated_userid: columns.maybe_text()?,
        challenge: columns.maybe_text()?,
        challenge_method: columns.maybe_text()?,
        redirect_uri: columns.maybe_text()?,
        family_id: columns.uuid()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    };
    let state = columns.maybe_time()?.map_or(CodeState::Unused, |at| CodeState::Redeemed { at });
    Ok(Code { issued, state })
}
