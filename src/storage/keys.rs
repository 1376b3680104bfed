//! API keys and secrets of JSON Web Tokens: each found with its consumer by one statement.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::{Algorithm, JwtSecretView, KeyView, Keyring, Secret, TokenDigest, VerifyingKey};

use super::Store;
use super::clients::consumer_of;
use super::rows::{context, open};
use super::store::Outcome;
use super::value::{Row, count};

pub(super) const STATEMENTS: &[&str] = &[FIND_KEY, FIND_JWT_SECRET, KEY_DIGESTS, JWT_SECRET_KEYS];

/// `$2` is the present.
const FIND_KEY: &str = "SELECT k.id, k.expires_at, u.id, u.username, u.custom_id
    FROM keyauth_credentials AS k JOIN consumers AS u ON u.id = k.consumer_id
    WHERE k.key_digest = $1 AND (k.expires_at IS NULL OR k.expires_at > $2)";
const FIND_JWT_SECRET: &str =
    "SELECT s.id, s.key, s.algorithm, s.secret_sealed, s.rsa_public_key, u.id, u.username, u.custom_id
    FROM jwt_secrets AS s JOIN consumers AS u ON u.id = s.consumer_id WHERE s.key = $1";
const KEY_DIGESTS: &str = "SELECT id, key_digest FROM keyauth_credentials WHERE id > $1 ORDER BY id LIMIT $2";
const JWT_SECRET_KEYS: &str = "SELECT id, key FROM jwt_secrets WHERE id > $1 ORDER BY id LIMIT $2";

impl Store {
    /// Finds a live API key by its digest.
    pub async fn find_key(&self, key: TokenDigest) -> Outcome<Option<KeyView>> {
        let found = self.read(FIND_KEY, vec![key.into(), self.now().into()]).await?.pop();
        found.map(key_view).transpose()
    }

    /// Finds what the tokens of an issuer are verified with.
    pub async fn find_jwt_secret(&self, key: &str) -> Outcome<Option<JwtSecretView>> {
        if key.contains('\0') {
            return Ok(None);
        }
        let found = self.read(FIND_JWT_SECRET, vec![key.into()]).await?.pop();
        found.map(|row| jwt_secret(row, &self.keyring())).transpose()
    }

    /// Digests of API keys in the order of ids, after the given one.
    pub async fn key_digests(&self, after: Option<Uuid>, limit: usize) -> Outcome<Vec<(Uuid, TokenDigest)>> {
        let found = self.read(KEY_DIGESTS, vec![after.unwrap_or_default().into(), count(limit)]).await?;
        let read = |row: Row| {
            let mut columns = row.read("keyauth_credentials");
            Ok((columns.uuid()?, columns.digest()?))
        };
        found.into_iter().map(read).collect()
    }

    /// Digests of the keys that tokens name secrets by, in the order of ids, after the given one.
    pub async fn jwt_secret_digests(&self, after: Option<Uuid>, limit: usize) -> Outcome<Vec<(Uuid, TokenDigest)>> {
        let found = self.read(JWT_SECRET_KEYS, vec![after.unwrap_or_default().into(), count(limit)]).await?;
        let keyring = self.keyring();
        let read = |row: Row| {
            let mut columns = row.read("jwt_secrets");
            Ok((columns.uuid()?, keyring.digest(columns.text()?.as_bytes())))
        };
        found.into_iter().map(read).collect()
    }
}

fn key_view(row: Row) -> Outcome<KeyView> {
    let mut columns = row.read("keyauth_credentials");
    Ok(KeyView {
        credential_id: columns.uuid()?,
        expires_at: columns.maybe_time()?,
        consumer: Arc::new(consumer_of(&mut columns)?),
    })
}

fn jwt_secret(row: Row, keyring: &Keyring) -> Outcome<JwtSecretView> {
    let mut columns = row.read("jwt_secrets");
    let credential_id = columns.uuid()?;
    let key = columns.text()?;
    let algorithm = Algorithm::named(&columns.text()?).ok_or_else(|| columns.fault("algorithm is none we know"))?;
    let secret = Secret::new(open(keyring, columns.bytes()?, &context("jwt_secrets", "secret"))?);
    let public_key = columns.maybe_text()?;
    let (verifying, verifying_decoded) = if algorithm.is_shared() {
        (
            VerifyingKey::shared(algorithm, secret.reveal().as_bytes()),
            VerifyingKey::shared_base64(algorithm, secret.reveal()),
        )
    } else {
        (public_key.and_then(|pem| VerifyingKey::public(algorithm, &pem)), None)
    };
    let consumer = Arc::new(consumer_of(&mut columns)?);
    Ok(JwtSecretView { credential_id, key, algorithm, verifying, verifying_decoded, consumer })
}
