//! Fields and entities as JSON Schema (the dialect of OpenAPI 3.1).

use serde_json::{Map, Value, json};

use crate::schema::endpoint::singular;
use crate::schema::{Check, Field, Kind, Registry, Schema, describe};

/// `oauth2_credentials` becomes `Oauth2Credential`.
pub(super) fn name(entity: &str) -> String {
    singular(entity).split(['_', '-']).map(capitalized).collect()
}

pub(super) fn config_name(plugin: &str) -> String {
    format!("PluginConfig{}", plugin.split(['_', '-']).map(capitalized).collect::<String>())
}

pub(super) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// What the server sends: every public field, always.
pub(super) fn answer(registry: &Registry, schema: &Schema) -> Value {
    let fields: Vec<&Field> = schema.fields.iter().filter(|field| !field.internal).chain(&schema.virtuals).collect();
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), entity_property(registry, schema, field))).collect();
    json!({ "type": "object", "description": schema.description, "required": names, "properties": properties })
}

/// What a client may send; of what may only be said in part, the `allowed` fields.
pub(super) fn body(registry: &Registry, schema: &Schema, allowed: Option<&[&str]>) -> Value {
    let known = schema.fields.iter().filter(|field| !field.internal).chain(&schema.shorthands);
    let fields: Vec<&Field> =
        known.filter(|field| allowed.is_none_or(|allowed| allowed.contains(&field.name))).collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required && field.default.is_none() && field.auto.is_none())
        .map(|field| field.name)
        .collect();
    let mut properties = Map::new();
    for field in fields {
        let mut property = entity_property(registry, schema, field);
        if let Some(default) = &field.default {
            property["default"] = default.clone();
        }
        properties.insert(field.name.to_owned(), property);
    }
    let mut described = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let all_by_shorthand = schema.name == "services";
    if !required.is_empty() && !all_by_shorthand {
        described["required"] = json!(required);
    }
    described
}

/// The same for a change: nothing need be in it.
pub(super) fn patch(registry: &Registry, schema: &Schema, allowed: Option<&[&str]>) -> Value {
    let mut described = body(registry, schema, allowed);
    if let Some(described) = described.as_object_mut() {
        described.remove("required");
    }
    described
}

fn entity_property(registry: &Registry, schema: &Schema, field: &Field) -> Value {
    if schema.name == "plugins" && field.name == "config" && !registry.plugins.is_empty() {
        let configs: Vec<Value> = registry.plugins.iter().map(|plugin| reference(&config_name(plugin.name))).collect();
        return json!({ "description": field.description, "anyOf": configs });
    }
    property(field)
}

/// One field. What need not be there may be null.
pub(super) fn property(field: &Field) -> Value {
    let mut out = kind(field);
    let always = field.required || field.auto.is_some();
    if !always && let Some(Value::String(kind)) = out.get("type").cloned() {
        out.insert("type".to_owned(), json!([kind, "null"]));
        if let Some(Value::Array(words)) = out.get_mut("enum") {
            words.push(Value::Null);
        }
    }
    if !field.description.is_empty() {
        out.insert("description".to_owned(), json!(field.description));
    }
    Value::Object(out)
}

fn kind(field: &Field) -> Map<String, Value> {
    let described = match &field.kind {
        Kind::String => json!({ "type": "string" }),
        Kind::Uuid => json!({ "type": "string", "format": "uuid" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Timestamp => json!({ "type": "integer", "format": "int64" }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Array(element) => json!({ "type": "array", "items": element_of(element) }),
        Kind::Set(element) => json!({ "type": "array", "uniqueItems": true, "items": element_of(element) }),
        Kind::Map(value) => json!({ "type": "object", "additionalProperties": element_of(value) }),
        Kind::Record(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
            json!({ "type": "object", "additionalProperties": false, "properties": properties })
        }
        Kind::Foreign { .. } => json!({
            "type": "object",
            "properties": { "id": { "type": "string", "format": "uuid" } },
        }),
        Kind::Json => json!({ "type": "object" }),
    };
    let mut out = described.as_object().cloned().unwrap_or_default();
    for check in &field.checks {
        constrain(&field.kind, check, &mut out);
    }
    if describe::is_stamped(field) {
        out.insert("readOnly".to_owned(), json!(field.name == "updated_at"));
    }
    out
}

fn element_of(field: &Field) -> Value {
    let mut element = kind(field);
    if !field.description.is_empty() {
        element.insert("description".to_owned(), json!(field.description));
    }
    Value::Object(element)
}

fn constrain(kind: &Kind, check: &Check, out: &mut Map<String, Value>) {
    let (least, most) = match kind {
        Kind::Array(_) | Kind::Set(_) => ("minItems", "maxItems"),
        Kind::Map(_) => ("minProperties", "maxProperties"),
        _ => ("minLength", "maxLength"),
    };
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    match check {
        Check::OneOf(words) => put("enum", json!(words)),
        Check::OneOfIntegers(numbers) => put("enum", json!(numbers)),
        Check::NotOneOf(words) => put("not", json!({ "enum": words })),
        Check::Between(low, high) => {
            put("minimum", json!(low));
            put("maximum", json!(high));
        }
        Check::GreaterThan(limit) => put("exclusiveMinimum", json!(limit)),
        Check::MinLength(length) => put(least, json!(length)),
        Check::MaxLength(length) => put(most, json!(length)),
        Check::Length(length) => {
            put(least, json!(length));
            put(most, json!(length));
        }
        Check::Contains(word) => put("contains", json!({ "const": word })),
        Check::StartsWith(_) | Check::Null | Check::Rule(_) | Check::Keys(_) | Check::Record(_) => {}
    }
}

pub(super) fn page(name: &str) -> Value {
    json!({
        "type": "object",
        "required": ["data", "next"],
        "properties": {
            "data": { "type": "array", "items": reference(name) },
            "next": { "type": ["string", "null"], "description": "The path of the next page." },
            "offset": { "type": "string", "description": "What the next page begins after." },
            "total": { "type": "integer", "description": "How many there are; left out above 100000." },
        },
    })
}

pub(super) fn message() -> Value {
    json!({ "type": "object", "required": ["message"], "properties": { "message": { "type": "string" } } })
}

pub(super) fn error() -> Value {
    json!({
        "type": "object",
        "required": ["message"],
        "properties": {
            "code": { "type": "integer" },
            "name": { "type": "string" },
            "message": { "type": "string" },
            "fields": { "type": "object", "description": "Violations in the shape of the body." },
        },
    })
}
