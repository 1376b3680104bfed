//! The Admin API as an OpenAPI 3.1 document, made from the registry: nothing here is written by hand twice.
//!
//! **Invariants:** every path, verb and status the server answers is in it; an answer's schema names every field the
//! server sends.
//!
//! **Absent on purpose:** HEAD and OPTIONS, which every path has.

mod paths;
mod registration;
mod types;

use serde_json::{Map, Value, json};

use super::Registry;

/// The document for this registry.
pub fn document(registry: &Registry, version: &str) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tollgate Admin API",
            "version": version,
            "description": "Compatible with Kong's Admin API on the entities below.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "token": [] }, { "bearer": [] }],
        "paths": paths::paths(registry),
        "components": {
            "schemas": schemas(registry),
            "securitySchemes": {
                "token": { "type": "apiKey", "in": "header", "name": "Kong-Admin-Token" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn schemas(registry: &Registry) -> Value {
    let mut schemas = Map::new();
    for schema in &registry.entities {
        let name = types::name(schema.name);
        schemas.insert(format!("{name}Page"), types::page(&name));
        schemas.insert(format!("{name}Body"), types::body(registry, schema, schema.posted));
        if schema.patched.is_some() {
            schemas.insert(format!("{name}Patch"), types::patch(registry, schema, schema.patched));
        }
        schemas.insert(name, types::answer(registry, schema));
    }
    for plugin in &registry.plugins {
        // Fields that are used together or not at all are null where they are not.
        schemas.insert(types::config_name(plugin.name), types::property(&plugin.without_group()));
    }
    schemas.extend(registration::schemas(registry));
    schemas.insert("Message".to_owned(), types::message());
    schemas.insert("Error".to_owned(), types::error());
    Value::Object(schemas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Field, PluginSchema};

    fn sample() -> Value {
        let plugin = PluginSchema::new("oauth2", 1400, vec![Field::boolean("mandatory_scope")]);
        document(&Registry::new(vec![plugin]), "1.2.3")
    }

    fn references(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(target)) = object.get("$ref") {
                    out.push(target.clone());
                }
                object.values().for_each(|value| references(value, out));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, out)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = sample();
        let mut targets = Vec::new();
        references(&document, &mut targets);
        assert!(!targets.is_empty());
        for target in targets {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }

    #[test]
    fn every_parameter_of_a_path_is_declared() {
        for (path, item) in sample()["paths"].as_object().unwrap() {
            let named = path.matches('{').count();
            let declared = item["parameters"].as_array().map_or(0, Vec::len);
            assert_eq!(named, declared, "{path}");
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let document = sample();
        let mut names = Vec::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                names.extend(operation["operationId"].as_str().map(str::to_owned));
            }
        }
        let all = names.len();
        assert!(all > 60);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn internal_fields_stay_inside() {
        let text = sample().to_string();
        for internal in ["cache_key", "family_id"] {
            assert!(!text.contains(internal), "{internal}");
        }
    }
}
