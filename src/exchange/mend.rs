//! What is taken out of an entity, or put right, before it is judged.

use serde_json::Value;

use super::given::is_empty;
use super::shape::{foreign_field, foreign_plugin};
use super::{Given, Input, Untaken};
use crate::schema::{Entity, Field, Kind, Registry};

/// Readies every entity for judging: what has no counterpart goes to the report.
pub(super) fn mend(registry: &Registry, input: &mut Input) {
    let Input { given, untaken, is_live, .. } = input;
    for one in given.iter_mut() {
        let Some(schema) = registry.entity(one.entity) else { continue };
        if one.entity == "certificates" {
            // A running Kong tells the names twice; they are entities.
            one.fields.shift_remove("snis");
        }
        let fields = schema.fields.iter().filter(|field| !field.internal);
        let known: Vec<&Field> = fields.chain(&schema.shorthands).collect();
        clear(one.entity, &one.place, &known, &mut one.fields, *is_live, untaken);
        if let Some(plugin) = plugin_of(one).and_then(|name| registry.plugin(name)) {
            let known: Vec<&Field> = plugin.config_fields().iter().collect();
            let place = format!("{}.config", one.place);
            if let Some(Value::Object(config)) = one.fields.get_mut("config") {
                clear(plugin.name, &place, &known, config, *is_live, untaken);
            }
        }
    }
}

/// Why a plugin is not taken, where it is not: there is none of its name.
pub(super) fn unknown_plugin(registry: &Registry, given: &Given) -> Option<String> {
    let name = plugin_of(given)?;
    registry.plugin(name).is_none().then(|| foreign_plugin(name))
}

fn plugin_of(given: &Given) -> Option<&str> {
    if given.entity == "plugins" { given.fields.get("name")?.as_str() } else { None }
}

fn clear(whose: &str, place: &str, known: &[&Field], fields: &mut Entity, is_live: bool, untaken: &mut Vec<Untaken>) {
    let mut left = Vec::new();
    fields.retain(|name, value| {
        let Some(field) = known.iter().find(|field| field.name == name) else {
            if is_empty(value) || is_computed(whose, name, value) {
                return false;
            }
            let Some(why) = foreign_field(whose, name).or(is_live.then_some("no such field")) else { return true };
            left.push(Untaken { place: format!("{place}.{name}"), reason: why.to_owned() });
            return false;
        };
        put_right(field, value);
        true
    });
    untaken.append(&mut left);
}

/// What a Kong writes beside what it was told.
fn is_computed(whose: &str, name: &str, value: &Value) -> bool {
    match (whose, name) {
        ("consumers", "type") => value == &Value::from(0),
        ("consumers", "username_lower") | (_, "ws_id") => true,
        _ => false,
    }
}

/// Kong's encoder writes an empty list as a record, and instants may have a fraction.
fn put_right(field: &Field, value: &mut Value) {
    match (&field.kind, &*value) {
        (Kind::Array(_) | Kind::Set(_), Value::Object(fields)) if fields.is_empty() => {
            *value = Value::Array(Vec::new())
        }
        (Kind::Map(_), Value::Array(values)) if values.is_empty() => *value = Value::Object(Entity::new()),
        (Kind::Timestamp | Kind::Integer, Value::Number(number)) if !number.is_i64() => {
            if let Some(seconds) =
                number.as_f64().filter(|seconds| matches!(field.kind, Kind::Timestamp) && seconds.abs() < 1e15)
            {
                *value = (seconds as i64).into();
            }
        }
        // How older versions write that there is none.
        (Kind::String, Value::String(text)) if field.name == "anonymous" && text.is_empty() => *value = Value::Null,
        (Kind::Record(inner), Value::Object(_)) => {
            let Value::Object(fields) = value else { return };
            for field in inner {
                if let Some(value) = fields.get_mut(field.name) {
                    put_right(field, value);
                }
            }
        }
        _ => {}
    }
}
