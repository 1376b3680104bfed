//! What a source says, before it is judged.

use serde_json::Value;

use crate::schema::Entity;

/// Characters of a problem's text.
const LONGEST_TEXT: usize = 400;

/// An entity as a file or an API gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Where it stands: `services[2].routes[0]`.
    pub place: String,
    /// Name of its schema.
    pub entity: &'static str,
    /// Raw values; references are ids or keys of others, as they were written.
    pub fields: Entity,
    /// The field that refers to what it stands below, and the place of that in [`Input::given`].
    pub parent: Option<(&'static str, usize)>,
}

/// A source's whole configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    /// What stands below another comes after it.
    pub given: Vec<Given>,
    pub untaken: Vec<Untaken>,
    /// What was written otherwise here than there.
    pub notes: Vec<String>,
    /// Whether fields that no schema knows are told of instead of refused: they come from a running Kong, so they are
    /// no slips of a pen.
    pub is_live: bool,
}

/// What has no counterpart here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untaken {
    pub place: String,
    pub reason: String,
}

/// What is wrong, and where. Its text shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub place: String,
    pub text: String,
}

impl Problem {
    /// Texts repeat what was given, so they are cut.
    pub fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
            text.truncate(end);
            text.push('…');
        }
        Self { place: place.into(), text }
    }
}

impl From<Problem> for Untaken {
    fn from(problem: Problem) -> Self {
        Self { place: problem.place, reason: problem.text }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.place.is_empty() { out.write_str(&self.text) } else { write!(out, "{}: {}", self.place, self.text) }
    }
}

impl Input {
    pub fn leave(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        self.untaken.push(Untaken { place: place.into(), reason: reason.into() });
    }
}

/// Whether a value says nothing: null, an empty list, an empty record.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
