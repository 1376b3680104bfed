//! Rows that are made together: a developer or an application with the hidden consumer and what hangs on it.

use serde_json::Value;
use uuid::Uuid;

use super::Registration;
use crate::domain::ConsumerType;
use crate::engine::catalog::{CatalogError, Change, Happened, id_of, referred, refused};
use crate::schema::{Body, Entity, Schema, Write};
use crate::storage::StorageError;

/// A row on its way to the store, and its schema.
pub(super) type Row<'s> = (&'s Schema, Entity);

impl Registration {
    /// The consumer that stands for a new developer or application.
    pub(super) async fn hidden_consumer(
        &self,
        id: Uuid,
        kind: ConsumerType,
        owner: &Entity,
    ) -> Result<Entity, CatalogError> {
        let (word, custom_id) = match kind {
            ConsumerType::Developer => ("developer", Value::Null),
            ConsumerType::Application | ConsumerType::Party => {
                ("application", owner.get("custom_id").cloned().unwrap_or_default())
            }
        };
        let username = format!("{word}_{}", text_of(owner, "id"));
        let fields = [("id", id.to_string().into()), ("username", username.into()), ("custom_id", custom_id)];
        let (_, mut consumer) = self.row("consumers", fields).await?;
        consumer.insert("type".to_owned(), kind.code().into());
        Ok(consumer)
    }

    /// A judged entity of these fields, as the store takes it.
    pub(super) async fn row<const N: usize>(
        &self,
        name: &str,
        fields: [(&str, Value); N],
    ) -> Result<Row<'_>, CatalogError> {
        let schema = self.catalog.schema(name)?;
        let body = Body::json(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        Ok((schema, self.catalog.drafted(schema, Write::Insert, body, None, None).await?.entity))
    }

    pub(super) async fn tell_created(&self, rows: &[Row<'_>]) -> Result<(), CatalogError> {
        for (schema, entity) in rows {
            let Some(id) = id_of(entity) else { continue };
            let happened = Happened::Created { id, new: entity.clone() };
            self.catalog.ports.changed(Change { entity: schema.name, happened }).await?;
        }
        Ok(())
    }
}

/// The fields of all rows; of those of one name the last row's.
pub(super) fn all_of(rows: &[Row<'_>]) -> Entity {
    rows.iter().flat_map(|(_, entity)| entity.clone()).collect()
}

/// A refusal of the store, in the client's terms. The hidden consumer is called by the owner's id, so who has that name
/// has that id.
pub(super) fn refused_of(schema: &Schema, rows: &[Row<'_>], error: StorageError) -> CatalogError {
    let entity = all_of(rows);
    match error {
        StorageError::Unique { fields } if fields.iter().any(|field| field == "username") => {
            CatalogError::PrimaryKey { id: entity.get("id").cloned().unwrap_or_default() }
        }
        other => refused(schema, &entity, other),
    }
}

pub(super) fn borrowed<'r>(rows: &'r [Row<'_>]) -> Vec<(&'r Schema, &'r Entity)> {
    rows.iter().map(|(schema, entity)| (*schema, entity)).collect()
}

pub(super) fn text_of<'e>(entity: &'e Entity, field: &str) -> &'e str {
    entity.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The id that an entity's reference holds.
pub(super) fn reference(entity: &Entity, field: &str) -> Result<Uuid, CatalogError> {
    referred(entity, field).and_then(|id| id.parse().ok()).ok_or(CatalogError::NotFound)
}
