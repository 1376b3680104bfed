//! Schemas as JSON, in the form of Kong's `/schemas`.

use serde_json::{Map, Value, json};

use super::Registry;
use super::field::{Auto, Check, Field, Kind, Schema};
use super::plugin::PluginSchema;

/// `GET /schemas/{entity}`
pub fn entity(schema: &Schema) -> Value {
    let fields: Vec<Value> = schema.fields.iter().filter(|field| !field.internal).map(named).collect();
    let mut described = json!({ "fields": fields });
    if !schema.shorthands.is_empty() {
        described["shorthand_fields"] = schema.shorthands.iter().map(named).collect();
    }
    described
}

impl Registry {
    /// `GET /schemas/plugins/{name}`: the `plugins` entity as this plugin narrows it.
    pub fn describe_plugin(&self, plugin: &PluginSchema) -> Value {
        let hidden = ["id", "created_at", "updated_at", "instance_name", "tags"];
        let plugins = self.entity("plugins").map(|schema| schema.fields.as_slice()).unwrap_or_default();
        let shown = plugins.iter().filter(|field| !field.internal && !hidden.contains(&field.name));
        let fields: Vec<Value> = shown.map(|field| named(&plugin.narrow(field))).collect();
        json!({ "fields": fields })
    }
}

fn named(field: &Field) -> Value {
    Value::Object(Map::from_iter([(field.name.to_owned(), Value::Object(describe(field)))]))
}

/// One field's attributes; false and absent ones are left out.
fn describe(field: &Field) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    match &field.kind {
        Kind::String => put("type", json!("string")),
        Kind::Uuid => {
            put("type", json!("string"));
            put("uuid", json!(true));
        }
        Kind::Integer => put("type", json!("integer")),
        Kind::Timestamp => {
            put("type", json!("integer"));
            put("timestamp", json!(true));
        }
        Kind::Number => put("type", json!("number")),
        Kind::Boolean => put("type", json!("boolean")),
        Kind::Array(element) | Kind::Set(element) => {
            put("type", json!(if matches!(field.kind, Kind::Set(_)) { "set" } else { "array" }));
            put("elements", Value::Object(describe(element)));
        }
        Kind::Map(value) => {
            put("type", json!("map"));
            put("keys", json!({ "type": "string" }));
            put("values", Value::Object(describe(value)));
        }
        Kind::Record(fields) => {
            put("type", json!("record"));
            put("fields", fields.iter().map(named).collect());
        }
        Kind::Foreign { entity, .. } => {
            put("type", json!("foreign"));
            put("reference", json!(entity));
        }
        Kind::Json => {
            put("type", json!("record"));
            put("abstract", json!(true));
        }
    }
    for (name, set) in [("required", field.required), ("unique", field.unique), ("immutable", field.immutable)] {
        if set {
            put(name, json!(true));
        }
    }
    if field.auto.is_some() {
        put("auto", json!(true));
    }
    if let Some(default) = &field.default {
        put("default", default.clone());
    }
    for (name, value) in field.checks.iter().filter_map(attribute) {
        put(name, value);
    }
    if !field.description.is_empty() {
        put("description", json!(field.description));
    }
    out
}

fn attribute(check: &Check) -> Option<(&'static str, Value)> {
    Some(match check {
        Check::OneOf(words) => ("one_of", json!(words)),
        Check::OneOfIntegers(numbers) => ("one_of", json!(numbers)),
        Check::NotOneOf(words) => ("not_one_of", json!(words)),
        Check::Between(low, high) => ("between", json!([low, high])),
        Check::GreaterThan(limit) => ("gt", json!(limit)),
        Check::MinLength(least) => ("len_min", json!(least)),
        Check::MaxLength(most) => ("len_max", json!(most)),
        Check::Length(exactly) => ("len_eq", json!(exactly)),
        Check::StartsWith(prefix) => ("starts_with", json!(prefix)),
        Check::Contains(word) => ("contains", json!(word)),
        Check::Null => ("eq", Value::Null),
        Check::Rule(_) | Check::Keys(_) | Check::Record(_) => return None,
    })
}

/// Whether the gateway fills it on every write.
pub(super) fn is_stamped(field: &Field) -> bool {
    matches!(field.auto, Some(Auto::CreatedAt | Auto::UpdatedAt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_reads_as_kongs() {
        let registry = Registry::new(vec![
            PluginSchema::new("oauth2", 1400, vec![Field::boolean("mandatory_scope").required().default(false)])
                .without_consumer(),
        ]);
        let services = entity(registry.entity("services").unwrap());
        assert_eq!(services["fields"][0]["id"]["uuid"], json!(true));
        assert_eq!(services["fields"][0]["id"]["auto"], json!(true));
        assert_eq!(services["shorthand_fields"][0]["url"]["type"], json!("string"));
        let plugin = registry.describe_plugin(registry.plugin("oauth2").unwrap());
        let fields = plugin["fields"].as_array().unwrap();
        let consumer = fields.iter().find_map(|field| field.get("consumer")).unwrap();
        assert_eq!(consumer["eq"], Value::Null);
        assert!(consumer.as_object().unwrap().contains_key("eq"));
        let config = fields.iter().find_map(|field| field.get("config")).unwrap();
        assert_eq!(config["fields"][0]["mandatory_scope"]["default"], json!(false));
    }

    #[test]
    fn internal_fields_are_not_described() {
        let registry = Registry::new(Vec::new());
        let text = entity(registry.entity("plugins").unwrap()).to_string();
        assert!(!text.contains("cache_key") && !text.contains("provision_key"));
    }
}
