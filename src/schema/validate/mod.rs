//! A body becomes an entity, or all that is wrong with it.

use serde_json::Value;

use super::Entity;
use super::accept::{self, Generate};
use super::field::{Field, Kind, Schema, Write};
use super::violations::{Fault, Violations};

/// A sound body: what is stored, and the shorthands that came with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// Every field of the schema in its order.
    pub entity: Entity,
    /// Given shorthand fields (`ttl`, `snis`), for whoever resolves them.
    pub shorthands: Entity,
}

/// A body for a new entity: defaults and generated values fill what is missing.
///
/// # Errors
/// All violations at once.
pub fn insert(schema: &Schema, given: Entity, generate: &mut Generate<'_>) -> Result<Accepted, Violations> {
    judge(schema, Write::Insert, given, None, generate)
}

/// A body that replaces an entity (or makes it): a missing field takes its default; what a client cannot know (id,
/// creation, internal fields) stays.
///
/// # Errors
/// All violations at once.
pub fn replace(
    schema: &Schema,
    given: Entity,
    old: Option<&Entity>,
    generate: &mut Generate<'_>,
) -> Result<Accepted, Violations> {
    judge(schema, Write::Replace, given, old, generate)
}

/// A body that changes an entity: records merge, arrays and maps are replaced, null clears.
///
/// # Errors
/// All violations at once.
pub fn patch(
    schema: &Schema,
    given: Entity,
    old: &Entity,
    generate: &mut Generate<'_>,
) -> Result<Accepted, Violations> {
    judge(schema, Write::Patch, given, Some(old), generate)
}

fn judge(
    schema: &Schema,
    write: Write,
    mut given: Entity,
    old: Option<&Entity>,
    generate: &mut Generate<'_>,
) -> Result<Accepted, Violations> {
    let mut violations = Violations::new();
    let shorthands = take_shorthands(schema, write, &mut given, generate, &mut violations);
    if let Some(expand) = schema.expand {
        expand(write, &mut given);
    }
    for shorthand in &schema.shorthands {
        given.remove(shorthand.name);
    }
    unknown_names(schema, &given, &mut violations);
    if let Some(old) = old {
        immutable(schema, &given, old, &mut violations);
        given = match write {
            Write::Patch => merged(&schema.fields, given, old),
            Write::Insert | Write::Replace => kept(schema, given, old),
        };
    }
    let mut entity = Entity::new();
    for field in &schema.fields {
        let (value, fault) = field_value(field, given.remove(field.name), generate);
        if let Some(fault) = fault {
            violations.put(field.name, fault);
        }
        entity.insert(field.name.to_owned(), value);
    }
    for (field, text) in schema.checks.iter().flat_map(|check| check(&entity)) {
        violations.add(&field, text);
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    if let Some(derive) = schema.derive {
        derive(&mut entity);
    }
    Ok(Accepted { entity, shorthands })
}

fn field_value(field: &Field, given: Option<Value>, generate: &mut Generate<'_>) -> (Value, Option<Fault>) {
    if field.internal {
        let kept = given.filter(|value| !value.is_null()).or_else(|| field.default.clone());
        return (kept.unwrap_or_default(), None);
    }
    accept::accept(field, given, generate)
}

/// Judges the given shorthands. They stay in the body as well, for [`Schema::expand`] to read.
fn take_shorthands(
    schema: &Schema,
    write: Write,
    given: &mut Entity,
    generate: &mut Generate<'_>,
    violations: &mut Violations,
) -> Entity {
    let mut shorthands = Entity::new();
    for field in &schema.shorthands {
        let Some(value) = given.get(field.name) else { continue };
        let (value, fault) = accept::accept(field, Some(value.clone()), generate);
        match fault {
            Some(fault) => {
                given.remove(field.name);
                violations.put(field.name, fault);
            }
            None if write == Write::Insert && value.is_null() => {}
            None => {
                shorthands.insert(field.name.to_owned(), value);
            }
        }
    }
    shorthands
}

fn unknown_names(schema: &Schema, given: &Entity, violations: &mut Violations) {
    for name in given.keys() {
        if schema.field(name).is_none_or(|field| field.internal) {
            violations.add(name, accept::UNKNOWN);
        }
    }
}

fn immutable(schema: &Schema, given: &Entity, old: &Entity, violations: &mut Violations) {
    for field in schema.fields.iter().filter(|field| field.immutable) {
        let changed = given.get(field.name).is_some_and(|value| !same(field, value, old.get(field.name)));
        if changed {
            violations.add(field.name, "immutable field cannot be updated");
        }
    }
}

fn same(field: &Field, value: &Value, old: Option<&Value>) -> bool {
    let (Some(value), Some(old)) = (value.as_str(), old.and_then(Value::as_str)) else { return Some(value) == old };
    if matches!(field.kind, Kind::Uuid) { value.eq_ignore_ascii_case(old) } else { value == old }
}

/// What a replacing body does not name, and a client cannot be asked for.
fn kept(schema: &Schema, mut given: Entity, old: &Entity) -> Entity {
    for field in &schema.fields {
        let stays = field.internal || field.immutable || field.name == "created_at";
        let missing = given.get(field.name).is_none_or(Value::is_null);
        if stays
            && missing
            && let Some(value) = old.get(field.name)
        {
            given.insert(field.name.to_owned(), value.clone());
        }
    }
    given
}

/// The old entity with the given fields laid over it; records merge.
fn merged(fields: &[Field], mut given: Entity, old: &Entity) -> Entity {
    let mut whole = Entity::new();
    for field in fields {
        let before = old.get(field.name);
        let value = match (given.remove(field.name), before, &field.kind) {
            (Some(Value::Object(new)), Some(Value::Object(before)), Kind::Record(inner)) => {
                Some(Value::Object(merged(inner, new, before)))
            }
            (Some(value), ..) => Some(value),
            (None, before, _) => before.cloned(),
        };
        if let Some(value) = value {
            whole.insert(field.name.to_owned(), value);
        }
    }
    whole.extend(given);
    whole
}

#[cfg(test)]
mod tests;
