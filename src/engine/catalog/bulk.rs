//! A whole configuration at once: judged by the same rules, stored in one transaction.

use super::hooks::{self, Draft};
use super::{Catalog, CatalogError};
use crate::schema::{Body, Entity, Schema, Write};
use crate::storage::Stored;

/// An entity that was judged, to be stored with others.
#[derive(Clone)]
pub struct Judged {
    pub schema: &'static str,
    /// Otherwise it replaces the stored one of its id.
    pub is_new: bool,
    pub entity: Entity,
}

impl Catalog {
    /// Judges a body as a PUT would, for [`Catalog::put_all`]. Its references are ids already. Whether they lead
    /// somewhere, authorities of services among them, and whether a unique value is free, is for the caller to know.
    ///
    /// # Errors
    /// All violations at once.
    pub async fn judge(&self, schema: &Schema, body: Body, old: Option<&Entity>) -> Result<Entity, CatalogError> {
        let judged = self.registry.replace(schema, body, old, &mut self.generator())?;
        let mut draft = Draft { write: Write::Replace, entity: judged.entity, shorthands: judged.shorthands };
        // They may name authorities that come with them.
        if schema.name != "services" {
            hooks::complete(self, schema, old, &mut draft).await?;
        }
        Ok(draft.entity)
    }

    /// Every entity of these schemas as of one moment, as [`Catalog::judge`] gives them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn everything(&self, schemas: &[&Schema]) -> Result<Vec<Vec<Entity>>, CatalogError> {
        let (_, tables) = self.store.load_configuration(schemas).await?;
        let restored = |(schema, rows): (&&Schema, Vec<Entity>)| {
            rows.into_iter().map(|row| hooks::restored(&self.registry, schema.name, row)).collect()
        };
        Ok(schemas.iter().zip(tables).map(restored).collect())
    }

    /// Stores all of these or none, in the order given. Nobody is told.
    ///
    /// # Errors
    /// The store failed, or somebody has written meanwhile what stands in the way.
    pub async fn put_all(&self, judged: &[Judged]) -> Result<(), CatalogError> {
        let mut rows = Vec::with_capacity(judged.len());
        for one in judged {
            let schema = self.schema(one.schema)?;
            rows.push((schema, one.is_new, hooks::to_store(schema, &one.entity)));
        }
        let stored = rows.iter().map(|(schema, is_new, entity)| Stored { schema, is_new: *is_new, entity });
        Ok(self.store.put_all(&stored.collect::<Vec<_>>()).await?)
    }
}
