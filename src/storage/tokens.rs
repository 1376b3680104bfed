//! Tokens: many writes in one commit, one read on a miss.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::{Consumer, Keyring, NewToken, PlainToken, TokenDigest, TokenView};

use super::revocations::{last_revocation, unrevoked};
use super::rows::seal;
use super::store::Outcome;
use super::value::{Row, Value, count};
use super::{StorageError, Store};

pub(super) const STATEMENTS: &[&str] = &[INSERT_TOKEN, FIND_TOKEN, CUSTOM_DIGESTS];

pub(super) const INSERT_TOKEN: &str = concat!(
    "INSERT INTO oauth2_tokens
    (id, credential_id, service_id, token_type, expires_in, access_token_digest, access_token_sealed,
     refresh_token_digest, refresh_token_sealed, authenticated_userid, scope, family_id, custom, created_at, expires_at,
     issued_after)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, ",
    last_revocation!(),
    ")"
);

/// Token, credential and consumer at once; `$2` is the present.
const FIND_TOKEN: &str = concat!(
    "SELECT t.id, t.credential_id, COALESCE(t.family_id, t.id), c.client_id, u.id, u.username, u.custom_id,
        t.service_id, t.scope, t.authenticated_userid, t.created_at, t.expires_in, t.expires_at
    FROM oauth2_tokens AS t
    JOIN oauth2_credentials AS c ON c.id = t.credential_id
    JOIN consumers AS u ON u.id = c.consumer_id
    WHERE t.access_token_digest = $1 AND (t.expires_at IS NULL OR t.expires_at > $2) AND ",
    unrevoked!("t", "c.consumer_id")
);

const CUSTOM_DIGESTS: &str = "SELECT id, access_token_digest FROM oauth2_tokens
    WHERE custom = TRUE AND id > $1 ORDER BY id LIMIT $2";

impl Store {
    /// Stores tokens with one commit, durably. Each answer stands at its token's place; a token that breaks a
    /// constraint fails alone.
    pub async fn insert_tokens(&self, tokens: Vec<NewToken>) -> Vec<Outcome<()>> {
        if tokens.is_empty() {
            return Vec::new();
        }
        let keyring = self.keyring();
        let storable: Vec<&NewToken> = tokens.iter().filter(|token| nul(token).is_none()).collect();
        let rows: Vec<Vec<Value>> = storable.iter().map(|token| row(token, &keyring)).collect();
        let mut stored = self.driver().insert_tokens(rows).await.into_iter();
        let mut outcomes = Vec::with_capacity(tokens.len());
        for token in &tokens {
            outcomes.push(match nul(token) {
                Some(field) => Err(StorageError::Unstorable { field: field.to_owned() }),
                None => match stored.next().expect("the driver answers each row") {
                    Ok(()) => Ok(()),
                    Err(error) => Err(self.named(error, token).await),
                },
            });
        }
        outcomes
    }

    /// Finds a live token by the digest of its access token, with its client and consumer.
    pub async fn find_token(&self, access_token: TokenDigest) -> Outcome<Option<TokenView>> {
        let found = self.read(FIND_TOKEN, vec![access_token.into(), self.now().into()]).await?.pop();
        found.map(view).transpose()
    }

    /// Digests of tokens we did not mint, in the order of ids, after the given one.
    pub async fn custom_token_digests(&self, after: Option<Uuid>, limit: usize) -> Outcome<Vec<(Uuid, TokenDigest)>> {
        let found = self.read(CUSTOM_DIGESTS, vec![after.unwrap_or_default().into(), count(limit)]).await?;
        found
            .into_iter()
            .map(|row| {
                let mut columns = row.read("oauth2_tokens");
                Ok((columns.uuid()?, columns.digest()?))
            })
            .collect()
    }

    /// Columns of an error as fields; finds the reference that failed where the database did not say.
    async fn named(&self, error: StorageError, token: &NewToken) -> StorageError {
        let foreign = |field: &str| StorageError::ForeignKey { table: "oauth2_tokens".into(), field: field.into() };
        match error {
            StorageError::Unique { fields } => {
                let field = |column: &String| column.trim_end_matches("_digest").to_owned();
                StorageError::Unique { fields: fields.iter().map(field).collect() }
            }
            StorageError::ForeignKey { field, .. } if !field.is_empty() => foreign(field.trim_end_matches("_id")),
            StorageError::ForeignKey { .. } => {
                let credential = "SELECT 1 FROM oauth2_credentials WHERE id = $1";
                match self.read(credential, vec![token.credential_id.into()]).await {
                    Ok(found) if found.is_empty() => foreign("credential"),
                    Ok(_) => foreign("service"),
                    Err(error) => error,
                }
            }
            other => other,
        }
    }
}

/// The field that no store can keep, if there is one: refused alone, so that it does not take its batch-mates with it.
pub(super) fn nul(token: &NewToken) -> Option<&'static str> {
    let texts = [("authenticated_userid", &token.authenticated_userid), ("scope", &token.scope)];
    texts.into_iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.contains('\0'))).map(|(field, _)| field)
}

/// The parameters of [`INSERT_TOKEN`].
pub(super) fn row(token: &NewToken, keyring: &Keyring) -> Vec<Value> {
    let digest = |token: &PlainToken| keyring.digest(token.reveal().as_bytes());
    let refresh = token.refresh_token.as_ref();
    vec![
        token.id.into(),
        token.credential_id.into(),
        token.service_id.into(),
        "bearer".into(),
        token.expires_in.into(),
        digest(&token.access_token).into(),
        seal(keyring, token.access_token.reveal(), "oauth2_tokens.access_token"),
        refresh.map(digest).into(),
        refresh.map_or(Value::Null, |token| seal(keyring, token.reveal(), "oauth2_tokens.refresh_token")),
        token.authenticated_userid.clone().into(),
        token.scope.clone().into(),
        token.family_id.into(),
        (!keyring.is_minted(token.access_token.reveal())).into(),
        token.created_at.into(),
        token.expires_at.into(),
    ]
}

fn view(row: Row) -> Outcome<TokenView> {
    let mut columns = row.read("oauth2_tokens");
    Ok(TokenView {
        id: columns.uuid()?,
        credential_id: columns.uuid()?,
        family_id: columns.uuid()?,
        client_id: columns.text()?.into(),
        consumer: Arc::new(Consumer {
            id: columns.uuid()?,
            username: columns.maybe_text()?,
            custom_id: columns.maybe_text()?,
        }),
        service_id: columns.maybe_uuid()?,
        scope: columns.maybe_text()?.map(Arc::from),
        authenticated_userid: columns.maybe_text()?,
        created_at: columns.time()?,
        expires_in: columns.int()?,
        expires_at: columns.maybe_time()?,
    })
}
