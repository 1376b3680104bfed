//! A generated form as data.

/// One field, as `control.html` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The dotted name: `config.scopes`
    pub name: String,
    pub label: String,
    pub hint: String,
    /// Empty: nothing is wrong.
    pub fault: String,
    pub required: bool,
    pub input: Input,
    /// What it refers to.
    pub link: Option<Leads>,
}

/// A link with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leads {
    pub path: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Line {
        value: String,
    },
    Area {
        value: String,
        is_code: bool,
        rows: usize,
    },
    Choice {
        words: Vec<Word>,
    },
    /// Masked; changed when something is typed.
    Secret {
        is_area: bool,
        is_removable: bool,
    },
}

/// An entry of a select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub value: String,
    pub text: String,
    pub is_chosen: bool,
}

/// Fields under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Empty: the entity's own fields.
    pub title: String,
    pub controls: Vec<Control>,
}
