//! Plugins: where each stands, the provision key that rests sealed in a column of its own, and the display name that is
//! unique.

use serde_json::{Map, Value};

use crate::engine::catalog::references::referred;
use crate::schema::{Entity, Registry};

const PROVISION_KEY: &str = "provision_key";
const DISPLAY_NAME: &str = "display_name";
const APPLICATION_REGISTRATION: &str = "application-registration";

/// `plugins:<name>:<route>:<service>:<consumer>`: one plugin of a name per place.
pub(super) fn set_cache_key(plugin: &mut Entity) {
    let part = |field: &str| referred(plugin, field).unwrap_or_default();
    let name = plugin.get("name").and_then(Value::as_str).unwrap_or_default();
    let key = format!("plugins:{name}:{}:{}:{}", part("route"), part("service"), part("consumer"));
    plugin.insert("cache_key".to_owned(), key.into());
}

/// The name that a service has in the portal is unique over all of them; other plugins that have one are free.
pub(super) fn set_display_name(plugin: &mut Entity) {
    let of_gate = plugin.get("name").and_then(Value::as_str) == Some(APPLICATION_REGISTRATION);
    let name = plugin.get("config").filter(|_| of_gate).and_then(|config| config.get(DISPLAY_NAME)).cloned();
    plugin.insert(DISPLAY_NAME.to_owned(), name.unwrap_or_default());
}

/// What a plugin must be alone with.
pub(super) fn place(plugin: &Entity) -> Map<String, Value> {
    let fields = ["consumer", "name", "route", "service"];
    fields.into_iter().map(|name| (name.to_owned(), plugin.get(name).cloned().unwrap_or_default())).collect()
}

/// Moves `config.provision_key` to the sealed column.
pub(super) fn without_provision_key(plugin: &Entity) -> Entity {
    let mut plugin = plugin.clone();
    let key = match plugin.get_mut("config") {
        Some(Value::Object(config)) => config.shift_remove(PROVISION_KEY),
        _ => None,
    };
    plugin.insert(PROVISION_KEY.to_owned(), key.unwrap_or_default());
    plugin
}

/// Puts it back, and gives `config` every field of today's schema in its order (a JSON column keeps neither).
pub(super) fn with_provision_key(registry: &Registry, mut plugin: Entity) -> Entity {
    let known = plugin.get("name").and_then(Value::as_str).and_then(|name| registry.plugin(name));
    let Some(known) = known else { return plugin };
    let key = plugin.get(PROVISION_KEY).cloned().unwrap_or_default();
    let Some(Value::Object(mut stored)) = plugin.get_mut("config").map(Value::take) else { return plugin };
    let mut config = Map::new();
    for field in known.config_fields() {
        let value = match stored.shift_remove(field.name) {
            Some(value) => value,
            None if field.name == PROVISION_KEY => key.clone(),
            None => field.default.clone().unwrap_or_default(),
        };
        config.insert(field.name.to_owned(), value);
    }
    config.extend(stored);
    plugin.insert("config".to_owned(), Value::Object(config));
    plugin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Auto, Field, PluginSchema};
    use serde_json::json;

    fn entity(value: Value) -> Entity {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_place_is_a_key() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        let mut plugin = entity(json!({"name": "oauth2", "route": null, "service": {"id": id}, "consumer": null}));
        set_cache_key(&mut plugin);
        assert_eq!(plugin["cache_key"], format!("plugins:oauth2::{id}:"));
    }

    #[test]
    fn only_a_gate_has_its_display_name_apart() {
        for (name, wanted) in [("application-registration", json!("d")), ("other", Value::Null)] {
            let mut plugin = entity(json!({"name": name, "config": {"display_name": "d"}, "display_name": "old"}));
            set_display_name(&mut plugin);
            assert_eq!(plugin["display_name"], wanted);
        }
    }

    #[test]
    fn the_provision_key_goes_and_comes_back() {
        let config = vec![Field::boolean("a").default(true), Field::string("provision_key").auto(Auto::Token)];
        let registry = Registry::new(vec![PluginSchema::new("oauth2", 1, config)]);
        let plugin =
            entity(json!({"name": "oauth2", "config": {"a": false, "provision_key": "k"}, "provision_key": null}));
        let stored = without_provision_key(&plugin);
        assert_eq!(stored["provision_key"], "k");
        assert_eq!(stored["config"], json!({"a": false}));
        assert_eq!(with_provision_key(&registry, stored)["config"], plugin["config"]);
    }

    #[test]
    fn a_field_that_is_newer_than_the_row_shows_its_default() {
        let registry = Registry::new(vec![PluginSchema::new("p", 1, vec![Field::boolean("a").default(true)])]);
        let plugin = with_provision_key(&registry, entity(json!({"name": "p", "config": {}})));
        assert_eq!(plugin["config"], json!({"a": true}));
    }
}
