//! What a page prints of a document.

/// An API as its document tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub title: String,
    pub version: String,
    pub description: String,
    pub servers: Vec<String>,
    pub groups: Vec<Group>,
    /// Whether operations were left out because there are too many.
    pub cut: bool,
}

/// Operations under one tag.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    pub name: String,
    pub description: String,
    pub operations: Vec<Operation>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operation {
    /// Upper case.
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    pub deprecated: bool,
    pub parameters: Vec<Parameter>,
    /// Media types of the body; empty: there is none.
    pub body_kinds: Vec<String>,
    pub body: Vec<Row>,
    pub responses: Vec<Response>,
    /// The scopes that any of its security requirements names.
    pub scopes: Vec<String>,
}

impl Operation {
    /// The class of its method in the style sheet.
    pub fn class(&self) -> String {
        self.method.to_lowercase()
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameter {
    pub name: String,
    /// `query`, `path`, `header`, `cookie`
    pub place: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    pub status: String,
    pub description: String,
    pub rows: Vec<Row>,
}

/// One field of a structured value, `depth` levels inside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub depth: usize,
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
}

impl Row {
    /// The name with its place in front: `··street`.
    pub fn indent(&self) -> String {
        "\u{a0}\u{a0}\u{a0}".repeat(self.depth)
    }
}
