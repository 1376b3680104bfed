//! What is there: the stored entities, and those that a plan adds, found by id and by every unique value.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::Problem;
use crate::schema::{Entity, Kind, Registry, Schema};

/// Consumers of another type are shadows of developers and applications: nobody brings them along.
const OF_THEIR_OWN: i64 = 0;

#[derive(Debug, Default)]
pub(super) struct World {
    rows: HashMap<&'static str, HashMap<Uuid, Entity>>,
    /// Schema, field, value: whose it is.
    keys: HashMap<(&'static str, &'static str, String), Uuid>,
    /// Ids in the source, and what the same entity is called here.
    ids: HashMap<(&'static str, String), Uuid>,
}

impl World {
    /// `tables` in the order of `schemas`.
    pub fn new(schemas: &[&Schema], tables: Vec<Vec<Entity>>) -> Self {
        let mut world = Self::default();
        for (schema, rows) in schemas.iter().zip(tables) {
            for row in rows {
                world.add(schema, row);
            }
        }
        world
    }

    /// Adds an entity, or puts it in place of what it was.
    pub fn add(&mut self, schema: &Schema, entity: Entity) {
        let Some(id) = id_of(&entity) else { return };
        if let Some(old) = self.row(schema.name, id).cloned() {
            for (field, value) in uniques(schema, &old) {
                self.keys.remove(&(schema.name, field, value));
            }
        }
        for (field, value) in uniques(schema, &entity) {
            self.keys.insert((schema.name, field, value), id);
        }
        self.rows.entry(schema.name).or_default().insert(id, entity);
    }

    /// Notes how an entity of the source is called here.
    pub fn call(&mut self, entity: &'static str, in_source: &str, id: Uuid) {
        self.ids.insert((entity, in_source.to_ascii_lowercase()), id);
    }

    pub fn row(&self, entity: &str, id: Uuid) -> Option<&Entity> {
        self.rows.get(entity)?.get(&id)
    }

    pub fn rows(&self, entity: &str) -> impl Iterator<Item = &Entity> {
        self.rows.get(entity).into_iter().flat_map(HashMap::values)
    }

    pub fn by_key(&self, entity: &'static str, field: &'static str, value: &str) -> Option<Uuid> {
        self.keys.get(&(entity, field, value.to_owned())).copied()
    }

    /// By the id that the source has for it.
    pub fn by_id(&self, entity: &'static str, id: &str) -> Option<Uuid> {
        let called = self.ids.get(&(entity, id.to_ascii_lowercase())).copied();
        called.or_else(|| id.parse().ok().filter(|id| self.row(entity, *id).is_some()))
    }

    /// A unique value of `entity` that another one has already: the field, and what stands there.
    pub fn taken(&self, schema: &Schema, entity: &Entity) -> Option<(&'static str, Uuid)> {
        let id = id_of(entity);
        let mut values = uniques(schema, entity).into_iter();
        values.find_map(|(field, value)| {
            let owner = self.keys.get(&(schema.name, field, value)).copied()?;
            (Some(owner) != id).then_some((field, owner))
        })
    }

    /// Makes a reference one by id, whether it was written as a name, an id, or a record of either.
    ///
    /// # Errors
    /// It leads nowhere, or is no reference.
    pub fn resolve(
        &self,
        registry: &Registry,
        entity: &'static str,
        place: &str,
        given: &Value,
    ) -> Result<Option<Uuid>, Problem> {
        let keys = keys_of(registry, entity);
        let found = match given {
            Value::Null => return Ok(None),
            Value::String(text) => {
                let named = || keys.iter().find_map(|key| self.by_key(entity, key, text));
                self.by_id(entity, text).or_else(named)
            }
            Value::Object(fields) => {
                let id = fields.get("id").and_then(Value::as_str);
                let named = |key: &&'static str| self.by_key(entity, key, fields.get(*key)?.as_str()?);
                match id {
                    Some(id) => self.by_id(entity, id),
                    None => keys.iter().find_map(named),
                }
            }
            _ => return Err(Problem::new(place, "expected a name, an id, or a record with one of them")),
        };
        let nowhere = || format!("the foreign key '{}' does not reference an existing '{entity}' entity", shown(given));
        found.map(Some).ok_or_else(|| Problem::new(place, nowhere()))
    }
}

/// A reference as Kong prints it.
fn shown(reference: &Value) -> String {
    match reference {
        Value::String(text) => format!("{{name=\"{text}\"}}"),
        Value::Object(fields) => {
            let parts: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{{{}}}", parts.join(","))
        }
        other => other.to_string(),
    }
}

/// The fields that an entity may be named by.
pub(super) fn keys_of(registry: &Registry, entity: &str) -> Vec<&'static str> {
    let key = registry.entity(entity).and_then(|schema| schema.key);
    let other = (entity == "consumers").then_some("custom_id");
    key.into_iter().chain(other).collect()
}

/// Unique texts of an entity that are set.
fn uniques(schema: &Schema, entity: &Entity) -> Vec<(&'static str, String)> {
    let unique = schema.fields.iter().filter(|field| field.unique && matches!(field.kind, Kind::String));
    let set = unique.filter_map(|field| Some((field.name, value_of(schema, entity, field.name)?.to_owned())));
    set.collect()
}

/// A plugin's provision key stands in its settings until it is stored.
fn value_of<'e>(schema: &Schema, entity: &'e Entity, field: &str) -> Option<&'e str> {
    match (schema.name, field) {
        ("plugins", "provision_key") => entity.get("config")?.get(field)?.as_str(),
        _ => entity.get(field)?.as_str(),
    }
}

pub(super) fn id_of(entity: &Entity) -> Option<Uuid> {
    entity.get("id")?.as_str()?.parse().ok()
}

/// Whether a consumer is nobody's shadow.
pub(super) fn is_of_its_own(consumer: &Entity) -> bool {
    consumer.get("type").and_then(Value::as_i64).is_none_or(|kind| kind == OF_THEIR_OWN)
}
