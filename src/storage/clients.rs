//! Clients and consumers, as the data plane sees them.

use std::sync::Arc;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::{
    ClientSecret, ClientType, ClientView, Consumer, Keyring, LiveSecret, MOST_SECRETS, Secret, SecretHash, Timestamp,
    TokenDigest,
};

use super::Store;
use super::rows::{context, open, seal};
use super::secrets::further_context;
use super::store::Outcome;
use super::value::{Columns, Row, Value, count};

pub(super) const STATEMENTS: &[&str] =
    &[FIND_CLIENT, APPLICATIONS, CONSUMER_BY_ID, CONSUMER_BY_NAME, SEALED_SECRET, UPGRADE_SECRET];

/// A row for each further secret that is live at `$2`, or one without.
const FIND_CLIENT: &str = "SELECT c.id, c.client_id, c.name, c.client_secret_sealed, c.hash_secret,
        c.client_secret_expires_at, c.client_type, c.redirect_uris, u.id, u.username, u.custom_id,
        s.id, s.secret_sealed, s.expires_at
    FROM oauth2_credentials AS c JOIN consumers AS u ON u.id = c.consumer_id
    LEFT JOIN oauth2_credential_secrets AS s
        ON s.credential_id = c.id AND (s.expires_at IS NULL OR s.expires_at > $2)
    WHERE c.client_id = $1 ORDER BY s.created_at DESC, s.id DESC LIMIT $3";
const APPLICATIONS: &str = "SELECT c.id, c.client_id FROM oauth2_credentials AS c
    JOIN applications AS a ON a.consumer_id = c.consumer_id WHERE c.id > $1 ORDER BY c.id LIMIT $2";
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
        let now = self.now();
        let params = vec![client_id.into(), now.into(), count(MOST_SECRETS)];
        let mut found = self.read(FIND_CLIENT, params).await?.into_iter();
        let keyring = self.keyring();
        let Some(first) = found.next() else { return Ok(None) };
        let mut client = client(first, &keyring, now)?;
        for row in found {
            client.secrets.extend(further_secret(&mut after_client(row), &keyring)?);
        }
        client.secrets.truncate(MOST_SECRETS);
        Ok(Some(client))
    }

    /// Digests of the `client_id`s of applications, which gates take as keys, in the order of their credentials' ids,
    /// after the given one.
    pub async fn client_id_digests(&self, after: Option<Uuid>, limit: usize) -> Outcome<Vec<(Uuid, TokenDigest)>> {
        let found = self.read(APPLICATIONS, vec![after.unwrap_or_default().into(), count(limit)]).await?;
        let keyring = self.keyring();
        let read = |row: Row| {
            let mut columns = row.read("oauth2_credentials");
            Ok((columns.uuid()?, keyring.digest(columns.text()?.as_bytes())))
        };
        found.into_iter().map(read).collect()
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

/// The columns of [`FIND_CLIENT`] that say who the client is.
const OF_CLIENT: usize = 11;

fn client(row: Row, keyring: &Keyring, now: Timestamp) -> Outcome<ClientView> {
    let mut columns = row.read("oauth2_credentials");
    let credential_id = columns.uuid()?;
    let client_id = columns.text()?;
    let name = columns.text()?;
    let own = own_secret(&mut columns, keyring)?.filter(|own| own.is_live(now));
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
    let consumer = Arc::new(consumer_of(&mut columns)?);
    let further = further_secret(&mut columns, keyring)?;
    Ok(ClientView {
        credential_id,
        client_id,
        name,
        secrets: own.into_iter().chain(further).collect(),
        client_type,
        redirect_uris: uris.iter().filter_map(|uri| uri.as_str().map(str::to_owned)).collect(),
        consumer,
    })
}

/// The secret of the credential's own row, unless it was removed: then it is the empty text.
fn own_secret(columns: &mut Columns, keyring: &Keyring) -> Outcome<Option<LiveSecret>> {
    let text = Secret::new(open(keyring, columns.bytes()?, &context("oauth2_credentials", "client_secret"))?);
    let hashed = columns.bool()?;
    let expires_at = columns.maybe_time()?;
    if text.reveal().is_empty() {
        return Ok(None);
    }
    let secret = match hashed {
        false => ClientSecret::Clear(text),
        true if SecretHash::read(text.reveal()).is_some() => ClientSecret::Hashed(text),
        true => ClientSecret::ToBeHashed(text),
    };
    Ok(Some(LiveSecret { secret, expires_at }))
}

/// A further secret from the next three columns, where there is one. It always rests hashed.
fn further_secret(columns: &mut Columns, keyring: &Keyring) -> Outcome<Option<LiveSecret>> {
    if columns.maybe_uuid()?.is_none() {
        return Ok(None);
    }
    let phc = Secret::new(open(keyring, columns.bytes()?, &further_context())?);
    Ok(Some(LiveSecret { secret: ClientSecret::Hashed(phc), expires_at: columns.maybe_time()? }))
}

/// A further row of the same client, behind what the first one said already.
fn after_client(mut row: Row) -> Columns {
    Row(row.0.split_off(OF_CLIENT.min(row.0.len()))).read("oauth2_credential_secrets")
}
