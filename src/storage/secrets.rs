//! The secrets of a client: its own, in the row of the credential, and further ones, each with an end of its own.
//!
//! A removed own secret is the sealed empty text, which fits nothing. Every verb first holds the row of the credential,
//! so that of two who change its secrets at once the second sees what the first did. Whether the own secret is empty
//! only we can tell, not the database: a statement that depends on it also demands that the row still has it.

use uuid::Uuid;

use crate::domain::{MOST_SECRETS, Secret, Timestamp};

use super::rows::{context, open, seal};
use super::store::Outcome;
use super::value::{Row, Statement, Value, count};
use super::{StorageError, Store};

pub(super) const STATEMENTS: &[&str] = &[
    OWN,
    FURTHER,
    HOLD,
    ADD,
    END_OWN,
    END_FURTHER,
    DROP_ENDED,
    DROP_OLDEST,
    REPLACE,
    DELETE_OWN,
    DELETE_FURTHER,
    EMPTY,
];

const OWN: &str = "SELECT id, client_secret_sealed, created_at, client_secret_expires_at
    FROM oauth2_credentials WHERE id = $1";
/// `$2` is the present.
const FURTHER: &str = "SELECT id, created_at, expires_at FROM oauth2_credential_secrets
    WHERE credential_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at, id";

/// Changes nothing and holds the row until the end of the transaction.
const HOLD: &str = "UPDATE oauth2_credentials SET client_type = client_type WHERE id = $1 RETURNING id";

/// `$6` is the present, `$7` whether the own secret is some text, `$8` that secret as it rests, `$9` the limit.
const ADD: &str = "INSERT INTO oauth2_credential_secrets (id, credential_id, secret_sealed, created_at, expires_at)
    SELECT $1, $2, $3, $4, $5
    WHERE EXISTS (SELECT 1 FROM oauth2_credentials WHERE id = $2 AND client_secret_sealed = $8)
    AND (SELECT count(*) FROM oauth2_credential_secrets
            WHERE credential_id = $2 AND (expires_at IS NULL OR expires_at > $6))
        + (SELECT count(*) FROM oauth2_credentials
            WHERE id = $2 AND $7 = TRUE AND (client_secret_expires_at IS NULL OR client_secret_expires_at > $6)) < $9
    RETURNING id";

const END_OWN: &str = "UPDATE oauth2_credentials SET client_secret_expires_at = $2
    WHERE id = $1 AND (client_secret_expires_at IS NULL OR client_secret_expires_at > $2) RETURNING id";
const END_FURTHER: &str = "UPDATE oauth2_credential_secrets SET expires_at = $2
    WHERE credential_id = $1 AND (expires_at IS NULL OR expires_at > $2) RETURNING id";
const DROP_ENDED: &str = "DELETE FROM oauth2_credential_secrets
    WHERE credential_id = $1 AND expires_at <= $2 RETURNING id";
const DROP_OLDEST: &str = "DELETE FROM oauth2_credential_secrets WHERE credential_id = $1 AND id NOT IN
    (SELECT id FROM oauth2_credential_secrets WHERE credential_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2)
    RETURNING id";
const REPLACE: &str = "INSERT INTO oauth2_credential_secrets (id, credential_id, secret_sealed, created_at)
    SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM oauth2_credentials WHERE id = $2) RETURNING id";

/// `$2` is the present, `$3` the own secret as it rests, `$4` the sealed empty text.
const DELETE_OWN: &str = "UPDATE oauth2_credentials SET client_secret_sealed = $4, client_secret_expires_at = NULL
    WHERE id = $1 AND client_secret_sealed = $3
    AND (client_secret_expires_at IS NULL OR client_secret_expires_at > $2)
    AND EXISTS (SELECT 1 FROM oauth2_credential_secrets
        WHERE credential_id = $1 AND (expires_at IS NULL OR expires_at > $2))
    RETURNING id";
/// `$3` is the present, `$4` whether the own secret is some text, `$5` that secret as it rests.
const DELETE_FURTHER: &str = "DELETE FROM oauth2_credential_secrets
    WHERE id = $2 AND credential_id = $1 AND (expires_at IS NULL OR expires_at > $3)
    AND (EXISTS (SELECT 1 FROM oauth2_credential_secrets AS other
            WHERE other.credential_id = $1 AND other.id <> $2 AND (other.expires_at IS NULL OR other.expires_at > $3))
        OR EXISTS (SELECT 1 FROM oauth2_credentials AS own
            WHERE own.id = $1 AND own.client_secret_sealed = $5 AND $4 = TRUE
            AND (own.client_secret_expires_at IS NULL OR own.client_secret_expires_at > $3)))
    RETURNING id";

/// Own secrets that have ended become the empty text (`$3`), so that a dump of credentials does not bring them back.
const EMPTY: &str = "UPDATE oauth2_credentials SET client_secret_sealed = $3, client_secret_expires_at = NULL
    WHERE client_secret_expires_at <= $1 AND id IN (SELECT id FROM oauth2_credentials
        WHERE client_secret_expires_at <= $1 ORDER BY client_secret_expires_at LIMIT $2) RETURNING id";

/// How often a verb begins anew when someone changes the own secret under its hands.
const ATTEMPTS: usize = 5;

/// What can be told of a live secret. The own one has the id of its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecretRow {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// `None`: it does not end.
    pub expires_at: Option<Timestamp>,
}

/// What became of a secret that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Removed,
    NotFound,
    /// It is the only live one, and stays.
    LastOne,
}

/// The secret in the row of the credential.
struct Own {
    sealed: Vec<u8>,
    is_empty: bool,
    row: ClientSecretRow,
}

impl Own {
    fn is_live(&self, now: Timestamp) -> bool {
        !self.is_empty && self.row.expires_at.is_none_or(|end| end > now)
    }
}

impl Store {
    /// Gives a client a further secret (a PHC string). `None`: it has `limit` live ones, its own included.
    ///
    /// # Errors
    /// [`StorageError::ForeignKey`] when there is no such credential.
    pub async fn add_client_secret(
        &self,
        credential: Uuid,
        secret: &Secret,
        expires_at: Option<Timestamp>,
        limit: usize,
    ) -> Outcome<Option<Uuid>> {
        let (id, sealed) = (Uuid::now_v7(), self.sealed_secret(secret));
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let own = self.own_secret(credential).await?.ok_or_else(no_credential)?;
            let hold = Statement::new(HOLD, vec![credential.into()]);
            let own_secret = [(!own.is_empty).into(), Value::Bytes(own.sealed.clone())];
            let mut params = vec![id.into(), credential.into(), sealed.clone(), now.into(), expires_at.into()];
            params.push(now.into());
            params.extend(own_secret);
            params.push(count(limit));
            let done = self.driver().write(vec![hold, Statement::new(ADD, params)]).await?;
            if done.last().is_some_and(|rows| !rows.is_empty()) {
                return Ok(Some(id));
            }
            if self.still_has(credential, &own).await? {
                return Ok(None);
            }
        }
        Err(busy())
    }

    /// The live secrets of a client, its own first, then in the order they were added. None for an unknown credential.
    pub async fn client_secrets(&self, credential: Uuid) -> Outcome<Vec<ClientSecretRow>> {
        let now = self.now();
        let own = Statement::new(OWN, vec![credential.into()]);
        let further = Statement::new(FURTHER, vec![credential.into(), now.into()]);
        let mut found = self.driver().read(vec![own, further]).await?.into_iter();
        let own = found.next().unwrap_or_default().pop().map(|row| self.own(row)).transpose()?;
        let own = own.filter(|own| own.is_live(now)).map(|own| Ok(own.row));
        own.into_iter().chain(found.next().unwrap_or_default().into_iter().map(further_row)).collect()
    }

    /// Removes a live secret of a client, unless it is the only one.
    pub async fn delete_client_secret(&self, credential: Uuid, id: Uuid) -> Outcome<Removal> {
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let Some(own) = self.own_secret(credential).await? else { return Ok(Removal::NotFound) };
            let hold = Statement::new(HOLD, vec![credential.into()]);
            let sealed = Value::Bytes(own.sealed.clone());
            let delete = if id == credential && own.is_empty {
                return Ok(Removal::NotFound);
            } else if id == credential {
                let empty = seal(&self.keyring(), "", &own_context());
                Statement::new(DELETE_OWN, vec![credential.into(), now.into(), sealed, empty])
            } else {
                let own_secret = [(!own.is_empty).into(), sealed];
                let params = [credential.into(), id.into(), now.into()].into_iter().chain(own_secret);
                Statement::new(DELETE_FURTHER, params.collect())
            };
            let done = self.driver().write(vec![hold, delete]).await?;
            if done.last().is_some_and(|rows| !rows.is_empty()) {
                return Ok(Removal::Removed);
            }
            if self.still_has(credential, &own).await? {
                let live = self.client_secrets(credential).await?;
                let known = live.iter().any(|secret| secret.id == id);
                return Ok(if known { Removal::LastOne } else { Removal::NotFound });
            }
        }
        Err(busy())
    }

    /// Gives a client a new secret (a PHC string) that does not end; those it had end at `overlap_ends` or earlier, the
    /// oldest at once where there would be too many. `None`: there is no such credential.
    pub async fn replace_client_secret(
        &self,
        credential: Uuid,
        secret: &Secret,
        overlap_ends: Timestamp,
    ) -> Outcome<Option<Uuid>> {
        let (id, now) = (Uuid::now_v7(), self.now());
        // Beside them there are the own one and the new one.
        let kept = count(MOST_SECRETS - 2);
        let statements = vec![
            Statement::new(HOLD, vec![credential.into()]),
            Statement::new(END_OWN, vec![credential.into(), overlap_ends.into()]),
            Statement::new(END_FURTHER, vec![credential.into(), overlap_ends.into()]),
            Statement::new(DROP_ENDED, vec![credential.into(), now.into()]),
            Statement::new(DROP_OLDEST, vec![credential.into(), kept]),
            Statement::new(REPLACE, vec![id.into(), credential.into(), self.sealed_secret(secret), now.into()]),
        ];
        let done = self.driver().write(statements).await?;
        Ok(done.last().is_some_and(|rows| !rows.is_empty()).then_some(id))
    }

    /// Empties at most `limit` own secrets that have ended.
    pub(super) async fn empty_ended_secrets(&self, now: Timestamp, limit: usize) -> Outcome<usize> {
        let empty = seal(&self.keyring(), "", &own_context());
        Ok(self.write(EMPTY, vec![now.into(), count(limit), empty]).await?.len())
    }

    async fn own_secret(&self, credential: Uuid) -> Outcome<Option<Own>> {
        self.read(OWN, vec![credential.into()]).await?.pop().map(|row| self.own(row)).transpose()
    }

    /// Whether the own secret is still the one that was read.
    async fn still_has(&self, credential: Uuid, own: &Own) -> Outcome<bool> {
        Ok(self.own_secret(credential).await?.is_some_and(|now| now.sealed == own.sealed))
    }

    fn own(&self, row: Row) -> Outcome<Own> {
        let mut columns = row.read("oauth2_credentials");
        let (id, sealed) = (columns.uuid()?, columns.bytes()?);
        let is_empty = Secret::new(open(&self.keyring(), sealed.clone(), &own_context())?).reveal().is_empty();
        let row = ClientSecretRow { id, created_at: columns.time()?, expires_at: columns.maybe_time()? };
        Ok(Own { sealed, is_empty, row })
    }

    fn sealed_secret(&self, secret: &Secret) -> Value {
        seal(&self.keyring(), secret.reveal(), &further_context())
    }
}

fn further_row(row: Row) -> Outcome<ClientSecretRow> {
    let mut columns = row.read("oauth2_credential_secrets");
    Ok(ClientSecretRow { id: columns.uuid()?, created_at: columns.time()?, expires_at: columns.maybe_time()? })
}

fn own_context() -> String {
    context("oauth2_credentials", "client_secret")
}

/// What a further secret is bound to.
pub(super) fn further_context() -> String {
    context("oauth2_credential_secrets", "secret")
}

fn no_credential() -> StorageError {
    StorageError::ForeignKey { table: "oauth2_credential_secrets".to_owned(), field: "credential".to_owned() }
}

fn busy() -> StorageError {
    StorageError::Unavailable("the secret of the client changes all the time".to_owned())
}
