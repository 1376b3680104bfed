//! What developers tell of themselves when they register.

use serde_json::Value;

use crate::schema::{Entity, Fault, Violations};

/// A question of the registration form.
#[derive(Clone, Copy, Debug)]
pub struct MetaField {
    /// The key in `meta`.
    pub title: &'static str,
    pub label: &'static str,
    pub is_email: bool,
    pub required: bool,
}

pub const META_FIELDS: &[MetaField] =
    &[MetaField { title: "full_name", label: "Full Name", is_email: false, required: true }];

/// Letters of an answer.
const LONGEST_ANSWER: usize = 255;

/// Lays the given answers over the old ones; what the form does not ask for stays as it is. Required answers must be
/// there then. `meta` is an object, or the text of one.
///
/// # Errors
/// Every fault at once, below `meta`.
pub(super) fn merged(given: Option<&Value>, old: &Entity) -> Result<String, Violations> {
    let given = object(given).map_err(|text| Violations::of("meta", text))?;
    let (mut meta, mut violations) = (old.clone(), Violations::new());
    for (name, answer) in &given {
        if !META_FIELDS.iter().any(|field| field.title == name) {
            violations.add(name, "unknown field");
            continue;
        }
        match judged(answer) {
            Ok(answer) => drop(meta.insert(name.clone(), answer.into())),
            Err(text) => violations.add(name, text),
        }
    }
    for field in META_FIELDS.iter().filter(|field| field.required && !meta.contains_key(field.title)) {
        violations.add(field.title, "required field missing");
    }
    if violations.is_empty() {
        return Ok(Value::Object(meta).to_string());
    }
    let mut below = Violations::new();
    below.put("meta", Fault::Fields(violations));
    Err(below)
}

fn object(given: Option<&Value>) -> Result<Entity, &'static str> {
    match given {
        None | Some(Value::Null) => Err("required field missing"),
        Some(Value::Object(meta)) => Ok(meta.clone()),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| "expected a JSON object in a string"),
        Some(_) => Err("expected a JSON object in a string"),
    }
}

fn judged(answer: &Value) -> Result<&str, &'static str> {
    let answer = answer.as_str().ok_or("expected a string")?.trim();
    if answer.is_empty() {
        return Err("length must be at least 1");
    }
    if answer.chars().count() > LONGEST_ANSWER {
        return Err("length must be at most 255");
    }
    if answer.chars().any(char::is_control) {
        return Err("must not contain control characters");
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merge(given: Value, old: Value) -> Result<Value, Value> {
        let merged = merged(Some(&given), old.as_object().unwrap());
        merged.map(|text| serde_json::from_str(&text).unwrap()).map_err(|violations| violations.to_json())
    }

    #[test]
    fn answers_come_as_an_object_or_as_its_text() {
        for given in [json!({ "full_name": " Анна Ö'Neil " }), json!("{\"full_name\": \"Анна Ö'Neil\"}")] {
            assert_eq!(merge(given, json!({})), Ok(json!({ "full_name": "Анна Ö'Neil" })));
        }
        let old = json!({ "full_name": "Old", "tier": "gold" });
        assert_eq!(
            merge(json!({ "full_name": "New" }), old.clone()),
            Ok(json!({ "full_name": "New", "tier": "gold" }))
        );
        assert_eq!(merge(json!({}), old.clone()), Ok(old));
    }

    #[test]
    fn faults_are_told_at_their_place() {
        for (given, fault) in [
            (json!({}), json!({ "full_name": "required field missing" })),
            (json!({ "full_name": "" }), json!({ "full_name": "length must be at least 1" })),
            (json!({ "full_name": 1 }), json!({ "full_name": "expected a string" })),
            (json!({ "full_name": "a\r\nBcc: x" }), json!({ "full_name": "must not contain control characters" })),
            (json!({ "full_name": "x".repeat(256) }), json!({ "full_name": "length must be at most 255" })),
            (json!("nonsense"), json!("expected a JSON object in a string")),
            (json!([]), json!("expected a JSON object in a string")),
            (json!(null), json!("required field missing")),
        ] {
            assert_eq!(merge(given.clone(), json!({})), Err(json!({ "meta": fault })), "{given}");
        }
        let two = merge(json!({ "full_name": "", "role": "admin" }), json!({})).unwrap_err();
        assert_eq!(two["meta"]["role"], "unknown field");
        assert_eq!(two["meta"]["full_name"], "length must be at least 1");
    }
}
