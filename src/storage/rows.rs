//! Entities to rows and back; here secrets are sealed and opened.

use rand::Rng;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::domain::{Keyring, SealedToken, Timestamp};
use crate::schema::Entity;

use super::StorageError;
use super::store::Outcome;
use super::table::{Column, Role, Table};
use super::value::{Row, Value};

/// Seals under a fresh nonce.
pub(super) fn seal(keyring: &Keyring, plain: &str, context: &str) -> Value {
    let mut nonce = [0; 12];
    rand::rng().fill_bytes(&mut nonce);
    Value::Bytes(keyring.seal(plain.as_bytes(), context, nonce).0)
}

/// What a sealed value is bound to: its table and field.
pub(super) fn context(table: &str, field: &str) -> String {
    format!("{table}.{field}")
}

pub(super) fn open(keyring: &Keyring, sealed: Vec<u8>, context: &str) -> Outcome<String> {
    let plain = keyring.open(&SealedToken(sealed), context)?;
    String::from_utf8(plain).map_err(|_| StorageError::Corrupt(format!("{context} is not a text")))
}

/// The parameters of insert and update: one value per column.
pub(super) fn params(table: &Table, entity: &Entity, keyring: &Keyring) -> Outcome<Vec<Value>> {
    table.columns.iter().map(|column| param(table, column, entity, keyring)).collect()
}

fn param(table: &Table, column: &Column, entity: &Entity, keyring: &Keyring) -> Outcome<Value> {
    if column.role == Role::Custom {
        let token = entity.get("access_token").and_then(Json::as_str);
        return Ok(Value::Bool(token.is_none_or(|token| !keyring.is_minted(token))));
    }
    let given = entity.get(column.field).unwrap_or(&Json::Null);
    if given.is_null() {
        return Ok(Value::Null);
    }
    if holds_nul(given) {
        return Err(StorageError::Unstorable { field: column.field.to_owned() });
    }
    let value = match (column.role, given) {
        (Role::Digest, Json::String(text)) => Some(keyring.digest(text.as_bytes()).into()),
        (Role::Sealed, Json::String(text)) => Some(seal(keyring, text, &context(table.name, column.field))),
        (role, given) => plain(role, given),
    };
    value.ok_or_else(|| StorageError::Other(format!("{}.{} is not {:?}", table.name, column.field, column.role)))
}

/// A JSON value as a column of this role takes it; `None` when it is of another type.
pub(super) fn plain(role: Role, given: &Json) -> Option<Value> {
    match role {
        Role::Text => given.as_str().map(Value::from),
        Role::Integer => whole(given).map(Value::Int),
        Role::Boolean => given.as_bool().map(Value::Bool),
        Role::Uuid => identifier(given).map(Value::Uuid),
        Role::Foreign => identifier(given.get("id").unwrap_or(given)).map(Value::Uuid),
        Role::Time => instant(given).map(Value::Time),
        Role::Json => Some(Value::Json(given.clone())),
        Role::Sealed | Role::Digest | Role::Custom => None,
    }
}

fn identifier(given: &Json) -> Option<Uuid> {
    given.as_str().and_then(|text| Uuid::parse_str(text).ok())
}

fn whole(given: &Json) -> Option<i64> {
    given.as_i64().or_else(|| given.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64))
}

fn instant(given: &Json) -> Option<Timestamp> {
    match given.as_i64() {
        Some(seconds) => Some(Timestamp::from_seconds(seconds)),
        None => given.as_f64().map(|seconds| Timestamp::from_millis((seconds * 1000.0) as i64)),
    }
}

/// PostgreSQL holds no NUL in texts; neither store is given one.
fn holds_nul(given: &Json) -> bool {
    match given {
        Json::String(text) => text.contains('\0'),
        Json::Array(elements) => elements.iter().any(holds_nul),
        Json::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// An entity from a row of [`Table::selected`]: every field of its schema, in order, null where unset.
pub(super) fn entity(table: &Table, row: Row, keyring: &Keyring) -> Outcome<Entity> {
    let mut found = row.read(table.name);
    let mut entity: Entity = table.fields.iter().map(|field| ((*field).to_owned(), Json::Null)).collect();
    for column in table.columns.iter().filter(|column| column.role.is_read()) {
        let value = match column.role {
            Role::Text => found.maybe_text()?.map(Json::from),
            Role::Integer => found.maybe_int()?.map(Json::from),
            Role::Boolean => found.maybe_bool()?.map(Json::from),
            Role::Uuid => found.maybe_uuid()?.map(|id| id.to_string().into()),
            Role::Foreign => found.maybe_uuid()?.map(|id| json!({ "id": id.to_string() })),
            Role::Time => found.maybe_time()?.map(|instant| instant.seconds().into()),
            Role::Json => found.maybe_json()?,
            Role::Sealed => match found.maybe_bytes()? {
                Some(sealed) => Some(open(keyring, sealed, &context(table.name, column.field))?.into()),
                None => None,
            },
            Role::Digest | Role::Custom => None,
        };
        if let Some(value) = value {
            entity.insert(column.field.to_owned(), value);
        }
    }
    Ok(entity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_another_type_are_not_taken() {
        assert_eq!(plain(Role::Integer, &json!(1.5)), None);
        assert_eq!(plain(Role::Integer, &json!(2.0)), Some(Value::Int(2)));
        assert_eq!(plain(Role::Foreign, &json!({ "id": "no" })), None);
        assert_eq!(plain(Role::Text, &json!(1)), None);
    }

    #[test]
    fn a_nul_is_found_wherever_it_hides() {
        assert!(holds_nul(&json!({ "a": [{ "b": "x\u{0}" }] })));
        assert!(holds_nul(&json!({ "\u{0}": 1 })));
        assert!(!holds_nul(&json!({ "a": ["b", 1, null] })));
    }
}
