//! The checks of one value, with the texts of the contract.

use serde_json::Value;

use super::field::Check;
use super::violations::{Fault, Violations};

impl Check {
    /// Judges a value of the right type that is not null.
    pub(super) fn judge(&self, value: &Value) -> Option<Fault> {
        match self {
            Self::Record(check) => record(check(value.as_object()?)),
            _ => self.text(value).map(Fault::Text),
        }
    }

    fn text(&self, value: &Value) -> Option<String> {
        match self {
            Self::OneOf(words) => {
                let known = value.as_str().is_some_and(|text| words.contains(&text));
                (!known).then(|| format!("expected one of: {}", words.join(", ")))
            }
            Self::NotOneOf(words) => {
                let known = value.as_str().is_some_and(|text| words.contains(&text));
                known.then(|| format!("must not be one of: {}", words.join(", ")))
            }
            Self::OneOfIntegers(numbers) => {
                let known = value.as_i64().is_some_and(|number| numbers.contains(&number));
                let listed = || numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                (!known).then(|| format!("expected one of: {}", listed()))
            }
            Self::Between(low, high) => {
                let number = value.as_f64()?;
                let inside = number >= *low as f64 && number <= *high as f64;
                (!inside).then(|| format!("value should be between {low} and {high}"))
            }
            Self::GreaterThan(limit) => {
                (value.as_f64()? <= *limit as f64).then(|| format!("value must be greater than {limit}"))
            }
            Self::Null => Some("value must be null".to_owned()),
            Self::MinLength(least) => (length(value) < *least).then(|| format!("length must be at least {least}")),
            Self::MaxLength(most) => (length(value) > *most).then(|| format!("length must be at most {most}")),
            Self::Length(exactly) => (length(value) != *exactly).then(|| format!("length must be {exactly}")),
            Self::StartsWith(prefix) => {
                (!value.as_str()?.starts_with(prefix)).then(|| format!("should start with: {prefix}"))
            }
            Self::Contains(word) => {
                let found = value.as_array()?.iter().any(|item| item.as_str() == Some(word));
                (!found).then(|| format!("expected to contain: {word}"))
            }
            Self::Rule(rule) => rule(value),
            Self::Keys(_) | Self::Record(_) => None,
        }
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        Value::Object(object) => object.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn record(texts: Vec<(String, String)>) -> Option<Fault> {
    let mut violations = Violations::new();
    for (field, text) in texts {
        violations.add(&field, text);
    }
    (!violations.is_empty()).then_some(Fault::Fields(violations))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(check: &Check, value: Value) -> Option<String> {
        check.text(&value)
    }

    #[test]
    fn every_text_is_the_one_of_the_contract() {
        let cases = [
            (Check::OneOf(&["a", "b"]), json!("c"), "expected one of: a, b"),
            (Check::NotOneOf(&["a", "b"]), json!("a"), "must not be one of: a, b"),
            (Check::OneOfIntegers(&[1, 2]), json!(3), "expected one of: 1, 2"),
            (Check::Between(0, 5), json!(6), "value should be between 0 and 5"),
            (Check::GreaterThan(0), json!(0), "value must be greater than 0"),
            (Check::Null, json!(1), "value must be null"),
            (Check::MinLength(2), json!("a"), "length must be at least 2"),
            (Check::MaxLength(2), json!([1, 2, 3]), "length must be at most 2"),
            (Check::Length(0), json!([1]), "length must be 0"),
            (Check::StartsWith("/"), json!("a"), "should start with: /"),
            (Check::Contains("x"), json!(["y"]), "expected to contain: x"),
        ];
        for (check, value, wanted) in cases {
            assert_eq!(text(&check, value).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn bounds_are_included() {
        assert_eq!(text(&Check::Between(0, 5), json!(0)), None);
        assert_eq!(text(&Check::Between(0, 5), json!(5)), None);
        assert_eq!(text(&Check::Between(0, 5), json!(5.5)), Some("value should be between 0 and 5".into()));
    }
}
