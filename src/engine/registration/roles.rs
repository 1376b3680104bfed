//! Roles of developers. Their names stand in the rows of those who have them, and change there too.

use super::Registration;
use super::rows::text_of;
use crate::engine::catalog::{CatalogError, Happened, Key, id_of, refused};
use crate::schema::{Body, Entity, Write};

impl Registration {
    /// Changes a role; developers who have it keep it under its new name.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::NotFound`]; [`CatalogError::Unique`]
    pub async fn patch_role(&self, key: &Key, body: Body) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("developer_roles")?;
        let (old, _turn) = catalog.load_to_change(schema, key).await?;
        let old = old.ok_or(CatalogError::NotFound)?;
        let new = catalog.drafted(schema, Write::Patch, body, Some(&old), None).await?.entity;
        let id = id_of(&old).ok_or(CatalogError::NotFound)?;
        let (before, after) = (text_of(&old, "name"), text_of(&new, "name"));
        let changed = catalog.store.update_role(schema, id, &new, (before, after)).await;
        if !changed.map_err(|error| refused(schema, &new, error))? {
            return Err(CatalogError::NotFound);
        }
        let shown = catalog.shown(schema, &new).await?;
        catalog.tell(schema, Happened::Updated { id, old, new }).await?;
        Ok(shown)
    }

    /// Deletes a role and takes it from the developers who have it. Nothing there is no error.
    ///
    /// # Errors
    /// The store failed.
    pub async fn delete_role(&self, key: &Key) -> Result<(), CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("developer_roles")?;
        let (old, _turn) = catalog.load_to_change(schema, key).await?;
        let Some((id, old)) = old.and_then(|old| Some((id_of(&old)?, old))) else { return Ok(()) };
        catalog.store.delete_role(schema, id, text_of(&old, "name")).await?;
        catalog.tell(schema, Happened::Deleted { id, old }).await
    }
}
