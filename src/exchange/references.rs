//! References of a given entity become ids of this store.

use serde_json::{Value, json};
use uuid::Uuid;

use super::world::World;
use super::{Given, Problem};
use crate::schema::{Entity, Kind, Registry, Schema};

/// The fields with ids for references. `None`: what it stands below was left out.
///
/// # Errors
/// References that lead nowhere.
pub(super) fn resolved(
    world: &World,
    registry: &Registry,
    schema: &Schema,
    one: &Given,
    ids: &[Option<Uuid>],
) -> Result<Option<Entity>, Vec<Problem>> {
    let (mut fields, mut problems) = (one.fields.clone(), Vec::new());
    if let Some((field, nth)) = one.parent {
        let Some(id) = ids.get(nth).copied().flatten() else { return Ok(None) };
        fields.insert(field.to_owned(), json!({ "id": id.to_string() }));
    }
    older_names(schema, &mut fields);
    for field in &schema.fields {
        let Kind::Foreign { entity, .. } = field.kind else { continue };
        let is_parent = one.parent.is_some_and(|(name, _)| name == field.name);
        let Some(given) = fields.get(field.name).filter(|_| !is_parent) else { continue };
        match world.resolve(registry, entity, &format!("{}.{}", one.place, field.name), given) {
            Ok(Some(id)) => drop(fields.insert(field.name.to_owned(), json!({ "id": id.to_string() }))),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    match schema.name {
        "services" => authorities(world, &one.place, &mut fields, &mut problems),
        "plugins" => anonymous(world, &mut fields),
        _ => {}
    }
    if problems.is_empty() { Ok(Some(fields)) } else { Err(problems) }
}

/// Tokens of older versions name their credential and service so.
fn older_names(schema: &Schema, fields: &mut Entity) {
    if schema.name != "oauth2_tokens" {
        return;
    }
    for (older, name) in [("credential_id", "credential"), ("service_id", "service")] {
        if let Some(Value::String(id)) = fields.shift_remove(older)
            && fields.get(name).is_none_or(Value::is_null)
        {
            fields.insert(name.to_owned(), json!({ "id": id }));
        }
    }
}

/// Ids in a list, which the store does not judge.
fn authorities(world: &World, place: &str, fields: &mut Entity, problems: &mut Vec<Problem>) {
    let Some(Value::Array(ids)) = fields.get_mut("ca_certificates") else { return };
    for (nth, id) in ids.iter_mut().enumerate() {
        let Some(text) = id.as_str() else { continue };
        match world.by_id("ca_certificates", text) {
            Some(found) => *id = found.to_string().into(),
            None => problems.push(Problem::new(
                format!("{place}.ca_certificates[{nth}]"),
                format!("the foreign key '{{id=\"{text}\"}}' does not reference an existing 'ca_certificates' entity"),
            )),
        }
    }
}

/// A plugin may name a consumer by its id in its settings.
fn anonymous(world: &World, fields: &mut Entity) {
    let Some(Value::Object(config)) = fields.get_mut("config") else { return };
    let named = config.get("anonymous").and_then(Value::as_str);
    if let Some(id) = named.filter(|text| text.parse::<Uuid>().is_ok()).and_then(|id| world.by_id("consumers", id)) {
        config.insert("anonymous".to_owned(), id.to_string().into());
    }
}
