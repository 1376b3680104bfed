//! What is wrong with a form, told beside its fields.

use std::collections::BTreeMap;

use serde_json::Value;

use super::place::Place;
use crate::engine::catalog::CatalogError;
use crate::schema::{ENTITY, Violations};

/// Texts by the dotted names of fields, and those that concern several fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub across: Vec<String>,
    by_name: BTreeMap<String, String>,
}

impl Faults {
    /// A text that concerns the whole form.
    pub(super) fn across(text: &str) -> Self {
        Self { across: vec![text.to_owned()], by_name: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.across.is_empty() && self.by_name.is_empty()
    }

    /// The text of a field; empty: there is none.
    pub(super) fn at(&self, name: &str) -> &str {
        self.by_name.get(name).map_or("", String::as_str)
    }

    /// Adds a text. What has no place in the form stands on top with its name.
    pub(super) fn add(&mut self, places: &[Place<'_>], name: &str, text: impl Into<String>) {
        let text = text.into();
        if !places.iter().any(|place| place.name == name) {
            self.across.push(if name.is_empty() { text } else { format!("{name}: {text}") });
            return;
        }
        let here = self.by_name.entry(name.to_owned()).or_default();
        if !here.is_empty() {
            here.push_str("; ");
        }
        here.push_str(&text);
    }

    /// Reads a refusal of the catalog.
    ///
    /// # Errors
    /// The error itself, where it is not about what was filled in.
    pub(super) fn of(places: &[Place<'_>], error: CatalogError) -> Result<Self, CatalogError> {
        let mut faults = Self::default();
        match &error {
            CatalogError::Violations(violations) => faults.take(places, violations),
            CatalogError::Unique(taken) => faults.take_taken(places, taken.keys(), error.to_string()),
            CatalogError::ForeignKey { field, entity, .. } => {
                faults.add(places, field, format!("does not reference an existing '{entity}' entity"));
            }
            CatalogError::Unresolved { field, entity, by, value } => {
                faults.add(places, field, format!("there is none of '{entity}' whose {by} is '{value}'"));
            }
            _ => return Err(error),
        }
        Ok(faults)
    }

    /// One value that is taken stands at its field; several together, on top.
    fn take_taken<'n>(&mut self, places: &[Place<'_>], names: impl Iterator<Item = &'n String>, text: String) {
        let names: Vec<&String> = names.collect();
        let [name] = names.as_slice() else {
            self.across.push(text);
            return;
        };
        let in_config = format!("config.{name}");
        let name = if places.iter().any(|place| place.name == in_config) { &in_config } else { *name };
        self.add(places, name, "is taken: another one has it");
    }

    fn take(&mut self, places: &[Place<'_>], violations: &Violations) {
        self.walk(places, "", &violations.to_json());
    }

    fn walk(&mut self, places: &[Place<'_>], path: &str, fault: &Value) {
        let Value::Object(fields) = fault else { return self.add(places, path, sentence(fault)) };
        if places.iter().any(|place| place.name == path) {
            return self.add(places, path, sentence(fault));
        }
        for (name, fault) in fields {
            match (name.as_str(), path) {
                (ENTITY, _) => {
                    let texts = fault.as_array().into_iter().flatten().filter_map(Value::as_str);
                    self.across.extend(texts.map(str::to_owned));
                }
                (name, "") => self.walk(places, name, fault),
                (name, path) => self.walk(places, &format!("{path}.{name}"), fault),
            }
        }
    }
}

/// The texts inside, in one line.
fn sentence(fault: &Value) -> String {
    leaves(fault).join("; ")
}

/// `element 2: bad`, `x-a: bad`
fn leaves(fault: &Value) -> Vec<String> {
    match fault {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => {
            let numbered = items.iter().enumerate().flat_map(|(place, fault)| {
                leaves(fault).into_iter().map(move |text| format!("element {}: {text}", place + 1))
            });
            numbered.collect()
        }
        Value::Object(fields) => {
            let named = fields.iter().flat_map(|(name, fault)| {
                leaves(fault).into_iter().map(move |text| if name == "id" { text } else { format!("{name}: {text}") })
            });
            named.collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::{Use, places};
    use super::*;
    use crate::schema::Registry;
    use serde_json::json;

    fn faults(violations: Violations) -> Faults {
        let registry = Registry::new(Vec::new());
        let places = places(registry.entity("routes").unwrap(), Use::Change);
        Faults::of(&places, CatalogError::Violations(violations)).unwrap()
    }

    #[test]
    fn each_text_stands_at_its_field_and_the_others_on_top() {
        let mut violations = Violations::of("name", "bad");
        violations.add(ENTITY, "must set one of 'paths'");
        violations.add("wat", "unknown field");
        let faults = faults(violations);
        assert_eq!(faults.at("name"), "bad");
        assert_eq!(faults.across, ["must set one of 'paths'", "wat: unknown field"]);
        assert_eq!(faults.at("paths"), "");
    }

    #[test]
    fn faults_inside_a_value_stand_at_the_field_that_holds_it() {
        let registry = Registry::new(Vec::new());
        let routes = registry.entity("routes").unwrap();
        let body = json!({"paths": ["/a", "b"], "headers": {"x y": ["1"]}, "service": {"id": "x"}});
        let body = crate::schema::Body::json(body.as_object().unwrap().clone());
        let faults = faults(registry.insert(routes, body, &mut |_| Value::Null).unwrap_err());
        assert_eq!(faults.at("paths"), "element 2: should start with: / (fixed path) or ~/ (regex path)");
        assert!(faults.at("headers").starts_with("x y: "), "{faults:?}");
        assert_eq!(faults.at("service"), "expected a valid UUID");
    }

    #[test]
    fn what_is_taken_stands_at_its_field_when_it_is_one() {
        let registry = Registry::new(Vec::new());
        let places = places(registry.entity("routes").unwrap(), Use::Change);
        let taken = |value: Value| CatalogError::Unique(value.as_object().unwrap().clone());
        assert_eq!(
            Faults::of(&places, taken(json!({"name": "x"}))).unwrap().at("name"),
            "is taken: another one has it"
        );
        assert_eq!(Faults::of(&places, taken(json!({"a": 1, "b": 2}))).unwrap().across.len(), 1);
        assert!(Faults::of(&places, CatalogError::NotFound).is_err());
    }
}
