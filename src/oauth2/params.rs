//! Request parameters: query and body merged, the body winning (oauth2.md section 2).

use std::collections::BTreeMap;

use serde_json::Value;

/// A parameter's value. Only texts mean anything; the rest is remembered so that a clear error can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    Text(String),
    /// Given more than once (RFC 6749 §3.2 forbids it), or in JSON and not a string.
    NotText,
}

/// Parameters of one request. Independent of the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, Param>);

impl Params {
    /// From `application/x-www-form-urlencoded` bytes (a query or a body). Never fails: bytes that are not UTF-8 turn
    /// into replacement characters, which no registered value contains.
    pub fn from_form(bytes: &[u8]) -> Self {
        Self::from_pairs(form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned())))
    }

    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            params.entry(name).and_modify(|known| *known = Param::NotText).or_insert(Param::Text(value));
        }
        Self(params)
    }

    /// From a JSON object. `None` when the bytes are not one. Numbers and booleans count as their text, as in a form.
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let object: serde_json::Map<String, Value> = serde_json::from_slice(bytes).ok()?;
        let params = object.into_iter().filter_map(|(name, value)| {
            let param = match value {
                Value::Null => return None,
                Value::String(text) => Param::Text(text),
                Value::Number(number) => Param::Text(number.to_string()),
                Value::Bool(flag) => Param::Text(flag.to_string()),
                Value::Array(_) | Value::Object(_) => Param::NotText,
            };
            Some((name, param))
        });
        Some(Self(params.collect()))
    }

    /// These, and under names that both have, those of `winner`.
    #[must_use]
    pub fn overridden_by(mut self, winner: Self) -> Self {
        self.0.extend(winner.0);
        self
    }

    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.get(name)
    }

    /// The text under `name`; `None` when missing or not a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Param::Text(text)) => Some(text),
            Some(Param::NotText) | None => None,
        }
    }

    /// The text under `name` unless it is blank.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_body_wins_over_the_query() {
        let merged = Params::from_form(b"a=query&b=query").overridden_by(Params::from_form(b"a=body"));
        assert_eq!(merged.text("a"), Some("body"));
        assert_eq!(merged.text("b"), Some("query"));
    }

    #[test]
    fn a_repeated_parameter_is_not_a_text() {
        assert_eq!(Params::from_form(b"scope=a&scope=b").get("scope"), Some(&Param::NotText));
    }

    #[test]
    fn json_must_be_an_object() {
        assert_eq!(Params::from_json(b"[1]"), None);
        assert_eq!(Params::from_json(b"{\"scope\":[\"a\"]}").unwrap().get("scope"), Some(&Param::NotText));
        assert_eq!(Params::from_json(b"{\"a\":1,\"b\":null}").unwrap(), Params::from_form(b"a=1"));
    }

    proptest! {
        #[test]
        fn forms_never_panic_and_do_not_depend_on_order(pairs in prop::collection::vec((".{0,6}", ".{0,6}"), 0..8)) {
            let forward = Params::from_pairs(pairs.clone());
            let distinct: std::collections::BTreeSet<_> = pairs.iter().map(|(name, _)| name).collect();
            prop_assert_eq!(forward.0.len(), distinct.len());
            prop_assert_eq!(forward, Params::from_pairs(pairs.into_iter().rev()));
        }

        #[test]
        fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Params::from_form(&bytes);
            let _ = Params::from_json(&bytes);
        }
    }
}
