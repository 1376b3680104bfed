//! Clients and consumers, as the data plane sees them.

use std::sync::Arc;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::{ClientSecret, ClientType, ClientView, Consumer, Keyring, Secret, SecretHash};

use super::Store;
use super::rows::{context, open, seal};
use super::store::Outcome;
use super::value::{Columns, Row, Value};

pub(super) const STATEMENTS: &[&str] = &[FIND_CLIENT, CONSUMER_BY_ID, CONSUMER_BY_NAME, SEALED_SECRET, UPGRADE_SECRET];

const FIND_CLIENT: &str = "SELECT c.id, c.client_id, c.name, c.client_secret_sealed, c.hash_secret, c.client_type,
        c.redirect_uris, u.id, u.username, u.custom_id
    FROM oauth2_credentials AS c JOIN consumers AS u ON u.id = c.consumer_id WHERE c.client_id = $1";
const CONSUMER_BY_ID: &str = "SELECT id, username, custom_id FROM consumers WHERE id = $1";
const CONSUMER_BY_NAME: &str = "SELECT id, username, custom_id FROM consumers WHERE username = $1";
const SEALED_SECRET: &str = "SELECT id, client_secret_sealed FROM oauth2_credentials WHERE id = $1";
const UPGRADE_SECRET: &str = "UPDATE oauth2_credentials SET client_secret_sealed = $2
    WHERE id = $1 AND client_secret_sealed = $3 RETURNING id";

impl Store {
    pub async fn find_client(&self, client_id: &str) -> Outcome<Option<ClientView>> {
        if client_id.contains('\0') {
            return Ok(None);
        }
        let found = self.read(FIND_CLIENT, vec![client_id.into()]).await?.pop();
        found.map(|row| client(row, &self.keyring())).transpose()
    }

    /// Finds a consumer by its id, or else by its username.
    pub async fn find_consumer(&self, id_or_username: &str) -> Outcome<Option<Consumer>> {
        if id_or_username.contains('\0') {
            return Ok(None);
        }
        if let Ok(id) = Uuid::parse_str(id_or_username)
            && let Some(row) = self.read(CONSUMER_BY_ID, vec![id.into()]).await?.pop()
        {
            return consumer(row).map(Some);
        }
        self.read(CONSUMER_BY_NAME, vec![id_or_username.into()]).await?.pop().map(consumer).transpose()
    }

    /// Puts `new` (a PHC string) in the place of a client's secret; false when that is no longer `expected`, because
    /// someone changed it while we were hashing.
    pub async fn upgrade_secret(&self, credential: Uuid, expected: &Secret, new: &Secret) -> Outcome<bool> {
        let Some(row) = self.read(SEALED_SECRET, vec![credential.into()]).await?.pop() else { return Ok(false) };
        let mut columns = row.read("oauth2_credentials");
        columns.uuid()?;
        let sealed = columns.bytes()?;
        let keyring = self.keyring();
        let context = context("oauth2_credentials", "client_secret");
        if !expected.matches(&open(&keyring, sealed.clone(), &context)?) {
            return Ok(false);
        }
        let params = vec![credential.into(), seal(&keyring, new.reveal(), &context), Value::Bytes(sealed)];
        Ok(!self.write(UPGRADE_SECRET, params).await?.is_empty())
    }
}

fn consumer(row: Row) -> Outcome<Consumer> {
    consumer_of(&mut row.read("consumers"))
}

/// A consumer from the next three columns: `id, username, custom_id`.
pub(super) fn consumer_of(columns: &mut Columns) -> Outcome<Consumer> {
    Ok(Consumer { id: columns.uuid()?, username: columns.maybe_text()?, custom_id: columns.maybe_text()? })
}

fn client(row: Row, keyring: &Keyring) -> Outcome<ClientView> {
    let mut columns = row.read("oauth2_credentials");
    let credential_id = columns.uuid()?;
    let client_id = columns.text()?;
    let name = columns.text()?;
    let secret = open(keyring, columns.bytes()?, &context("oauth2_credentials", "client_secret"))?;
    let secret = match columns.bool()? {
        false => ClientSecret::Clear(Secret::new(secret)),
        true if SecretHash::read(&secret).is_some() => ClientSecret::Hashed(Secret::new(secret)),
        true => ClientSecret::ToBeHashed(Secret::new(secret)),
    };
    let client_type = match columns.text()?.as_str() {
        "confidential" => ClientType::Confidential,
        "public" => ClientType::Public,
        _ => return Err(columns.fault("client_type is neither confidential nor public")),
    };
    let uris = match columns.maybe_json()? {
        Some(Json::Array(uris)) => uris,
        None => Vec::new(),
        Some(_) => return Err(columns.fault("redirect_uris is not an array")),
    };
    Ok(ClientView {
        credential_id,
        client_id,
        name,
        secret,
        client_type,
        redirect_uris: uris.iter().filter_map(|uri| uri.as_str().map(str::to_owned)).collect(),
        consumer: Arc::new(consumer_of(&mut columns)?),
    })
}
