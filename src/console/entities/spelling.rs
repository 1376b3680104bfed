//! Values as texts of a form, and back.

use serde_json::{Number, Value};
use uuid::Uuid;

use crate::schema::{Check, Field, Kind};

/// How a value is written in a form. It follows from the field and the value shown, so that reading knows it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Line,
    /// Several lines.
    Area,
    /// One of a few words.
    Choice,
    /// A list, one element per line.
    Lines,
    Json,
}

impl Spelling {
    /// `is_long`: whether the field holds texts of several lines whatever this one is.
    pub(super) fn of(field: &Field, value: &Value, is_long: bool) -> Self {
        match &field.kind {
            Kind::Boolean => Self::Choice,
            Kind::String | Kind::Integer if !words(field).is_empty() => Self::Choice,
            Kind::String if is_long || value.as_str().is_some_and(|text| text.contains(['\n', '\r'])) => Self::Area,
            Kind::String | Kind::Integer | Kind::Number | Kind::Timestamp | Kind::Uuid | Kind::Foreign { .. } => {
                Self::Line
            }
            Kind::Array(element) | Kind::Set(element) if is_plain(element) && fits_lines(value) => Self::Lines,
            Kind::Array(_) | Kind::Set(_) | Kind::Map(_) | Kind::Record(_) | Kind::Json => Self::Json,
        }
    }
}

/// The words a field is one of.
pub(super) fn words(field: &Field) -> Vec<String> {
    let words = field.checks.iter().find_map(|check| match check {
        Check::OneOf(words) => Some(words.iter().map(|word| (*word).to_owned()).collect()),
        Check::OneOfIntegers(numbers) => Some(numbers.iter().map(ToString::to_string).collect()),
        _ => None,
    });
    match field.kind {
        Kind::Boolean => vec!["true".to_owned(), "false".to_owned()],
        _ => words.unwrap_or_default(),
    }
}

fn is_plain(element: &Field) -> bool {
    matches!(element.kind, Kind::String | Kind::Integer | Kind::Number | Kind::Uuid | Kind::Boolean)
}

/// Whether every element is a line that reads back as itself.
fn fits_lines(value: &Value) -> bool {
    let fits = |item: &Value| match item {
        Value::String(text) => !text.is_empty() && text.trim() == text && !text.contains(['\n', '\r']),
        other => !other.is_object() && !other.is_array(),
    };
    value.as_array().is_none_or(|items| items.iter().all(fits))
}

/// The text of a value.
pub(super) fn text(spelling: Spelling, value: &Value) -> String {
    match (spelling, value) {
        (_, Value::Null) => String::new(),
        (Spelling::Lines, Value::Array(items)) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        (Spelling::Json, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        (_, Value::Object(reference)) => reference.get("id").map(plain).unwrap_or_default(),
        (_, value) => plain(value),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The line ends that every browser sends for `text`.
pub(super) fn sent(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The value of a text. What is not of the field's type stays a text, which the schema then finds fault with.
///
/// `key`: what the field that it refers to may be named by, beside the id.
///
/// # Errors
/// What is wrong with a text that is no JSON.
pub(super) fn value(field: &Field, spelling: Spelling, text: &str, key: Option<&'static str>) -> Result<Value, String> {
    // White space is a text of its own, such as the separator between scopes.
    let is_blank = if matches!(field.kind, Kind::String) { text.is_empty() } else { text.trim().is_empty() };
    if is_blank {
        let list = matches!(field.kind, Kind::Array(_) | Kind::Set(_)) && field.required;
        return Ok(if list { Value::Array(Vec::new()) } else { Value::Null });
    }
    match (spelling, &field.kind) {
        (Spelling::Json, _) => serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}")),
        (Spelling::Lines, Kind::Array(element) | Kind::Set(element)) => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            Ok(lines.map(|line| scalar(&element.kind, line)).collect())
        }
        (_, Kind::Foreign { .. }) => Ok(reference(text.trim(), key)),
        (_, kind) => Ok(scalar(kind, text)),
    }
}

fn scalar(kind: &Kind, text: &str) -> Value {
    let trimmed = text.trim();
    match kind {
        Kind::Boolean => trimmed.parse::<bool>().map_or_else(|_| trimmed.into(), Value::from),
        Kind::Integer | Kind::Number | Kind::Timestamp => number(trimmed),
        Kind::Uuid => trimmed.into(),
        _ => text.into(),
    }
}

fn number(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let read = text.parse::<f64>().ok().filter(|_| digits).and_then(Number::from_f64);
    read.map_or_else(|| text.into(), Value::Number)
}

/// `{"id": …}`, or `{"name": …}` where the text is no id and there is a key to find it by.
fn reference(text: &str, key: Option<&'static str>) -> Value {
    let name = match key {
        Some(key) if Uuid::try_parse(text).is_err() => key,
        _ => "id",
    };
    Value::Object([(name.to_owned(), Value::from(text))].into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::OnDelete;
    use proptest::prelude::*;
    use serde_json::json;

    fn round(field: &Field, given: &Value) -> Value {
        let spelling = Spelling::of(field, given, false);
        value(field, spelling, &sent(&text(spelling, given)), None).unwrap()
    }

    #[test]
    fn what_is_shown_reads_back_as_itself() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        let list = Field::array("a", Field::string("x"));
        let cases = [
            (Field::string("a"), json!(" a\nb ")),
            (Field::string("a"), json!("день 🔑 <b>")),
            (Field::string("a"), json!(" ")),
            (Field::integer("a"), json!(-5)),
            (Field::number("a"), json!(0.25)),
            (Field::boolean("a"), json!(false)),
            (list.clone(), json!(["a", "b c"])),
            (list.clone(), json!([" a", ""])),
            (list.clone(), json!(["a\nb"])),
            (Field::set("a", Field::integer("x")), json!([1, 2])),
            (Field::map("a", list), json!({"x-a": ["1", ""]})),
            (Field::json("a"), json!({"a": {"b": [1, null]}})),
            (Field::foreign("a", "services", OnDelete::Cascade), json!({"id": id})),
        ];
        for (field, given) in cases {
            assert_eq!(round(&field, &given), given);
            assert_eq!(round(&field, &Value::Null), Value::Null);
        }
    }

    #[test]
    fn an_empty_list_that_must_be_there_is_an_empty_list() {
        let field = Field::set("a", Field::string("x"));
        assert_eq!(value(&field, Spelling::Lines, " \n", None), Ok(Value::Null));
        assert_eq!(value(&field.required(), Spelling::Lines, "", None), Ok(json!([])));
    }

    #[test]
    fn what_is_no_number_is_left_to_the_schema() {
        for text in ["x", "1x", "inf", "NaN", "0x10"] {
            assert_eq!(value(&Field::integer("a"), Spelling::Line, text, None), Ok(json!(text)));
        }
        assert_eq!(value(&Field::integer("a"), Spelling::Line, " 7 ", None), Ok(json!(7)));
        assert!(value(&Field::json("a"), Spelling::Json, "{", None).is_err());
    }

    #[test]
    fn a_reference_may_be_a_name() {
        let field = Field::foreign("a", "services", OnDelete::Cascade);
        assert_eq!(value(&field, Spelling::Line, "orders", Some("name")), Ok(json!({"name": "orders"})));
        assert_eq!(value(&field, Spelling::Line, "orders", None), Ok(json!({"id": "orders"})));
    }

    proptest! {
        #[test]
        fn every_list_of_texts_reads_back(items in proptest::collection::vec("[ a-z\n<&\"🔑]{0,6}", 0..5)) {
            let field = Field::array("a", Field::string("x")).required();
            let given = json!(items);
            prop_assert_eq!(round(&field, &given), given);
        }
    }
}
