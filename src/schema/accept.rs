//! One value against one field: presence, defaults, type, checks.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Number, Value};
use uuid::Uuid;

use super::field::{Auto, Check, Field, Kind};
use super::violations::{Fault, Violations};

/// Makes values the gateway generates: ids, instants, tokens.
pub type Generate<'g> = dyn FnMut(Auto) -> Value + 'g;

/// 9999-12-31T23:59:59Z: the last second every store can hold.
const LAST_SECOND: i64 = 253_402_300_799;
const REQUIRED: &str = "required field missing";
pub(super) const UNKNOWN: &str = "unknown field";

/// Takes what was given for a field (nothing, null or a value) and gives what will be stored, and what is wrong with
/// it. Faulty values come back as they are, so that checks across fields can still see them.
pub(super) fn accept(field: &Field, given: Option<Value>, generate: &mut Generate<'_>) -> (Value, Option<Fault>) {
    let value = match (given, field.auto) {
        (_, Some(Auto::UpdatedAt)) => generate(Auto::UpdatedAt),
        (None | Some(Value::Null), Some(auto)) => generate(auto),
        (None, None) => default(field),
        (Some(Value::Null), None) if field.required && matches!(field.kind, Kind::Record(_)) => default(field),
        (Some(value), None | Some(_)) => value,
    };
    if value.is_null() {
        return (Value::Null, field.required.then(|| Fault::text(REQUIRED)));
    }
    let (value, fault) = typed(field, value, generate);
    let fault = fault.or_else(|| check(field, &value));
    (value, fault)
}

/// A record's default is made of its fields' defaults.
fn default(field: &Field) -> Value {
    match (&field.default, &field.kind) {
        (Some(value), _) => value.clone(),
        (None, Kind::Record(_)) if field.required => Value::Object(Map::new()),
        (None, _) => Value::Null,
    }
}

fn typed(field: &Field, value: Value, generate: &mut Generate<'_>) -> (Value, Option<Fault>) {
    match &field.kind {
        Kind::String => string(value),
        Kind::Boolean => expect(value, Value::is_boolean, "expected a boolean"),
        Kind::Number => expect(value, Value::is_number, "expected a number"),
        Kind::Integer => integer(value, "expected an integer"),
        Kind::Timestamp => timestamp(value),
        Kind::Uuid => uuid(value),
        Kind::Json => record_like(value, "expected a record"),
        Kind::Array(element) => list(element, value, false, generate),
        Kind::Set(element) => list(element, value, true, generate),
        Kind::Map(element) => map(field, element, value, generate),
        Kind::Record(fields) => match record_like(value, "expected a record") {
            (Value::Object(object), None) => {
                let (object, violations) = record(fields, object, generate);
                let fault = (!violations.is_empty()).then_some(Fault::Fields(violations));
                (Value::Object(object), fault)
            }
            faulty => faulty,
        },
        Kind::Foreign { .. } => foreign(value),
    }
}

fn expect(value: Value, is: fn(&Value) -> bool, text: &str) -> (Value, Option<Fault>) {
    let fault = (!is(&value)).then(|| Fault::text(text));
    (value, fault)
}

fn string(value: Value) -> (Value, Option<Fault>) {
    let fault = match value.as_str() {
        None => Some(Fault::text("expected a string")),
        Some(text) if text.contains('\0') => Some(Fault::text("must not contain a null character")),
        Some(_) => None,
    };
    (value, fault)
}

/// `5.0` is the integer 5, as for a client that knows only floating point.
fn integer(value: Value, text: &str) -> (Value, Option<Fault>) {
    let whole = value.as_i64().or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).and_then(exact));
    match whole {
        Some(whole) => (Value::Number(Number::from(whole)), None),
        None => (value, Some(Fault::text(text))),
    }
}

/// A whole number that a double holds exactly.
fn exact(number: f64) -> Option<i64> {
    (number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

fn timestamp(value: Value) -> (Value, Option<Fault>) {
    let whole = value.as_f64().map(f64::floor).and_then(exact).filter(|seconds| (0..=LAST_SECOND).contains(seconds));
    match whole {
        Some(seconds) => (seconds.into(), None),
        None if value.is_number() => (value, Some(Fault::text("expected a valid timestamp"))),
        None => (value, Some(Fault::text("expected an integer"))),
    }
}

fn uuid(value: Value) -> (Value, Option<Fault>) {
    let Some(text) = value.as_str() else { return (value, Some(Fault::text("expected a string"))) };
    match Uuid::try_parse(text) {
        Ok(id) if text.len() == 36 => (Value::String(id.hyphenated().to_string()), None),
        _ => (value, Some(Fault::text("expected a valid UUID"))),
    }
}

/// An empty array is an empty record: some clients cannot tell them apart.
fn record_like(value: Value, text: &str) -> (Value, Option<Fault>) {
    match value {
        Value::Object(_) => (value, None),
        Value::Array(items) if items.is_empty() => (Value::Object(Map::new()), None),
        other => (other, Some(Fault::text(text))),
    }
}

fn list(element: &Field, value: Value, distinct: bool, generate: &mut Generate<'_>) -> (Value, Option<Fault>) {
    let items = match value {
        Value::Array(items) => items,
        Value::Object(object) if object.is_empty() => Vec::new(),
        other => {
            let text = if distinct { "expected a set" } else { "expected an array" };
            return (other, Some(Fault::text(text)));
        }
    };
    let mut kept = Vec::with_capacity(items.len());
    let mut faults = BTreeMap::new();
    let mut seen = HashSet::new();
    for (place, item) in items.into_iter().enumerate() {
        let null = item.is_null();
        let (item, fault) = accept(element, Some(item), generate);
        let fault = fault.or_else(|| null.then(|| Fault::text(type_text(&element.kind))));
        if let Some(fault) = fault {
            faults.insert(place, fault);
        }
        if !distinct || seen.insert(item.to_string()) {
            kept.push(item);
        }
    }
    (Value::Array(kept), (!faults.is_empty()).then_some(Fault::Elements(faults)))
}

fn type_text(kind: &Kind) -> &'static str {
    match kind {
        Kind::String | Kind::Uuid => "expected a string",
        Kind::Integer | Kind::Timestamp => "expected an integer",
        Kind::Number => "expected a number",
        Kind::Boolean => "expected a boolean",
        Kind::Array(_) => "expected an array",
        Kind::Set(_) => "expected a set",
        Kind::Map(_) => "expected a map",
        Kind::Record(_) | Kind::Foreign { .. } | Kind::Json => "expected a record",
    }
}

fn map(field: &Field, element: &Field, value: Value, generate: &mut Generate<'_>) -> (Value, Option<Fault>) {
    let (value, fault) = record_like(value, "expected a map");
    let Value::Object(object) = value else { return (value, fault) };
    let mut kept = Map::new();
    let mut violations = Violations::new();
    for (key, item) in object {
        let null = item.is_null();
        let (item, fault) = accept(element, Some(item), generate);
        let fault = fault.or_else(|| null.then(|| Fault::text(type_text(&element.kind))));
        let key_fault = key_rules(field, &key).map(Fault::text);
        if let Some(fault) = key_fault.or(fault) {
            violations.put(&key, fault);
        }
        kept.insert(key, item);
    }
    (Value::Object(kept), (!violations.is_empty()).then_some(Fault::Fields(violations)))
}

fn key_rules(field: &Field, key: &str) -> Option<String> {
    if key.contains('\0') {
        return Some("must not contain a null character".to_owned());
    }
    field.checks.iter().find_map(|check| match check {
        Check::Keys(rule) => rule(key),
        _ => None,
    })
}

/// The fields of a record in their order; names that are none of them are violations.
pub(super) fn record(
    fields: &[Field],
    mut given: Map<String, Value>,
    generate: &mut Generate<'_>,
) -> (Map<String, Value>, Violations) {
    let mut kept = Map::new();
    let mut violations = Violations::new();
    for field in fields {
        let (value, fault) = accept(field, given.remove(field.name), generate);
        if let Some(fault) = fault {
            violations.put(field.name, fault);
        }
        kept.insert(field.name.to_owned(), value);
    }
    for name in given.keys() {
        violations.add(name, UNKNOWN);
    }
    (kept, violations)
}

/// `{"id": "<uuid>"}`. References by name have been resolved before.
fn foreign(value: Value) -> (Value, Option<Fault>) {
    let Value::Object(object) = value else { return (value, Some(Fault::text("expected a record"))) };
    let id = match object.get("id") {
        Some(id) => uuid(id.clone()),
        None => (Value::Null, Some(Fault::text("missing primary key"))),
    };
    match id {
        (id, None) => (Value::Object(Map::from_iter([("id".to_owned(), id)])), None),
        (_, Some(fault)) => {
            let mut violations = Violations::new();
            violations.put("id", fault);
            (Value::Object(object), Some(Fault::Fields(violations)))
        }
    }
}

/// The checks of a value of the right type.
fn check(field: &Field, value: &Value) -> Option<Fault> {
    let least = field.checks.iter().any(|check| matches!(check, Check::MinLength(_) | Check::Length(_)));
    if !least && value.as_str() == Some("") {
        return Some(Fault::text("length must be at least 1"));
    }
    field.checks.iter().find_map(|check| check.judge(value))
}
