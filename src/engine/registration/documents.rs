//! Documents: the OpenAPI text of a service, one each.

use serde_json::Value;
use uuid::Uuid;

use super::Registration;
use crate::engine::catalog::{CatalogError, Happened, Parent, id_of, refused};
use crate::schema::{Body, Entity, Write};
use crate::storage::ListQuery;

impl Registration {
    /// Stores a document of a service, in the place of the one it has.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::ForeignKey`] when the service went meanwhile.
    pub async fn create_document(&self, service: Uuid, body: Body) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("document_objects")?;
        let parent = Parent { field: "service", id: service };
        let document = catalog.drafted(schema, Write::Insert, body, None, Some(&parent)).await?.entity;
        let stored = catalog.store.replace_document(schema, service, &document).await;
        stored.map_err(|error| refused(schema, &document, error))?;
        let shown = catalog.shown(schema, &document).await?;
        let id = id_of(&document).ok_or(CatalogError::NotFound)?;
        catalog.tell(schema, Happened::Created { id, new: document }).await?;
        Ok(shown)
    }

    /// The document of a service.
    ///
    /// # Errors
    /// The store failed.
    pub async fn document(&self, service: Uuid) -> Result<Option<Entity>, CatalogError> {
        let schema = self.catalog.schema("document_objects")?;
        let filters = vec![("service.id".to_owned(), Value::from(service.to_string()))];
        let query = ListQuery { filters, size: 1, ..ListQuery::default() };
        let found = self.catalog.store.list(schema, &query).await?.data.pop();
        Ok(found.map(|document| schema.public(&document)))
    }
}
