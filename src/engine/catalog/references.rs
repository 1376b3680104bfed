//! References by name become references by id.

use serde_json::{Map, Value};

use super::{Catalog, CatalogError, Key, id_of};
use crate::schema::{Entity, Kind, Schema};

/// A reference that names its target by key.
struct ByName {
    field: &'static str,
    entity: &'static str,
    key: &'static str,
    value: String,
}

impl Catalog {
    /// Turns `{"name": "x"}` into `{"id": "…"}` in a raw body.
    ///
    /// # Errors
    /// [`CatalogError::Unresolved`] when there is none of that name.
    pub(in crate::engine) async fn resolve_references(
        &self,
        schema: &Schema,
        body: &mut Entity,
    ) -> Result<(), CatalogError> {
        for reference in self.references_by_name(schema, body) {
            let target = self.schema(reference.entity)?;
            let found = self.load(target, &Key::Name(reference.value.clone())).await?;
            let Some(id) = found.as_ref().and_then(id_of) else {
                return Err(CatalogError::Unresolved {
                    field: reference.field.to_owned(),
                    entity: reference.entity.to_owned(),
                    by: reference.key,
                    value: reference.value,
                });
            };
            body.insert(reference.field.to_owned(), reference_to(&id.to_string()));
        }
        Ok(())
    }

    fn references_by_name(&self, schema: &Schema, body: &Entity) -> Vec<ByName> {
        let mut found = Vec::new();
        for field in &schema.fields {
            let Kind::Foreign { entity, .. } = field.kind else { continue };
            let Some(key) = self.registry.entity(entity).and_then(|target| target.key) else { continue };
            let Some(Value::Object(given)) = body.get(field.name) else { continue };
            if given.len() == 1
                && let Some(Value::String(value)) = given.get(key)
                && !value.is_empty()
            {
                found.push(ByName { field: field.name, entity, key, value: value.clone() });
            }
        }
        found
    }
}

/// `{"id": "…"}`
pub(in crate::engine) fn reference_to(id: &str) -> Value {
    Value::Object(Map::from_iter([("id".to_owned(), id.into())]))
}

/// The id a reference holds.
pub(in crate::engine) fn referred<'e>(entity: &'e Entity, field: &str) -> Option<&'e str> {
    entity.get(field)?.get("id")?.as_str()
}
