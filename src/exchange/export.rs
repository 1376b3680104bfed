//! What is stored as a declarative file of version 3.0: nested, in a stable order, complete enough to be imported again.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::plan::CONFIGURATION;
use super::shape::NESTED;
use super::world::is_of_its_own;
use super::yaml::{Block, list};
use crate::engine::catalog::{Catalog, CatalogError};
use crate::schema::{Entity, Kind, Schema, Seal};

/// Set at every write, or computed.
const NOT_WRITTEN: &[&str] = &["updated_at", "cert_digest"];
/// The setting of a plugin that is a secret.
const PROVISION_KEY: &str = "provision_key";

/// A file, and how many secrets it lacks.
pub struct Exported {
    pub text: String,
    pub omitted: usize,
}

/// All of the configuration as YAML.
///
/// # Errors
/// The store failed.
pub async fn export(catalog: &Catalog, with_secrets: bool) -> Result<Exported, CatalogError> {
    let schemas: Vec<&Schema> = CONFIGURATION.iter().filter_map(|name| catalog.registry.entity(name)).collect();
    let tables = catalog.everything(&schemas).await?;
    let mut writer = Writer { catalog, with_secrets, omitted: 0, rows: HashMap::new(), below: HashMap::new() };
    for (schema, rows) in schemas.iter().zip(tables) {
        writer.rows.insert(schema.name, rows.into_iter().map(Some).collect());
    }
    writer.leave_shadows();
    writer.look_below();
    let mut text = "_format_version: \"3.0\"\n".to_owned();
    for schema in &schemas {
        // What can stand inside another is taken by it; what is left stands at the top.
        if schema.name != "plugins" && schema.name != "snis" && schema.name != "routes" {
            let blocks = writer.blocks(schema, None);
            list(&mut text, 0, schema.name, &blocks);
        }
    }
    for name in ["routes", "plugins"] {
        let schema = catalog.schema(name)?;
        let blocks = writer.blocks(schema, None);
        list(&mut text, 0, name, &blocks);
    }
    Ok(Exported { text, omitted: writer.omitted })
}

struct Writer<'c> {
    catalog: &'c Catalog,
    with_secrets: bool,
    omitted: usize,
    /// In the order of ids; `None`: written already.
    rows: HashMap<&'static str, Vec<Option<Entity>>>,
    /// Schema, field, id that it names: places in `rows`.
    below: HashMap<(&'static str, &'static str, String), Vec<usize>>,
}

impl Writer<'_> {
    /// Consumers of developers and applications, and what is theirs, are no configuration.
    fn leave_shadows(&mut self) {
        let consumers = self.rows.entry("consumers").or_default();
        let shadow = |row: &Option<Entity>| row.as_ref().is_some_and(|row| !is_of_its_own(row));
        let ids = consumers.iter().filter(|row| shadow(row)).flatten().filter_map(|row| id_of(row).map(str::to_owned));
        let shadows: HashSet<String> = ids.collect();
        consumers.retain(|row| !shadow(row));
        for rows in self.rows.values_mut() {
            rows.retain(|row| {
                let consumer = row.as_ref().and_then(|row| row.get("consumer")?.get("id")?.as_str());
                consumer.is_none_or(|id| !shadows.contains(id))
            });
        }
    }

    /// Notes which rows stand below which.
    fn look_below(&mut self) {
        for (_, _, schema, field) in NESTED {
            let rows = self.rows.get(schema).into_iter().flatten().flatten().enumerate();
            for (nth, row) in rows.filter(|(_, row)| is_only(row, field)) {
                if let Some(id) = row.get(*field).and_then(|target| target.get("id")?.as_str()) {
                    self.below.entry((schema, field, id.to_owned())).or_default().push(nth);
                }
            }
        }
    }

    /// The entities of a schema that are left, below `parent` or all.
    fn blocks(&mut self, schema: &Schema, parent: Option<(&'static str, &str)>) -> Vec<Block> {
        let Some((name, rows)) = self.rows.iter_mut().find(|(name, _)| **name == schema.name) else {
            return Vec::new();
        };
        let taken: Vec<Entity> = match parent {
            None => rows.iter_mut().filter_map(Option::take).collect(),
            Some((field, id)) => {
                let places = self.below.remove(&(*name, field, id.to_owned())).unwrap_or_default();
                places.into_iter().filter_map(|nth| rows.get_mut(nth)?.take()).collect()
            }
        };
        taken.iter().map(|row| self.block(schema, row, parent.map(|(field, _)| field))).collect()
    }

    fn block(&mut self, schema: &Schema, row: &Entity, parent: Option<&str>) -> Block {
        let mut block = Block::default();
        for field in schema.fields.iter().filter(|field| !field.internal && !NOT_WRITTEN.contains(&field.name)) {
            let value = row.get(field.name).unwrap_or(&Value::Null);
            if Some(field.name) == parent || (value.is_null() && field.default.is_none()) {
                continue;
            }
            if field.seal != Seal::Clear && !self.with_secrets {
                block.omitted.push(field.name);
                continue;
            }
            let value = match (&field.kind, field.name) {
                (_, "config") => self.settings(row, value, &mut block.omitted),
                (Kind::Foreign { .. }, _) => value.get("id").cloned().unwrap_or_default(),
                _ => value.clone(),
            };
            block.fields.insert(field.name.to_owned(), value);
        }
        self.omitted += block.omitted.len();
        let id = id_of(row).unwrap_or_default();
        for (_, name, inner, field) in NESTED.iter().filter(|(whose, ..)| *whose == schema.name) {
            let Some(inner) = self.catalog.registry.entity(inner).filter(|inner| inner.name != "oauth2_tokens") else {
                continue;
            };
            // The registry is shared, the writer is not.
            let inner = inner.clone();
            block.inner.push((name, self.blocks(&inner, Some((field, id)))));
        }
        block
    }

    /// A plugin's settings without those that are null anyway.
    fn settings(&self, row: &Entity, config: &Value, omitted: &mut Vec<&'static str>) -> Value {
        let plugin = row.get("name").and_then(Value::as_str).and_then(|name| self.catalog.registry.plugin(name));
        let (Some(plugin), Value::Object(config)) = (plugin, config) else { return config.clone() };
        let mut written = Entity::new();
        for (name, value) in config {
            let field = plugin.config_fields().iter().find(|field| field.name == name);
            if name == PROVISION_KEY && !self.with_secrets && !value.is_null() {
                omitted.push("config.provision_key");
            } else if !value.is_null() || field.is_some_and(|field| field.default.is_some()) {
                written.insert(name.clone(), value.clone());
            }
        }
        Value::Object(written)
    }
}

fn id_of(entity: &Entity) -> Option<&str> {
    entity.get("id")?.as_str()
}

/// Whether an entity stands on nothing but what `field` names: a plugin may stand on several.
fn is_only(row: &Entity, field: &str) -> bool {
    let others = ["service", "route", "consumer"].into_iter().filter(|other| *other != field);
    let is_plugin = row.contains_key("config");
    !is_plugin || others.into_iter().all(|other| row.get(other).is_none_or(Value::is_null))
}
