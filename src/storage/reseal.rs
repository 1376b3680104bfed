//! Moving sealed values to the newest key after a rotation.
//!
//! A run walks every sealed column of every table given, and of those no schema describes, in the order of ids, so that it ends however much is written
//! meanwhile; what is written meanwhile is sealed with the newest key already.

use uuid::Uuid;

use crate::schema::{Schema, Seal};

use super::rows::{context, open, seal};
use super::store::Outcome;
use super::value::{Statement, Value, count};
use super::{StorageError, Store};

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResealCursor {
    column: usize,
    after: Uuid,
}

/// What one step of a run did; `next` is `None` when the run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    pub done: usize,
    pub next: Option<ResealCursor>,
}

/// A sealed column, and the statements over it. `$1` is the number of the primary key as it stands before a sealed value.
struct Column {
    context: String,
    stale: String,
    page: String,
    replace: String,
}

/// Sealed columns of tables that no schema describes: table and field.
const WITHOUT_SCHEMA: &[(&str, &str)] = &[("mails", "body"), ("oauth2_credential_secrets", "secret")];

impl Column {
    fn new(table: &str, field: &str) -> Self {
        let column = format!("{field}_sealed");
        let old = format!("FROM {table} WHERE substr({column}, 1, 4) <> $1");
        Self {
            context: context(table, field),
            stale: format!("SELECT count(*) {old}"),
            page: format!("SELECT id, {column} {old} AND id > $2 ORDER BY id LIMIT $3"),
            replace: format!("UPDATE {table} SET {column} = $2 WHERE id = $1 AND {column} = $3 RETURNING id"),
        }
    }
}

fn columns(schemas: &[&Schema]) -> impl Iterator<Item = Column> {
    let sealed = |schema: &&Schema| {
        let fields = schema.fields.iter().filter(|field| field.seal != Seal::Clear);
        fields.map(|field| Column::new(schema.name, field.name)).collect::<Vec<_>>()
    };
    let others = WITHOUT_SCHEMA.iter().map(|(table, field)| Column::new(table, field));
    schemas.iter().flat_map(sealed).chain(others)
}

pub(super) fn statements(schemas: &[&Schema]) -> impl Iterator<Item = String> {
    columns(schemas).flat_map(|column| [column.stale, column.page, column.replace])
}

impl Store {
    fn primary(&self) -> Value {
        Value::Bytes(self.keyring().primary().to_be_bytes().to_vec())
    }

    /// Counts the sealed values that another key than the newest one sealed.
    pub async fn count_stale_seals(&self, schemas: &[&Schema]) -> Outcome<u64> {
        let mut total = 0;
        for column in columns(schemas) {
            if let Some(row) = self.read(column.stale, vec![self.primary()]).await?.pop() {
                total += u64::try_from(row.read("sealed").int()?).unwrap_or(0);
            }
        }
        Ok(total)
    }

    /// Seals at most `limit` values anew; give back the cursor to go on. A value changed meanwhile is left as it is.
    ///
    /// # Errors
    /// [`StorageError::Sealed`] when the keyring lacks the key of a value.
    pub async fn reseal(
        &self,
        schemas: &[&Schema],
        from: Option<ResealCursor>,
        limit: usize,
    ) -> Result<Resealed, StorageError> {
        let from = from.unwrap_or(ResealCursor { column: 0, after: Uuid::nil() });
        let Some(column) = columns(schemas).nth(from.column) else {
            return Ok(Resealed { done: 0, next: None });
        };
        let keyring = self.keyring();
        let found = self.read(column.page, vec![self.primary(), from.after.into(), count(limit)]).await?;
        let mut next = ResealCursor { column: from.column + 1, after: Uuid::nil() };
        let full = found.len() == limit;
        let mut statements = Vec::with_capacity(found.len());
        for row in found {
            let mut cells = row.read("sealed");
            let id = cells.uuid()?;
            let old = cells.bytes()?;
            let plain = open(&keyring, old.clone(), &column.context)?;
            let new = seal(&keyring, &plain, &column.context);
            statements.push(Statement::new(column.replace.clone(), vec![id.into(), new, Value::Bytes(old)]));
            if full {
                next = ResealCursor { column: from.column, after: id };
            }
        }
        let done = if statements.is_empty() { 0 } else { self.replaced(statements).await? };
        Ok(Resealed { done, next: Some(next) })
    }

    async fn replaced(&self, statements: Vec<Statement>) -> Outcome<usize> {
        Ok(self.driver().write(statements).await?.iter().filter(|rows| !rows.is_empty()).count())
    }
}
