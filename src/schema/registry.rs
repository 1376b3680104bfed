//! All entities and plugins a running gateway knows.

use std::borrow::Cow;

use serde_json::Value;

use super::accept::Generate;
use super::coerce::{coerce, gather, split_words};
use super::field::{Schema, Write};
use super::validate::{self, Accepted};
use super::{Body, Entity, PluginSchema, Violations, entities};

/// The plan from which bodies are judged and interfaces described. A plugin's `config` is judged by the plugin.
#[derive(Clone, Debug)]
pub struct Registry {
    pub entities: Vec<Schema>,
    /// Described and judged only: no path leads to a collection of them.
    pub without_collection: Vec<Schema>,
    pub plugins: Vec<PluginSchema>,
}

impl Registry {
    /// The built-in entities with these plugins.
    pub fn new(plugins: Vec<PluginSchema>) -> Self {
        Self { entities: entities::all(), without_collection: entities::without_collection(), plugins }
    }

    pub fn entity(&self, name: &str) -> Option<&Schema> {
        self.entities.iter().find(|schema| schema.name == name)
    }

    /// The schema that `/schemas/{name}` describes.
    pub fn described(&self, name: &str) -> Option<&Schema> {
        self.entity(name).or_else(|| self.without_collection.iter().find(|schema| schema.name == name))
    }

    pub fn plugin(&self, name: &str) -> Option<&PluginSchema> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// The entity whose collection stands at this path: `oauth2` is `oauth2_credentials`.
    pub fn entity_at(&self, path: &str) -> Option<&Schema> {
        self.entities.iter().find(|schema| schema.path == path)
    }

    /// The schema of `plugins` as one plugin narrows it: its own fields under `config`, null demanded where it may not
    /// stand.
    pub fn plugins_narrowed_by(&self, plugin: &PluginSchema) -> Option<Schema> {
        Some(narrow(self.entity("plugins")?, plugin))
    }

    /// Judges a body for a new entity.
    ///
    /// # Errors
    /// All violations at once.
    pub fn insert(&self, schema: &Schema, body: Body, generate: &mut Generate<'_>) -> Result<Accepted, Violations> {
        self.judge(schema, Write::Insert, body, None, generate)
    }

    /// Judges a body that replaces (or makes) an entity.
    ///
    /// # Errors
    /// All violations at once.
    pub fn replace(
        &self,
        schema: &Schema,
        body: Body,
        old: Option<&Entity>,
        generate: &mut Generate<'_>,
    ) -> Result<Accepted, Violations> {
        self.judge(schema, Write::Replace, body, old, generate)
    }

    /// Judges a body that changes an entity.
    ///
    /// # Errors
    /// All violations at once.
    pub fn patch(
        &self,
        schema: &Schema,
        body: Body,
        old: &Entity,
        generate: &mut Generate<'_>,
    ) -> Result<Accepted, Violations> {
        self.judge(schema, Write::Patch, body, Some(old), generate)
    }

    fn judge(
        &self,
        schema: &Schema,
        write: Write,
        body: Body,
        old: Option<&Entity>,
        generate: &mut Generate<'_>,
    ) -> Result<Accepted, Violations> {
        let Body { mut fields, form } = body;
        let (mut schema, plugin) = self.narrowed(schema, write, &fields, old);
        if form {
            if let Some(plugin) = plugin {
                split_config_words(plugin, &mut fields);
            }
            coerce(&schema, &mut fields);
        } else {
            gather(&schema, &mut fields);
        }
        let mut before = old.map(Cow::Borrowed);
        if let Some(plugin) = plugin.filter(|plugin| plugin.group.is_some()) {
            let kept = old.filter(|_| write == Write::Patch);
            if !group_is_used(plugin, &fields, kept) {
                let config = schema.to_mut().fields.iter_mut().find(|field| field.name == "config");
                config.into_iter().for_each(|field| *field = plugin.without_group());
            } else if let Some(old) = kept {
                before = Some(Cow::Owned(plugin.to_change(old)));
            }
        }
        let old = before.as_deref();
        let unknown = plugin_not_known(&schema, plugin.is_some(), &fields, old);
        let judged = match (write, old) {
            (Write::Patch, Some(old)) => validate::patch(&schema, fields, old, generate),
            (Write::Replace, old) => validate::replace(&schema, fields, old, generate),
            (Write::Insert | Write::Patch, _) => validate::insert(&schema, fields, generate),
        };
        match unknown {
            None => judged,
            Some(text) => {
                let mut violations = Violations::of("name", text);
                violations.merge(judged.err().unwrap_or_default());
                Err(violations)
            }
        }
    }

    /// The schema of a `plugins` entity with the fields of the plugin it names.
    fn narrowed<'s>(
        &'s self,
        schema: &'s Schema,
        write: Write,
        fields: &Entity,
        old: Option<&Entity>,
    ) -> (Cow<'s, Schema>, Option<&'s PluginSchema>) {
        let plugin = (schema.name == "plugins").then(|| self.plugin(plugin_name(write, fields, old)?)).flatten();
        let Some(plugin) = plugin else { return (Cow::Borrowed(schema), None) };
        (Cow::Owned(narrow(schema, plugin)), Some(plugin))
    }
}

fn narrow(schema: &Schema, plugin: &PluginSchema) -> Schema {
    let mut narrowed = schema.clone();
    narrowed.fields = schema.fields.iter().map(|field| plugin.narrow(field)).collect();
    narrowed
}

fn plugin_name<'e>(write: Write, fields: &'e Entity, old: Option<&'e Entity>) -> Option<&'e str> {
    let before = old.filter(|_| write == Write::Patch).and_then(|old| old.get("name"));
    fields.get("name").or(before)?.as_str()
}

fn plugin_not_known(schema: &Schema, known: bool, fields: &Entity, old: Option<&Entity>) -> Option<String> {
    if schema.name != "plugins" || known {
        return None;
    }
    let name = fields.get("name").or_else(|| old?.get("name"))?.as_str().filter(|name| !name.is_empty())?;
    Some(format!("plugin '{name}' not enabled; add it to the 'plugins' configuration property"))
}

/// Whether the plugin's group of fields is used once the body is laid over what is kept.
fn group_is_used(plugin: &PluginSchema, fields: &Entity, kept: Option<&Entity>) -> bool {
    let config = |entity: &Entity| entity.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut whole = kept.map(config).unwrap_or_default();
    whole.extend(config(fields));
    plugin.uses_group(&whole)
}

fn split_config_words(plugin: &PluginSchema, fields: &mut Entity) {
    let Some(Value::Object(config)) = fields.get_mut("config") else { return };
    for name in plugin.split_words {
        if let Some(value) = config.get_mut(*name) {
            split_words(value);
        }
    }
}
