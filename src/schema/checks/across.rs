//! Rules across fields.

use serde_json::Value;

use super::super::Entity;
use super::super::violations::ENTITY;

type Texts = Vec<(String, String)>;

/// Neither null nor empty.
pub fn is_nonempty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(object)) => !object.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => true,
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

fn given(entity: &Entity, names: &[&str]) -> usize {
    names.iter().filter(|name| is_nonempty(entity.get(**name))).count()
}

pub fn at_least_one_of(entity: &Entity, names: &[&str]) -> Texts {
    let text = || format!("at least one of these fields must be non-empty: {}", quoted(names));
    if given(entity, names) == 0 { vec![(ENTITY.to_owned(), text())] } else { Vec::new() }
}

pub fn only_one_of(entity: &Entity, names: &[&str]) -> Texts {
    let text = || format!("only one or none of these fields must be set: {}", quoted(names));
    if given(entity, names) > 1 { vec![(ENTITY.to_owned(), text())] } else { Vec::new() }
}

pub fn all_or_none(entity: &Entity, names: &[&str]) -> Texts {
    let text = || format!("all or none of these fields must be set: {}", quoted(names));
    let given = given(entity, names);
    if given > 0 && given < names.len() { vec![(ENTITY.to_owned(), text())] } else { Vec::new() }
}

/// The words of a set must all come from one of the subsets.
pub fn exclusive_sets(value: &Value, subsets: &[&[&str]]) -> Option<String> {
    let words: Vec<&str> = value.as_array()?.iter().filter_map(Value::as_str).collect();
    let touched: Vec<String> = subsets
        .iter()
        .map(|subset| words.iter().copied().filter(|word| subset.contains(word)).collect::<Vec<_>>())
        .filter(|given| !given.is_empty())
        .map(|given| format!("({})", quoted(&given)))
        .collect();
    (touched.len() > 1).then(|| format!("these sets are mutually exclusive: {}", touched.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entity(value: Value) -> Entity {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn texts_name_the_fields_in_quotes() {
        let texts = at_least_one_of(&entity(json!({"a": "", "b": []})), &["a", "b"]);
        assert_eq!(texts[0].1, "at least one of these fields must be non-empty: 'a', 'b'");
        let texts = only_one_of(&entity(json!({"a": 1, "b": 2})), &["a", "b"]);
        assert_eq!(texts[0].1, "only one or none of these fields must be set: 'a', 'b'");
        let texts = all_or_none(&entity(json!({"a": 1, "b": null})), &["a", "b"]);
        assert_eq!(texts[0].1, "all or none of these fields must be set: 'a', 'b'");
    }

    #[test]
    fn exclusive_sets_do_not_mix() {
        let subsets: &[&[&str]] = &[&["http", "https"], &["grpc", "grpcs"]];
        assert_eq!(exclusive_sets(&json!(["http", "https"]), subsets), None);
        let text = exclusive_sets(&json!(["http", "grpc"]), subsets).unwrap();
        assert_eq!(text, "these sets are mutually exclusive: ('http'), ('grpc')");
    }
}
