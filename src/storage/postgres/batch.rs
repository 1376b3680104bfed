//! Token rows by the hundred: one statement, one commit.

use std::collections::HashSet;

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::storage::StorageError;
use crate::storage::revocations::last_revocation;
use crate::storage::tokens::INSERT_TOKEN;
use crate::storage::value::{Statement, Value};

use super::{Failed, Postgres};

/// The columns of [`INSERT_TOKEN`] as arrays. Rows that would break a constraint are left out, so that they do not take
/// their batch-mates with them; they are then tried alone, which names what is wrong with them.
pub(in crate::storage) const INSERT_TOKENS: &str = concat!(
    "INSERT INTO oauth2_tokens
    (id, credential_id, service_id, token_type, expires_in, access_token_digest, access_token_sealed,
     refresh_token_digest, refresh_token_sealed, authenticated_userid, scope, family_id, custom, created_at, expires_at,
     issued_after)
    SELECT t.*, ",
    last_revocation!(),
    " FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[],
        $8::bytea[], $9::bytea[], $10::text[], $11::text[], $12::uuid[], $13::boolean[], $14::timestamptz[],
        $15::timestamptz[]) AS t (id, credential_id, service_id, token_type, expires_in, access_token_digest,
        access_token_sealed, refresh_token_digest, refresh_token_sealed, authenticated_userid, scope, family_id,
        custom, created_at, expires_at)
    WHERE EXISTS (SELECT 1 FROM oauth2_credentials AS c WHERE c.id = t.credential_id)
      AND (t.service_id IS NULL OR EXISTS (SELECT 1 FROM services AS s WHERE s.id = t.service_id))
    ON CONFLICT DO NOTHING RETURNING id"
);

const COLUMNS: usize = 15;

pub(super) async fn insert_tokens(driver: &Postgres, rows: Vec<Vec<Value>>) -> Vec<Result<(), StorageError>> {
    let inserted = match together(driver, &rows).await {
        Ok(inserted) => inserted,
        // A credential or service deleted meanwhile: nothing was written, each row is tried alone.
        Err(StorageError::ForeignKey { .. } | StorageError::Unique { .. }) => HashSet::new(),
        Err(other) => return vec![Err(other); rows.len()],
    };
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let done = matches!(row.first(), Some(Value::Uuid(id)) if inserted.contains(id));
        outcomes.push(if done { Ok(()) } else { alone(driver, row).await });
    }
    outcomes
}

async fn together(driver: &Postgres, rows: &[Vec<Value>]) -> Result<HashSet<Uuid>, StorageError> {
    let arrays: Vec<Vec<&Value>> = (0..COLUMNS).map(|place| rows.iter().map(|row| &row[place]).collect()).collect();
    let connection = driver.connection().await?;
    let work = async |connection: &mut Object| {
        let prepared = connection.prepare_cached(INSERT_TOKENS).await?;
        let params: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| array as _).collect();
        let found = connection.query(&prepared, &params).await?;
        found.iter().map(|row| row.try_get(0).map_err(Failed::from)).collect()
    };
    driver.within(connection, work).await.map_err(|failed| failed.error)
}

async fn alone(driver: &Postgres, row: Vec<Value>) -> Result<(), StorageError> {
    driver.write(vec![Statement::new(INSERT_TOKEN, row)]).await.map(drop)
}
