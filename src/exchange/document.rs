//! From a declarative file's values to its entities: lists at the top, lists inside others, tags and defaults for all.

use serde_json::{Map, Value};

use super::shape::{COLLECTIONS, NESTED, foreign};
use super::version::{Version, mark_patterns};
use super::{Given, Input, Problem};
use crate::schema::Entity;

/// What stands beside the lists.
const HEAD: &[&str] =
    &["_format_version", "_transform", "_comment", "_ignore", "_workspace", "_info", "_plugin_configs"];
/// `_info.defaults` by the name there.
const DEFAULTS: &[(&str, &str)] = &[("service", "services"), ("route", "routes"), ("consumer", "consumers")];

struct Reader {
    input: Input,
    problems: Vec<Problem>,
    tags: Vec<Value>,
    defaults: Vec<(&'static str, Entity)>,
    plugin_configs: Entity,
}

/// Reads a whole file.
///
/// # Errors
/// Every place that is not what such a file is made of.
pub fn read(document: Value) -> Result<Input, Vec<Problem>> {
    let Value::Object(mut top) = document else {
        return Err(vec![Problem::new("", "is not a declarative file: expected a record with `_format_version`")]);
    };
    let version = Version::read(top.get("_format_version")).map_err(|problem| vec![problem])?;
    let mut reader = Reader {
        input: Input::default(),
        problems: Vec::new(),
        tags: Vec::new(),
        defaults: Vec::new(),
        plugin_configs: Map::new(),
    };
    reader.head(&top);
    for (name, entity) in COLLECTIONS {
        if let Some(list) = top.shift_remove(*name) {
            reader.list(name, entity, list, None);
        }
    }
    for (name, value) in top {
        reader.stranger(name.clone(), &name, &value);
    }
    if version == Version::PathsGuessed {
        mark_patterns(&mut reader.input);
    }
    if reader.problems.is_empty() { Ok(reader.input) } else { Err(reader.problems) }
}

impl Reader {
    fn problem(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.problems.push(Problem::new(place, text));
    }

    /// What the file says of all of itself.
    fn head(&mut self, top: &Entity) {
        if let Some(Value::Object(configs)) = top.get("_plugin_configs") {
            self.plugin_configs = configs.clone();
        }
        if let Some(Value::String(workspace)) = top.get("_workspace")
            && workspace != "default"
        {
            self.input.leave("_workspace", format!("no workspaces: `{workspace}` joins what there is"));
        }
        let Some(Value::Object(info)) = top.get("_info") else { return };
        if let Some(Value::Array(tags)) = info.get("select_tags") {
            self.tags.clone_from(tags);
        }
        let Some(Value::Object(defaults)) = info.get("defaults") else { return };
        for (name, value) in defaults {
            let known = DEFAULTS.iter().find(|(known, _)| known == name);
            match (known, value) {
                (Some((_, entity)), Value::Object(fields)) => self.defaults.push((entity, fields.clone())),
                (Some(_), _) => self.problem(format!("_info.defaults.{name}"), "expected a record"),
                (None, _) => self.input.leave(format!("_info.defaults.{name}"), "defaults of what is not taken"),
            }
        }
    }

    /// A name that is none of ours: told of where it is Kong's, refused where it is nobody's.
    fn stranger(&mut self, place: String, name: &str, value: &Value) {
        if HEAD.contains(&name) {
            return;
        }
        let Some(why) = foreign(name) else { return self.problem(place, "unknown field") };
        for (nth, element) in value.as_array().into_iter().flatten().enumerate() {
            let named = ["name", "username", "group", "prefix", "id"].into_iter();
            let label = named.filter_map(|field| element.get(field)?.as_str()).next();
            let label = label.map(|label| format!(" (`{label}`)")).unwrap_or_default();
            self.input.leave(format!("{place}[{nth}]{label}"), why);
        }
    }

    fn list(&mut self, place: &str, entity: &'static str, list: Value, parent: Option<(&'static str, usize)>) {
        let elements = match list {
            Value::Array(elements) => elements,
            Value::Null => return,
            // Kong's encoder writes an empty list so.
            Value::Object(fields) if fields.is_empty() => return,
            _ => return self.problem(place, "expected an array"),
        };
        for (nth, element) in elements.into_iter().enumerate() {
            let place = format!("{place}[{nth}]");
            match element {
                Value::Object(fields) => self.entity(place, entity, fields, parent),
                // Server names may stand for themselves.
                Value::String(name) if entity == "snis" => {
                    self.entity(place, entity, Map::from_iter([("name".to_owned(), name.into())]), parent);
                }
                _ => self.problem(place, "expected a record"),
            }
        }
    }

    fn entity(
        &mut self,
        place: String,
        entity: &'static str,
        mut fields: Entity,
        parent: Option<(&'static str, usize)>,
    ) {
        let mut inner = Vec::new();
        for (_, name, schema, field) in NESTED.iter().filter(|(whose, ..)| *whose == entity) {
            if let Some(list) = fields.shift_remove(*name) {
                inner.push((*name, *schema, *field, list));
            }
        }
        if entity == "consumers" {
            let foreign: Vec<String> = fields.keys().filter(|name| foreign(name).is_some()).cloned().collect();
            for name in foreign {
                if let Some(list) = fields.shift_remove(&name) {
                    self.stranger(format!("{place}.{name}"), &name, &list);
                }
            }
        }
        self.fill(&place, entity, &mut fields);
        let nth = self.input.given.len();
        self.input.given.push(Given { place: place.clone(), entity, fields, parent });
        for (name, schema, field, list) in inner {
            self.list(&format!("{place}.{name}"), schema, list, Some((field, nth)));
        }
    }

    /// Lays defaults, shared settings of plugins and common tags under what is written.
    fn fill(&mut self, place: &str, entity: &str, fields: &mut Entity) {
        for (_, defaults) in self.defaults.iter().filter(|(whose, _)| *whose == entity) {
            for (name, value) in defaults {
                if !fields.contains_key(name) {
                    fields.insert(name.clone(), value.clone());
                }
            }
        }
        if entity == "plugins"
            && let Some(name) = fields.shift_remove("_config")
        {
            match name.as_str().and_then(|name| self.plugin_configs.get(name)) {
                Some(Value::Object(shared)) => {
                    let mut config = shared.clone();
                    if let Some(Value::Object(own)) = fields.get("config") {
                        config.extend(own.clone());
                    }
                    fields.insert("config".to_owned(), Value::Object(config));
                }
                _ => self.problem(format!("{place}._config"), format!("there is no {name} in `_plugin_configs`")),
            }
        }
        if self.tags.is_empty() || entity == "oauth2_tokens" {
            return;
        }
        let mut tags = fields.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
        tags.extend(self.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect::<Vec<_>>());
        fields.insert("tags".to_owned(), tags.into());
    }
}
