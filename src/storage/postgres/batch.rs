//! Token rows by the hundred: one statement, one commit.

use std::collections::HashSet;

use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::storage::StorageError;
use crate::storage::revocations::last_revocation;
use crate::storage::tokens::INSERT_TOKEN;
use crate::storage::value::{Statement, Value};

use super::Postgres;
use super::session::{Access, Call};

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

const COLUMNS: [Type; 15] = [
    Type::UUID_ARRAY,
    Type::UUID_ARRAY,
    Type::UUID_ARRAY,
    Type::TEXT_ARRAY,
    Type::INT8_ARRAY,
    Type::BYTEA_ARRAY,
    Type::BYTEA_ARRAY,
    Type::BYTEA_ARRAY,
    Type::BYTEA_ARRAY,
    Type::TEXT_ARRAY,
    Type::TEXT_ARRAY,
    Type::UUID_ARRAY,
    Type::BOOL_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
];

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
    let arrays: Vec<Vec<&Value>> =
        (0..COLUMNS.len()).map(|place| rows.iter().map(|row| &row[place]).collect()).collect();
    let params = arrays.iter().zip(COLUMNS).map(|(array, kind)| (array as _, kind)).collect();
    let inserted = driver.run(Access::Write, &[Call { sql: INSERT_TOKENS, params }]).await;
    let inserted = inserted.map_err(|failed| failed.error)?.pop().unwrap_or_default();
    inserted.into_iter().map(|row| row.read("oauth2_tokens").uuid()).collect()
}

async fn alone(driver: &Postgres, row: Vec<Value>) -> Result<(), StorageError> {
    driver.write(vec![Statement::new(INSERT_TOKEN, row)]).await.map(drop)
}
