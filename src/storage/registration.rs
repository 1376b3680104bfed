//! Developers, applications and contracts: the writes that are several statements, and happen whole or not.

use std::collections::HashMap;

use uuid::Uuid;

use crate::schema::{Entity, Schema};

use super::crud::unknown;
use super::revocations::{advance, record_contract, record_developer};
use super::store::Outcome;
use super::table::{Role, Table};
use super::value::{Row, Statement};
use super::{StorageError, Store, rows};

pub(super) const STATEMENTS: &[&str] = &[
    HOLD_DEVELOPER,
    CONSUMERS_OF_DEVELOPER,
    DELETE_APPLICATIONS,
    DELETE_DEVELOPER,
    DELETE_APPLICATION,
    END_SESSIONS,
    DELETE_CONTRACT,
    MIRROR_CUSTOM_ID,
    MOVE_REDIRECT_URIS,
    RENAME_CREDENTIALS,
];

/// Changes nothing and holds the row until the end of the transaction: who deletes a developer waits for an application
/// that is being made, and who makes one finds no developer any more.
const HOLD_DEVELOPER: &str = "UPDATE developers SET updated_at = updated_at WHERE id = $1 RETURNING id";
const CONSUMERS_OF_DEVELOPER: &str = "SELECT consumer_id FROM applications WHERE developer_id = $1";

/// The consumers take with them whom they stand for, and all that hangs on those.
const DELETE_APPLICATIONS: &str = "DELETE FROM consumers WHERE id IN
    (SELECT consumer_id FROM applications WHERE developer_id = $1) RETURNING id";
const DELETE_DEVELOPER: &str =
    "DELETE FROM consumers WHERE id IN (SELECT consumer_id FROM developers WHERE id = $1) RETURNING id";
const DELETE_APPLICATION: &str =
    "DELETE FROM consumers WHERE id IN (SELECT consumer_id FROM applications WHERE id = $1) RETURNING id";

const END_SESSIONS: &str = "DELETE FROM sessions WHERE developer_id = $1 RETURNING id";

const DELETE_CONTRACT: &str = "DELETE FROM application_instances WHERE id = $1 RETURNING id";

const MIRROR_CUSTOM_ID: &str = "UPDATE consumers SET custom_id = $2, updated_at = $3 WHERE id = $1 RETURNING id";
/// A credential follows its application as long as nobody gave it redirect URIs of its own.
const MOVE_REDIRECT_URIS: &str = "UPDATE oauth2_credentials SET redirect_uris = $3, updated_at = $4
    WHERE consumer_id = $1 AND redirect_uris = $2 RETURNING id";
const RENAME_CREDENTIALS: &str = "UPDATE oauth2_credentials SET name = $3, updated_at = $4
    WHERE consumer_id = $1 AND name = $2 RETURNING id";

/// Rows asked for by one statement of [`Store::find_all`].
const TOGETHER: usize = 50;

/// What an application hands on to its hidden consumer and to its credentials.
#[derive(Clone, Debug)]
pub struct Handed {
    pub consumer: Uuid,
    /// Old and new name.
    pub name: Option<(String, String)>,
    /// Old and new redirect URIs, as a credential has them.
    pub redirect_uris: Option<(serde_json::Value, serde_json::Value)>,
    /// The new `custom_id`, where it changed.
    pub custom_id: Option<Option<String>>,
}

impl Store {
    /// Stores a developer with the hidden consumer: `rows` in the order in which they refer to each other.
    ///
    /// # Errors
    /// As [`Store::insert`], for the row that is refused; nothing is stored then.
    pub async fn insert_developer(&self, rows: &[(&Schema, &Entity)]) -> Outcome<()> {
        self.insert_rows(Vec::new(), rows).await
    }

    /// Stores an application of this developer with its hidden consumer and its first credential.
    ///
    /// # Errors
    /// As [`Store::insert`], for the row that is refused; nothing is stored then.
    pub async fn insert_application(&self, developer: Uuid, rows: &[(&Schema, &Entity)]) -> Outcome<()> {
        self.insert_rows(vec![Statement::new(HOLD_DEVELOPER, vec![developer.into()])], rows).await
    }

    async fn insert_rows(&self, mut statements: Vec<Statement>, rows: &[(&Schema, &Entity)]) -> Outcome<()> {
        for (schema, entity) in rows {
            let table = self.table(schema);
            statements.push(Statement::new(&table.insert, rows::params(&table, entity, &self.keyring())?));
        }
        match self.driver().write(statements).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused_of(rows, error).await),
        }
    }

    /// Columns of an error as fields; the reference that failed where the database did not say which.
    async fn refused_of(&self, rows: &[(&Schema, &Entity)], error: StorageError) -> StorageError {
        let tables: Vec<_> = rows.iter().map(|(schema, _)| self.table(schema)).collect();
        match error {
            StorageError::Unique { fields } => {
                let field = |column: &String| {
                    let table = tables.iter().find(|table| table.columns.iter().any(|known| known.name == *column));
                    table.map_or_else(|| column.clone(), |table| table.field_of(column))
                };
                StorageError::Unique { fields: fields.iter().map(field).collect() }
            }
            StorageError::ForeignKey { .. } => self.missing_parent_of(rows).await.unwrap_or_else(|error| error),
            other => other,
        }
    }

    async fn missing_parent_of(&self, rows: &[(&Schema, &Entity)]) -> Outcome<StorageError> {
        let fresh: Vec<&serde_json::Value> = rows.iter().filter_map(|(_, entity)| entity.get("id")).collect();
        for (schema, entity) in rows {
            let table = self.table(schema);
            for (column, parent) in &table.references {
                let field = table.field_of(column);
                let Some(given) = entity.get(&field).filter(|given| !given.is_null()) else { continue };
                let Some(id) = rows::plain(Role::Foreign, given) else { continue };
                let is_fresh = given.get("id").is_some_and(|id| fresh.contains(&id));
                if !is_fresh && self.read(format!("SELECT 1 FROM {parent} WHERE id = $1"), vec![id]).await?.is_empty() {
                    return Ok(StorageError::ForeignKey { table: table.name.to_owned(), field });
                }
            }
        }
        Ok(StorageError::Unavailable("a referenced row came or went meanwhile".into()))
    }

    /// Replaces every field of a developer; with `close` the tokens and codes of all its applications and its sessions
    /// end in the same transaction. Gives the consumers of its applications; `None` when there is no such developer.
    pub async fn update_developer(
        &self,
        schema: &Schema,
        developer: Uuid,
        entity: &Entity,
        close: bool,
    ) -> Outcome<Option<Vec<Uuid>>> {
        let (update, table) = self.updating(schema, developer, entity)?;
        let of_developer = |sql: &'static str| Statement::new(sql, vec![developer.into()]);
        let mut statements = vec![update, of_developer(CONSUMERS_OF_DEVELOPER)];
        if close {
            let ended = record_developer(developer, self.now());
            statements.extend([of_developer(END_SESSIONS), advance(), ended]);
        }
        let mut done = self.driver().write(statements).await.map_err(|error| of_table(&table, error))?.into_iter();
        let found = done.next().is_some_and(|rows| !rows.is_empty());
        let consumers = done.next().unwrap_or_default().into_iter().map(id_of).collect::<Outcome<Vec<_>>>()?;
        Ok(found.then_some(consumers))
    }

    /// Deletes a developer with its applications, and the hidden consumers of all; gives those. Empty: there was none.
    pub async fn delete_developer(&self, developer: Uuid) -> Outcome<Vec<Uuid>> {
        let of_developer = |sql: &'static str| Statement::new(sql, vec![developer.into()]);
        let statements = [HOLD_DEVELOPER, DELETE_APPLICATIONS, DELETE_DEVELOPER].map(of_developer).to_vec();
        let done = self.driver().write(statements).await?;
        done.into_iter().skip(1).flatten().map(id_of).collect()
    }

    /// Replaces every field of an application, and hands on what its consumer and credentials have of it; false when
    /// there is none of that id.
    pub async fn update_application(
        &self,
        schema: &Schema,
        application: Uuid,
        entity: &Entity,
        handed: &Handed,
    ) -> Outcome<bool> {
        let (update, table) = self.updating(schema, application, entity)?;
        let mut statements = vec![update];
        let (consumer, now) = (handed.consumer, self.now());
        if let Some(custom_id) = &handed.custom_id {
            statements
                .push(Statement::new(MIRROR_CUSTOM_ID, vec![consumer.into(), custom_id.clone().into(), now.into()]));
        }
        if let Some((old, new)) = &handed.redirect_uris {
            let params = vec![consumer.into(), old.clone().into(), new.clone().into(), now.into()];
            statements.push(Statement::new(MOVE_REDIRECT_URIS, params));
        }
        if let Some((old, new)) = &handed.name {
            let params = vec![consumer.into(), old.clone().into(), new.clone().into(), now.into()];
            statements.push(Statement::new(RENAME_CREDENTIALS, params));
        }
        let done = self.driver().write(statements).await.map_err(|error| of_table(&table, error))?;
        Ok(done.first().is_some_and(|rows| !rows.is_empty()))
    }

    /// Deletes an application and its hidden consumer, which this gives; `None`: there was none.
    pub async fn delete_application(&self, application: Uuid) -> Outcome<Option<Uuid>> {
        self.write(DELETE_APPLICATION, vec![application.into()]).await?.pop().map(id_of).transpose()
    }

    /// Replaces every field of a contract; with `close` the application's tokens and codes for the service end in the
    /// same transaction. False when there is none of that id.
    pub async fn update_contract(
        &self,
        schema: &Schema,
        contract: Uuid,
        entity: &Entity,
        close: Option<(Uuid, Uuid)>,
    ) -> Outcome<bool> {
        let (update, table) = self.updating(schema, contract, entity)?;
        let mut statements = vec![update];
        if let Some((application, service)) = close {
            statements.extend([advance(), record_contract(contract, application, service, self.now())]);
        }
        let done = self.driver().write(statements).await.map_err(|error| of_table(&table, error))?;
        Ok(done.first().is_some_and(|rows| !rows.is_empty()))
    }

    /// Deletes the contract of an application with a service, and the tokens and codes it had for it; false when there
    /// is none of that id.
    pub async fn delete_contract(&self, contract: Uuid, application: Uuid, service: Uuid) -> Outcome<bool> {
        let mut statements = vec![Statement::new(DELETE_CONTRACT, vec![contract.into()])];
        statements.extend([advance(), record_contract(contract, application, service, self.now())]);
        let done = self.driver().write(statements).await?;
        Ok(done.first().is_some_and(|rows| !rows.is_empty()))
    }

    /// The entities of these ids that there are, by id.
    pub async fn find_all(&self, schema: &Schema, ids: &[Uuid]) -> Outcome<HashMap<Uuid, Entity>> {
        let table = self.table(schema);
        if table.ends {
            return Err(unknown(&table, "id"));
        }
        let sql = asking_together(&table);
        let statement = |ids: &[Uuid]| {
            // Filled up with the first, so that there is one statement for any number of ids.
            let filled = ids.iter().chain(std::iter::repeat(&ids[0])).take(TOGETHER);
            Statement::new(sql.clone(), filled.map(|id| (*id).into()).collect())
        };
        let answers = match ids {
            [] => Vec::new(),
            ids => self.driver().read(ids.chunks(TOGETHER).map(statement).collect()).await?,
        };
        let keyring = self.keyring();
        let found = answers.into_iter().flatten().map(|row| {
            let entity = rows::entity(&table, row, &keyring)?;
            let id = entity.get("id").and_then(|id| id.as_str()?.parse().ok());
            Ok((id.unwrap_or_default(), entity))
        });
        found.collect()
    }

    /// Replaces every field of a role; where its name changed, `old` to `new`, it changes in the rows of the developers
    /// who have it. False when there is no such role.
    pub async fn update_role(
        &self,
        schema: &Schema,
        id: Uuid,
        role: &Entity,
        (old, new): (&str, &str),
    ) -> Outcome<bool> {
        let (update, table) = self.updating(schema, id, role)?;
        let statements = match old == new {
            true => vec![update],
            false => vec![update, Statement::new(self.renaming_role(), vec![old.into(), new.into()])],
        };
        let done = self.driver().write(statements).await.map_err(|error| of_table(&table, error))?;
        Ok(done.first().is_some_and(|rows| !rows.is_empty()))
    }

    /// Deletes a role and takes it from the developers who have it; false when there is none of that id.
    pub async fn delete_role(&self, schema: &Schema, id: Uuid, name: &str) -> Outcome<bool> {
        let table = self.table(schema);
        let delete = Statement::new(&table.delete, vec![id.into()]);
        let take = Statement::new(self.taking_role(), vec![name.into()]);
        let done = self.driver().write(vec![delete, take]).await?;
        Ok(done.first().is_some_and(|rows| !rows.is_empty()))
    }

    pub(super) fn renaming_role(&self) -> String {
        self.roles_changed("CASE WHEN r.value = $1 THEN $2 ELSE r.value END", "")
    }

    pub(super) fn taking_role(&self) -> String {
        self.roles_changed("r.value", " WHERE r.value <> $1")
    }

    fn roles_changed(&self, element: &str, of: &str) -> String {
        let (each, gather) = (self.dialect().each, self.dialect().gather);
        format!(
            "UPDATE developers SET roles =
                (SELECT NULLIF({gather}({element}), '[]') FROM {each}(developers.roles) AS r{of})
              WHERE EXISTS (SELECT 1 FROM {each}(developers.roles) AS r WHERE r.value = $1) RETURNING id"
        )
    }

    fn updating(&self, schema: &Schema, id: Uuid, entity: &Entity) -> Outcome<(Statement, std::sync::Arc<Table>)> {
        let table = self.table(schema);
        let mut entity = entity.clone();
        entity.insert("id".into(), id.to_string().into());
        let params = rows::params(&table, &entity, &self.keyring())?;
        Ok((Statement::new(&table.update, params), table))
    }
}

pub(super) fn asking_together(table: &Table) -> String {
    let places: Vec<String> = (1..=TOGETHER).map(|place| format!("${place}")).collect();
    format!("SELECT {} FROM {} WHERE id IN ({})", table.selected(), table.name, places.join(", "))
}

fn of_table(table: &Table, error: StorageError) -> StorageError {
    match error {
        StorageError::Unique { fields } => {
            StorageError::Unique { fields: fields.iter().map(|column| table.field_of(column)).collect() }
        }
        other => other,
    }
}

fn id_of(row: Row) -> Outcome<Uuid> {
    row.read("consumers").uuid()
}
