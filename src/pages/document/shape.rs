//! Schemas as rows: fields with their kinds, references followed a bounded way.

use serde_json::Value;

use super::Row;
use super::read::string;

const DEEPEST: usize = 6;
const MOST_ROWS: usize = 300;
/// References that lead to references.
const MOST_STEPS: usize = 16;

/// What a value names by `$ref` inside this document; itself when it names nothing, or what is not there.
pub(super) fn resolved<'r>(root: &'r Value, value: &'r Value) -> &'r Value {
    let mut at = value;
    for _ in 0..MOST_STEPS {
        let Some(reference) = at.get("$ref").and_then(Value::as_str) else { return at };
        let Some(next) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else { return at };
        at = next;
    }
    at
}

/// `array of Order`, `string (date-time)`, `object`
pub(super) fn kind(root: &Value, schema: &Value) -> String {
    kind_within(root, schema, 0)
}

fn kind_within(root: &Value, schema: &Value, depth: usize) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    let schema = resolved(root, schema);
    for (word, joint) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(choices) = schema.get(word).and_then(Value::as_array)
            && depth < DEEPEST
        {
            let kinds: Vec<String> = choices.iter().take(8).map(|one| kind_within(root, one, depth + 1)).collect();
            return kinds.join(joint);
        }
    }
    let named = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).take(8).collect::<Vec<_>>().join(" or "),
        _ if schema.get("properties").is_some() => "object".to_owned(),
        _ => "any".to_owned(),
    };
    match (named.as_str(), schema.get("items")) {
        ("array", Some(items)) if depth < DEEPEST => format!("array of {}", kind_within(root, items, depth + 1)),
        _ => match string(schema, "format") {
            format if format.is_empty() => named,
            format => format!("{named} ({format})"),
        },
    }
}

/// The fields of a structured value, outermost first, each with its depth.
pub(super) fn rows(root: &Value, schema: &Value) -> Vec<Row> {
    let mut found = Vec::new();
    collect(root, schema, 0, &mut Vec::new(), &mut found);
    found
}

/// `seen` holds the references on the way here, so that a schema that contains itself ends.
fn collect<'r>(root: &'r Value, schema: &'r Value, depth: usize, seen: &mut Vec<&'r str>, found: &mut Vec<Row>) {
    let reference = schema.get("$ref").and_then(Value::as_str);
    if depth > DEEPEST || found.len() >= MOST_ROWS || reference.is_some_and(|name| seen.contains(&name)) {
        return;
    }
    seen.extend(reference);
    let schema = resolved(root, schema);
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in parts.take(32) {
        collect(root, part, depth + 1, seen, found);
    }
    if let Some(items) = schema.get("items") {
        collect(root, items, depth, seen, found);
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if found.len() >= MOST_ROWS {
            break;
        }
        found.push(Row {
            depth,
            name: name.clone(),
            kind: kind(root, field),
            required: is_required(name),
            description: string(resolved(root, field), "description"),
        });
        collect(root, field, depth + 1, seen, found);
    }
    if reference.is_some() {
        seen.pop();
    }
}
