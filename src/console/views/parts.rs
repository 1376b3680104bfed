//! What several pages print.

use askama::Template;

use super::form::Leads;
use crate::domain::Timestamp;
use crate::pages::{Page, Tone, iso, shown};

/// An instant, for readers and for machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    pub iso: String,
    pub shown: String,
}

impl When {
    pub fn of(at: Timestamp) -> Self {
        Self { iso: iso(at), shown: shown(at) }
    }

    /// From the seconds that entities carry.
    pub fn seconds(value: Option<i64>) -> Option<Self> {
        value.map(|seconds| Self::of(Timestamp::from_seconds(seconds)))
    }
}

/// What a cell of a table, or a fact, says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing is set.
    Nothing,
    Text(String),
    /// In the typewriter's letters.
    Code(String),
    Link(Leads),
    Time(When),
    Badge(Badge),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub label: String,
    pub shown: Shown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub name: String,
    pub shown: Shown,
}

/// A state in one word, and how it sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    pub text: String,
    pub tone: Tone,
}

/// An entry of a select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub text: String,
    pub is_chosen: bool,
}

/// A list that is the same page narrowed otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub path: String,
    pub text: String,
    pub is_chosen: bool,
}

/// Where a list goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    pub first: Option<String>,
    pub next: Option<String>,
}

/// An act that is asked for once more: everything that cannot be taken back.
#[derive(Template)]
#[template(path = "console/confirm.html", config = "src/pages/askama.toml")]
pub struct ConfirmPage {
    pub page: Page,
    pub text: String,
    pub action: String,
    /// Hidden fields that the form sends back.
    pub fields: Vec<(String, String)>,
    pub button: String,
    pub back: String,
}
