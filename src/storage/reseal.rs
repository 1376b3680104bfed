//! Moving sealed values to the newest key after a rotation.
//!
//! A run walks every sealed column of every table in the order of ids, so that it ends however much is written
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

/// Sealed columns of tables that are no entities.
const BESIDE: &[(&str, &str)] = &[("mails", "body")];

fn column(table: &str, field: &str) -> Column {
    let column = format!("{field}_sealed");
    let old = format!("FROM {table} WHERE substr({column}, 1, 4) <> $1");
    Column {
        context: context(table, field),
        stale: format!("SELECT count(*) {old}"),
        page: format!("SELECT id, {column} {old} AND id > $2 ORDER BY id LIMIT $3"),
        replace: format!("UPDATE {table} SET {column} = $2 WHERE id = $1 AND {column} = $3 RETURNING id"),
    }
}

fn columns(schema: &Schema) -> impl Iterator<Item = Column> {
    let sealed = schema.fields.iter().filter(|field| field.seal != Seal::Clear);
    sealed.map(move |field| column(schema.name, field.name))
}

fn columns_beside() -> impl Iterator<Item = Column> {
    BESIDE.iter().map(|(table, field)| column(table, field))
}

/// Every sealed column, those of the schemas first.
fn every_column(schemas: &[&Schema]) -> impl Iterator<Item = Column> {
    schemas.iter().flat_map(|schema| columns(schema)).chain(columns_beside())
}

pub(super) fn statements(schema: &Schema) -> impl Iterator<Item = String> {
    columns(schema).flat_map(|column| [column.stale, column.page, column.replace])
}

pub(super) fn statements_beside() -> impl Iterator<Item = String> {
    columns_beside().flat_map(|column| [column.stale, column.page, column.replace])
}

impl Store {
    fn primary(&self) -> Value {
        Value::Bytes(self.keyring().primary().to_be_bytes().to_vec())
    }

    /// Counts the sealed values that another key than the newest one sealed.
    pub async fn count_stale_seals(&self, schemas: &[&Schema]) -> Outcome<u64> {
        let mut total = 0;
        for column in every_column(schemas) {
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
        let Some(column) = every_column(schemas).nth(from.column) else {
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
