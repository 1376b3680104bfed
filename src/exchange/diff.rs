//! What a plan would do, for people: one line per entity, no secret in it.

use serde_json::Value;

use crate::schema::{Entity, Schema, Seal};

/// Longer values are cut: a certificate is no difference to be read.
const LONGEST: usize = 120;
/// Set at every write.
const NOT_COMPARED: &[&str] = &["updated_at"];
/// Settings of plugins that are secrets.
const SECRET_SETTINGS: &[&str] = &["provision_key"];
const MASKED: &str = "(secret)";

/// The fields in which two versions of an entity differ: name, before, after; secrets masked.
pub(super) fn differences(schema: &Schema, old: &Entity, new: &Entity) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for field in &schema.fields {
        let pair = (old.get(field.name).unwrap_or(&Value::Null), new.get(field.name).unwrap_or(&Value::Null));
        if pair.0 == pair.1 || NOT_COMPARED.contains(&field.name) || derived(schema, field.name) {
            continue;
        }
        match pair {
            (Value::Object(before), Value::Object(after)) if field.name == "config" => {
                settings(before, after, &mut found);
            }
            (before, after) => {
                let is_secret = field.seal != Seal::Clear;
                found.push((field.name.to_owned(), shown(before, is_secret), shown(after, is_secret)));
            }
        }
    }
    found
}

/// Columns that repeat what stands in other fields.
fn derived(schema: &Schema, field: &str) -> bool {
    schema.name == "plugins" && ["cache_key", "provision_key", "display_name"].contains(&field)
}

fn settings(before: &Entity, after: &Entity, found: &mut Vec<(String, String, String)>) {
    let added = after.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(added) {
        let pair = (before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
        if pair.0 != pair.1 {
            let is_secret = SECRET_SETTINGS.contains(&name.as_str());
            found.push((format!("config.{name}"), shown(pair.0, is_secret), shown(pair.1, is_secret)));
        }
    }
}

fn shown(value: &Value, is_secret: bool) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    let text = if is_secret { MASKED.to_owned() } else { value.to_string() };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What an entity is called, without its secrets.
pub(super) fn label(schema: &Schema, entity: &Entity) -> String {
    let text = |field: &str| entity.get(field).and_then(Value::as_str);
    let open = |field: &&str| schema.field(field).is_none_or(|field| field.seal == Seal::Clear);
    let mut names = ["instance_name", "name", "username", "custom_id", "client_id", "key"].into_iter().filter(open);
    let name = names.find_map(text).or_else(|| text("id")).unwrap_or_default();
    let on = ["service", "route", "consumer"].into_iter();
    let on: Vec<&str> = on.filter(|field| entity.get(*field).is_some_and(Value::is_object)).collect();
    if schema.name == "plugins" && !on.is_empty() {
        format!("{name} (on a {})", on.join(" and a "))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Field;
    use serde_json::json;

    fn entity(value: Value) -> Entity {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn differences_are_told_by_field_and_secrets_are_not() {
        let schema = Schema::new(
            "things",
            "",
            vec![
                Field::string("name"),
                Field::string("key").seal(Seal::Sealed),
                Field::json("config"),
                Field::updated_at(),
            ],
        );
        let old =
            entity(json!({"name": "a", "key": "hunter2", "config": {"n": 1, "provision_key": "p"}, "updated_at": 1}));
        let new =
            entity(json!({"name": "b", "key": "other", "config": {"n": 2, "provision_key": "q"}, "updated_at": 2}));
        let told = differences(&schema, &old, &new);
        let told: Vec<_> = told.iter().map(|(name, old, new)| format!("{name} {old} -> {new}")).collect();
        let wanted = [
            "name \"a\" -> \"b\"",
            "key (secret) -> (secret)",
            "config.n 1 -> 2",
            "config.provision_key (secret) -> (secret)",
        ];
        assert_eq!(told, wanted);
        assert!(differences(&schema, &old, &old).is_empty());
    }

    #[test]
    fn long_values_are_cut_between_letters() {
        let text = shown(&json!("é".repeat(500)), false);
        assert!(text.ends_with('…') && text.chars().count() == LONGEST + 1);
    }
}
