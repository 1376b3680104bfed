//! What is wrong with a body: a tree with the shape of the body.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Where texts stand that concern several fields.
pub const ENTITY: &str = "@entity";

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Text(String),
    /// Faults of a record's fields or a map's keys.
    Fields(Violations),
    /// Faults of an array's elements, by place from zero.
    Elements(BTreeMap<usize, Fault>),
}

/// All violations of a body at once. Empty means sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    entity: Vec<String>,
    fields: BTreeMap<String, Fault>,
}

impl Violations {
    pub fn new() -> Self {
        Self::default()
    }

    /// One violation of one field.
    pub fn of(field: &str, text: impl Into<String>) -> Self {
        let mut violations = Self::new();
        violations.add(field, text);
        violations
    }

    pub fn is_empty(&self) -> bool {
        self.entity.is_empty() && self.fields.is_empty()
    }

    /// Adds a text under a field, or to the entity's own list for [`ENTITY`]. The first fault of a field stays.
    pub fn add(&mut self, field: &str, text: impl Into<String>) {
        if field == ENTITY {
            self.entity.push(text.into());
        } else {
            self.put(field, Fault::Text(text.into()));
        }
    }

    /// Adds a fault under a field; two trees at one field grow together.
    pub fn put(&mut self, field: &str, fault: Fault) {
        match (self.fields.get_mut(field), fault) {
            (None, fault) => {
                self.fields.insert(field.to_owned(), fault);
            }
            (Some(Fault::Fields(here)), Fault::Fields(more)) => here.merge(more),
            (Some(_), _) => {}
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.entity.extend(other.entity);
        for (field, fault) in other.fields {
            self.put(&field, fault);
        }
    }

    /// `2 schema violations (host: required field missing; path: should start with: /)`
    pub fn message(&self) -> String {
        let mut lines = Vec::new();
        self.lines("", &mut lines);
        match lines.as_slice() {
            [one] => format!("schema violation ({one})"),
            many => format!("{} schema violations ({})", many.len(), many.join("; ")),
        }
    }

    fn lines(&self, path: &str, out: &mut Vec<String>) {
        for text in &self.entity {
            out.push(if path.is_empty() { text.clone() } else { format!("{path}.{ENTITY}: {text}") });
        }
        for (name, fault) in &self.fields {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            fault.lines(&path, out);
        }
    }

    /// Each text with the path of its value, elements counted from zero: `paths[1]`. Texts of the whole have no path.
    pub fn placed(&self) -> Vec<(String, String)> {
        let mut found: Vec<_> = self.entity.iter().map(|text| (String::new(), text.clone())).collect();
        for (name, fault) in &self.fields {
            fault.placed(name, &mut found);
        }
        found
    }

    /// The `fields` object of the answer.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        if !self.entity.is_empty() {
            object.insert(ENTITY.to_owned(), self.entity.clone().into());
        }
        for (name, fault) in &self.fields {
            object.insert(name.clone(), fault.to_json());
        }
        Value::Object(object)
    }
}

impl Fault {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn lines(&self, path: &str, out: &mut Vec<String>) {
        match self {
            Self::Text(text) => out.push(format!("{path}: {text}")),
            Self::Fields(violations) => violations.lines(path, out),
            Self::Elements(faults) => {
                for (place, fault) in faults {
                    fault.lines(&format!("{path}.{}", place + 1), out);
                }
            }
        }
    }

    fn placed(&self, path: &str, out: &mut Vec<(String, String)>) {
        match self {
            Self::Text(text) => out.push((path.to_owned(), text.clone())),
            Self::Fields(violations) => {
                for (inner, text) in violations.placed() {
                    out.push((if inner.is_empty() { path.to_owned() } else { format!("{path}.{inner}") }, text));
                }
            }
            Self::Elements(faults) => {
                for (place, fault) in faults {
                    fault.placed(&format!("{path}[{place}]"), out);
                }
            }
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Fields(violations) => violations.to_json(),
            Self::Elements(faults) => {
                let length = faults.last_key_value().map_or(0, |(last, _)| last + 1);
                (0..length).map(|place| faults.get(&place).map_or(Value::Null, Self::to_json)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn violations_are_counted_sorted_and_joined() {
        let mut violations = Violations::of("path", "should start with: /");
        assert_eq!(violations.message(), "schema violation (path: should start with: /)");
        violations.add("host", "required field missing");
        assert_eq!(
            violations.message(),
            "2 schema violations (host: required field missing; path: should start with: /)"
        );
    }

    #[test]
    fn entity_texts_come_first_and_without_a_name() {
        let mut violations = Violations::of("path", "value must be null");
        violations.add(ENTITY, "failed conditional validation given value of field 'protocol'");
        let message = violations.message();
        assert!(message.starts_with("2 schema violations (failed conditional validation"), "{message}");
        let shown = json!({"@entity": ["failed conditional validation given value of field 'protocol'"],
            "path": "value must be null"});
        assert_eq!(violations.to_json(), shown);
    }

    #[test]
    fn a_bad_element_stands_at_its_place_with_null_before_it() {
        let mut violations = Violations::new();
        violations.put("paths", Fault::Elements(BTreeMap::from([(1, Fault::text("bad"))])));
        assert_eq!(violations.to_json(), json!({"paths": [null, "bad"]}));
        assert_eq!(violations.message(), "schema violation (paths.2: bad)");
        assert_eq!(violations.placed(), [("paths[1]".to_owned(), "bad".to_owned())]);
    }

    #[test]
    fn nested_fields_nest() {
        let mut violations = Violations::new();
        violations.put("config", Fault::Fields(Violations::of("ttl", "expected a number")));
        violations.put("config", Fault::Fields(Violations::of("x", "unknown field")));
        assert_eq!(violations.to_json(), json!({"config": {"ttl": "expected a number", "x": "unknown field"}}));
        assert_eq!(
            violations.message(),
            "2 schema violations (config.ttl: expected a number; config.x: unknown field)"
        );
    }
}
