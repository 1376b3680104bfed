//! As much of JSON Schema as the document uses.

use serde_json::Value;

/// Where a value differs from its description.
pub fn conform(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    judge(document, schema, value, "", &mut faults);
    faults
}

fn judge(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(reference) = schema.get("$ref") {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        let target = document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        return judge(document, target, value, at, faults);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| conform(document, choice, value).is_empty());
        if !fits {
            faults.push(format!("{at}: fits none of its descriptions"));
        }
        return;
    }
    if !is_of_type(&schema["type"], value) {
        faults.push(format!("{at}: {value} is not of type {}", schema["type"]));
        return;
    }
    plain(schema, value, at, faults);
    if let Value::Object(object) = value {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                faults.push(format!("{at}.{name}: missing"));
            }
        }
        for (name, member) in object {
            let at = format!("{at}.{name}");
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(described), _) => judge(document, described, member, &at, faults),
                (None, Value::Bool(false)) => faults.push(format!("{at}: not described")),
                (None, Value::Object(_)) => judge(document, &schema["additionalProperties"], member, &at, faults),
                (None, _) => {}
            }
        }
    }
    if let (Value::Array(items), Value::Object(_)) = (value, &schema["items"]) {
        for (place, item) in items.iter().enumerate() {
            judge(document, &schema["items"], item, &format!("{at}[{place}]"), faults);
        }
    }
}

fn plain(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {words:?}"));
    }
    if let Some(number) = value.as_f64() {
        let low = schema["minimum"].as_f64().is_some_and(|least| number < least);
        let high = schema["maximum"].as_f64().is_some_and(|most| number > most);
        if low || high {
            faults.push(format!("{at}: {number} is out of bounds"));
        }
    }
    if schema["format"] == "uuid" && value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_err()) {
        faults.push(format!("{at}: {value} is no UUID"));
    }
}

fn is_of_type(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of_type(kind, value)),
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("type {other} is not known here"),
        },
        _ => true,
    }
}
