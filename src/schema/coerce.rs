//! Values read by the fields' types: texts of a form, and one plain value where an array is wanted.
//!
//! What cannot be read stays as it is: the checks then say which type they expected.

use serde_json::{Number, Value};

use super::field::{Field, Kind};
use super::{Entity, Schema};

/// Reads every text of `fields` by the type of its field. Unknown names stay as they are.
pub fn coerce(schema: &Schema, fields: &mut Entity) {
    for (name, value) in fields.iter_mut() {
        let field = schema.field(name).or_else(|| schema.shorthands.iter().find(|field| field.name == name));
        if let Some(field) = field {
            coerce_value(field, value);
        }
    }
}

fn coerce_value(field: &Field, value: &mut Value) {
    if value.as_str() == Some("") {
        *value = Value::Null;
        return;
    }
    match &field.kind {
        Kind::String | Kind::Uuid | Kind::Json => {}
        Kind::Boolean => match value.as_str() {
            Some("true") => *value = Value::Bool(true),
            Some("false") => *value = Value::Bool(false),
            _ => {}
        },
        Kind::Integer | Kind::Timestamp | Kind::Number => {
            if let Some(number) = value.as_str().and_then(number) {
                *value = number;
            }
        }
        Kind::Array(element) | Kind::Set(element) => coerce_list(element, value),
        Kind::Map(element) => {
            if let Value::Object(object) = value {
                object.values_mut().for_each(|value| coerce_value(element, value));
            }
        }
        Kind::Record(fields) => coerce_record(fields, value),
        Kind::Foreign { .. } => {
            if let Value::Object(object) = value
                && !object.is_empty()
                && object.values().all(|value| value.as_str() == Some(""))
            {
                *value = Value::Null;
            }
        }
    }
}

/// One plain value is an array of one; empty texts are no elements, so that `tags[]=` empties an array.
fn coerce_list(element: &Field, value: &mut Value) {
    if let Value::String(text) = value {
        *value = Value::Array(vec![Value::String(std::mem::take(text))]);
    }
    if let Value::Array(items) = value {
        items.retain(|item| item.as_str() != Some(""));
        items.iter_mut().for_each(|item| coerce_value(element, item));
    }
}

fn coerce_record(fields: &[Field], value: &mut Value) {
    let Value::Object(object) = value else { return };
    for (name, value) in object.iter_mut() {
        if let Some(field) = fields.iter().find(|field| field.name == name) {
            coerce_value(field, value);
        }
    }
}

/// Makes an array of each plain JSON value that stands where an array of such values is wanted, so that JSON means what
/// a form means.
pub(super) fn gather(schema: &Schema, fields: &mut Entity) {
    for (name, value) in fields.iter_mut() {
        let field = schema.field(name).or_else(|| schema.shorthands.iter().find(|field| field.name == name));
        if let Some(field) = field {
            gather_value(field, value);
        }
    }
}

fn gather_value(field: &Field, value: &mut Value) {
    match (&field.kind, value) {
        (Kind::Array(element) | Kind::Set(element), value) if is_plain(&element.kind, value) => {
            *value = Value::Array(vec![value.take()]);
        }
        (Kind::Map(element), Value::Object(object)) => {
            object.values_mut().for_each(|value| gather_value(element, value));
        }
        (Kind::Record(fields), Value::Object(object)) => {
            for (name, value) in object.iter_mut() {
                if let Some(field) = fields.iter().find(|field| field.name == name) {
                    gather_value(field, value);
                }
            }
        }
        _ => {}
    }
}

fn is_plain(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::String | Kind::Uuid => value.is_string(),
        Kind::Integer | Kind::Number | Kind::Timestamp => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        _ => false,
    }
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse::<f64>().ok().filter(|_| plain).and_then(Number::from_f64).map(Value::Number)
}

/// Splits the texts of a list at white space: `config.scopes[]=a b` as two words.
pub(super) fn split_words(value: &mut Value) {
    let texts = match value {
        Value::String(text) => vec![Value::String(std::mem::take(text))],
        Value::Array(items) => std::mem::take(items),
        _ => return,
    };
    let mut words = Vec::new();
    for text in texts {
        match text {
            Value::String(text) => words.extend(text.split_whitespace().map(Value::from)),
            other => words.push(other),
        }
    }
    *value = Value::Array(words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn things() -> Schema {
        Schema::new(
            "things",
            "",
            vec![
                Field::boolean("on"),
                Field::integer("port"),
                Field::number("ratio"),
                Field::array("hosts", Field::string("host")),
                Field::map("headers", Field::array("values", Field::string("value"))),
                Field::record("config", vec![Field::boolean("deep")]),
                Field::foreign("service", "services", super::super::OnDelete::Restrict),
                Field::string("name"),
            ],
        )
    }

    fn coerced(fields: Value) -> Value {
        let mut fields = fields.as_object().unwrap().clone();
        coerce(&things(), &mut fields);
        Value::Object(fields)
    }

    #[test]
    fn texts_are_read_by_the_type_of_the_field() {
        let read =
            coerced(json!({"on": "true", "port": "80", "ratio": "0.5", "name": "80", "config": {"deep": "false"}}));
        assert_eq!(read, json!({"on": true, "port": 80, "ratio": 0.5, "name": "80", "config": {"deep": false}}));
    }

    #[test]
    fn what_does_not_read_stays_a_text() {
        let read = coerced(json!({"on": "yes", "port": "80x", "ratio": "inf", "unknown": ""}));
        assert_eq!(read, json!({"on": "yes", "port": "80x", "ratio": "inf", "unknown": ""}));
    }

    #[test]
    fn empty_is_null_and_an_empty_element_is_no_element() {
        let read = coerced(json!({"name": "", "hosts": [""], "service": {"id": ""}}));
        assert_eq!(read, json!({"name": null, "hosts": [], "service": null}));
    }

    #[test]
    fn one_value_for_an_array_is_an_array_of_one_and_is_not_split() {
        let read = coerced(json!({"hosts": "a b", "headers": {"x": "1"}}));
        assert_eq!(read, json!({"hosts": ["a b"], "headers": {"x": ["1"]}}));
    }

    #[test]
    fn words_split_where_a_field_asks_for_it() {
        let mut value = json!(["a b", "c"]);
        split_words(&mut value);
        assert_eq!(value, json!(["a", "b", "c"]));
    }

    #[test]
    fn one_plain_json_value_for_an_array_is_an_array_of_one() {
        let body = json!({"hosts": "a b", "headers": {"x": "1", "y": ["2"]}, "name": "n", "port": 1});
        let mut fields = body.as_object().unwrap().clone();
        gather(&things(), &mut fields);
        assert_eq!(
            Value::Object(fields),
            json!({"hosts": ["a b"], "headers": {"x": ["1"], "y": ["2"]}, "name": "n", "port": 1})
        );
        for other in [json!(1), json!({"a": "b"}), json!(null), json!(true)] {
            let mut fields = Entity::from_iter([("hosts".to_owned(), other.clone())]);
            gather(&things(), &mut fields);
            assert_eq!(fields["hosts"], other);
        }
    }
}
