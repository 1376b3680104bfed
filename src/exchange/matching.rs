//! Which stored entity a given one is.

use serde_json::Value;
use uuid::Uuid;

use super::Given;
use super::world::{World, id_of};
use crate::schema::{Auto, Entity, Schema, checks};

const PROVISION_KEY: &str = "provision_key";

/// The stored entity that is meant: by id, else by what it is known by. `fields` has ids for references.
pub(super) fn find_old(world: &World, schema: &Schema, fields: &Entity, names: &[String]) -> Option<Uuid> {
    let text = |field: &str| fields.get(field).and_then(Value::as_str);
    if let Some(id) = text("id").and_then(|id| id.parse().ok()).filter(|id| world.row(schema.name, *id).is_some()) {
        return Some(id);
    }
    let by = |field: &'static str| world.by_key(schema.name, field, text(field)?);
    match schema.name {
        // One of another name is another consumer, and its custom id then taken.
        "consumers" if text("username").is_some() => by("username"),
        "consumers" => by("custom_id"),
        "plugins" => by("instance_name").or_else(|| world.by_key("plugins", "cache_key", &place(fields))),
        "oauth2_credentials" => by("client_id").or_else(|| namesake(world, fields)),
        "certificates" => same_text(world, fields).or_else(|| by_server_name(world, names)),
        "ca_certificates" => world.by_key("ca_certificates", "cert_digest", &checks::digest(text("cert")?)?),
        _ => by(schema.key?),
    }
}

/// The server names that stand below a certificate.
pub(super) fn names_below(given: &[Given], nth: usize) -> Vec<String> {
    if given[nth].entity != "certificates" {
        return Vec::new();
    }
    let below = given.iter().filter(|one| one.parent == Some(("certificate", nth)));
    below.filter_map(|sni| sni.fields.get("name")?.as_str().map(str::to_owned)).collect()
}

/// As the catalog writes a plugin's place.
fn place(plugin: &Entity) -> String {
    let part = |field: &str| plugin.get(field).and_then(|value| value.get("id")?.as_str()).unwrap_or_default();
    let name = plugin.get("name").and_then(Value::as_str).unwrap_or_default();
    format!("plugins:{name}:{}:{}:{}", part("route"), part("service"), part("consumer"))
}

/// A credential without a client id of its own is the consumer's of that name.
fn namesake(world: &World, fields: &Entity) -> Option<Uuid> {
    if fields.contains_key("client_id") || fields.contains_key("id") {
        return None;
    }
    let same = |row: &&Entity| ["consumer", "name"].iter().all(|field| row.get(*field) == fields.get(*field));
    world.rows("oauth2_credentials").filter(same).filter_map(id_of).min()
}

fn same_text(world: &World, fields: &Entity) -> Option<Uuid> {
    let text = |entity: &Entity| entity.get("cert").and_then(Value::as_str).map(|cert| cert.trim().to_owned());
    let cert = text(fields)?;
    world.rows("certificates").filter(|row| text(row).as_ref() == Some(&cert)).filter_map(id_of).min()
}

/// A certificate that was renewed is another text for the same server names.
fn by_server_name(world: &World, names: &[String]) -> Option<Uuid> {
    let sni = names.iter().find_map(|name| world.by_key("snis", "name", name))?;
    world.row("snis", sni)?.get("certificate")?.get("id")?.as_str()?.parse().ok()
}

/// What was generated here stays, where the source does not name it.
pub(super) fn keep_what_was_made(schema: &Schema, old: &Entity, fields: &mut Entity) {
    for field in schema.fields.iter().filter(|field| field.auto == Some(Auto::Token)) {
        if fields.get(field.name).is_none_or(Value::is_null)
            && let Some(value) = old.get(field.name)
        {
            fields.insert(field.name.to_owned(), value.clone());
        }
    }
    let key = old.get("config").and_then(|config| config.get(PROVISION_KEY)).filter(|key| !key.is_null());
    let (Some(key), "plugins") = (key, schema.name) else { return };
    let config = fields.entry("config").or_insert_with(|| Value::Object(Entity::new()));
    if let Value::Object(config) = config
        && config.get(PROVISION_KEY).is_none_or(Value::is_null)
    {
        config.insert(PROVISION_KEY.to_owned(), key.clone());
    }
}

/// A stored entity that is the same in all that was given, for those that nothing names (a route without a name).
pub(super) fn twin(
    world: &World,
    schema: &Schema,
    fields: &Entity,
    entity: &Entity,
    is_used: impl Fn(Uuid) -> bool,
) -> Option<Entity> {
    let is_made = |field: &&crate::schema::Field| field.auto.is_none() || fields.contains_key(field.name);
    let compared: Vec<_> = schema.fields.iter().filter(is_made).filter(|field| !field.internal).collect();
    let same = |row: &&Entity| compared.iter().all(|field| row.get(field.name) == entity.get(field.name));
    let unused = |row: &&Entity| id_of(row).is_some_and(|id| !is_used(id));
    world.rows(schema.name).filter(unused).filter(same).min_by_key(|row| id_of(row)).cloned()
}
