//! Create, read, update, delete: any entity, by its schema.

use std::sync::Arc;

use uuid::Uuid;

use crate::schema::{Entity, Schema};

use super::store::Outcome;
use super::table::{Role, Table};
use super::value::{Sql, Value};
use super::{Lookup, StorageError, Store, rows};

impl Store {
    /// Stores a new entity.
    ///
    /// # Errors
    /// [`StorageError::Unique`] and [`StorageError::ForeignKey`] name fields of the schema.
    pub async fn insert(&self, schema: &Schema, entity: &Entity) -> Outcome<()> {
        let table = self.table(schema);
        let params = rows::params(&table, entity, &self.keyring())?;
        let mut outcome = self.write(&table.insert, params.clone()).await;
        if table.ends && matches!(outcome, Err(StorageError::Unique { .. })) && self.make_way(&table, &params).await? {
            outcome = self.write(&table.insert, params).await;
        }
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explained(&table, entity, error).await),
        }
    }

    /// Finds one entity, its secrets opened.
    pub async fn find(&self, schema: &Schema, lookup: &Lookup) -> Outcome<Option<Entity>> {
        let table = self.table(schema);
        let keyring = self.keyring();
        let (sql, key): (Sql, Value) = match lookup {
            Lookup::Id(id) => ((&table.find).into(), (*id).into()),
            Lookup::Field(_, text) if text.contains('\0') => return Ok(None),
            Lookup::Field(field, text) => {
                let column = table.searched(field).ok_or_else(|| unknown(&table, field))?;
                let key = match column.role {
                    Role::Digest => Some(keyring.digest(text.as_bytes()).into()),
                    role => rows::plain(role, &text.as_str().into()),
                };
                let Some(key) = key else { return Ok(None) };
                let (selected, live) = (table.selected(), table.live(2));
                let sql = format!("SELECT {selected} FROM {} WHERE {} = $1{live} LIMIT 1", table.name, column.name);
                (sql.into(), key)
            }
        };
        let found = self.read(sql, self.with_present(&table, vec![key])).await?.pop();
        found.map(|row| rows::entity(&table, row, &keyring)).transpose()
    }

    /// Replaces every field of an entity; false when there is none of that id.
    pub async fn update(&self, schema: &Schema, id: Uuid, entity: &Entity) -> Outcome<bool> {
        let table = self.table(schema);
        let mut entity = entity.clone();
        entity.insert("id".into(), id.to_string().into());
        let params = rows::params(&table, &entity, &self.keyring())?;
        let params = self.with_present(&table, params);
        match self.write(&table.update, params).await {
            Ok(found) => Ok(!found.is_empty()),
            Err(error) => Err(self.explained(&table, &entity, error).await),
        }
    }

    /// Deletes an entity and what hangs on it; false when there is none of that id.
    ///
    /// # Errors
    /// [`StorageError::Referenced`] while something that restricts the delete names it.
    pub async fn delete(&self, schema: &Schema, id: Uuid) -> Outcome<bool> {
        let table = self.table(schema);
        match self.write(&table.delete, self.with_present(&table, vec![id.into()])).await {
            Ok(found) => Ok(!found.is_empty()),
            Err(StorageError::ForeignKey { table: by, .. }) if !by.is_empty() => Err(StorageError::Referenced { by }),
            Err(StorageError::ForeignKey { .. }) => Err(self.referenced(table.name, id).await?),
            Err(other) => Err(other),
        }
    }

    /// Adds the present where rows of the table end by themselves.
    pub(super) fn with_present(&self, table: &Table, mut params: Vec<Value>) -> Vec<Value> {
        if table.ends {
            params.push(self.now().into());
        }
        params
    }

    /// Deletes ended rows that hold a digest or id of the row about to be written: nobody sees them any more.
    async fn make_way(&self, table: &Table, params: &[Value]) -> Outcome<bool> {
        let mut way_made = false;
        for (column, value) in table.columns.iter().zip(params) {
            if (column.role == Role::Digest || column.name == "id") && *value != Value::Null {
                let (name, column, ended) = (table.name, &column.name, table.ended(2));
                let sql = format!("DELETE FROM {name} WHERE {column} = $1 AND {ended} RETURNING id");
                way_made |= !self.write(sql, vec![value.clone(), self.now().into()]).await?.is_empty();
            }
        }
        Ok(way_made)
    }

    /// Turns columns of an error into fields; finds the reference that failed where the database did not say.
    async fn explained(&self, table: &Arc<Table>, entity: &Entity, error: StorageError) -> StorageError {
        match error {
            StorageError::Unique { fields } => {
                StorageError::Unique { fields: fields.iter().map(|column| table.field_of(column)).collect() }
            }
            StorageError::ForeignKey { field, .. } if !field.is_empty() => foreign(table, &field),
            StorageError::ForeignKey { .. } => self.missing_parent(table, entity).await.unwrap_or_else(|error| error),
            other => other,
        }
    }

    async fn missing_parent(&self, table: &Table, entity: &Entity) -> Outcome<StorageError> {
        for (column, parent) in &table.references {
            let field = table.field_of(column);
            let Some(id) = entity.get(&field).and_then(|given| rows::plain(Role::Foreign, given)) else { continue };
            if self.read(format!("SELECT 1 FROM {parent} WHERE id = $1"), vec![id]).await?.is_empty() {
                return Ok(foreign(table, column));
            }
        }
        Ok(StorageError::Unavailable("a referenced row came or went meanwhile".into()))
    }

    async fn referenced(&self, table: &'static str, id: Uuid) -> Outcome<StorageError> {
        for (by, column) in self.driver().restricting(table).await? {
            let sql = format!("SELECT 1 FROM {by} WHERE {column} = $1 LIMIT 1");
            if !self.read(sql, vec![id.into()]).await?.is_empty() {
                return Ok(StorageError::Referenced { by });
            }
        }
        Ok(StorageError::Unavailable("a referencing row came or went meanwhile".into()))
    }
}

fn foreign(table: &Table, column: &str) -> StorageError {
    StorageError::ForeignKey { table: table.name.to_owned(), field: table.field_of(column) }
}

pub(super) fn unknown(table: &Table, field: &str) -> StorageError {
    StorageError::UnknownField { table: table.name.to_owned(), field: field.to_owned() }
}
