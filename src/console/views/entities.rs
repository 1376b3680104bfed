//! Collections of the configuration, their items and forms.

use askama::Template;

use super::form::{Input, Leads, Section};
use super::parts::{Cell, Choice, Fact, Paging, Shown};
use crate::pages::Page;

#[derive(Clone, Debug)]
pub struct CollectionCard {
    pub path: String,
    pub title: &'static str,
    pub text: &'static str,
}

#[derive(Template)]
#[template(path = "console/collections.html", config = "src/pages/askama.toml")]
pub struct CollectionsPage {
    pub page: Page,
    pub collections: Vec<CollectionCard>,
}

#[derive(Clone, Debug)]
pub struct ItemRow {
    pub name: Leads,
    pub cells: Vec<Cell>,
}

#[derive(Template)]
#[template(path = "console/collection.html", config = "src/pages/askama.toml")]
pub struct CollectionPage {
    pub page: Page,
    pub writes: bool,
    /// `/console/entities/services`
    pub path: String,
    pub text: &'static str,
    pub one: &'static str,
    pub columns: Vec<String>,
    pub rows: Vec<ItemRow>,
    /// The label of the field that narrows the list by its key; empty: there is none.
    pub key_label: String,
    pub key: String,
    pub tags: String,
    /// Whether the list can be narrowed by tags.
    pub has_tags: bool,
    pub fault: String,
    pub paging: Paging,
}

impl CollectionPage {
    pub fn is_narrowed(&self) -> bool {
        !self.key.is_empty() || !self.tags.is_empty()
    }
}

/// Which plugin a new one is to be, asked before its form can be made.
#[derive(Template)]
#[template(path = "console/choose_plugin.html", config = "src/pages/askama.toml")]
pub struct ChoosePluginPage {
    pub page: Page,
    pub crumbs: Vec<Leads>,
    pub plugins: Vec<Choice>,
}

/// An item with its form; `id` is empty for a new one.
#[derive(Template)]
#[template(path = "console/item.html", config = "src/pages/askama.toml")]
pub struct ItemPage {
    pub page: Page,
    pub writes: bool,
    pub crumbs: Vec<Leads>,
    /// Where the form is sent.
    pub action: String,
    /// The plugin that is made; empty: another entity, or one that exists.
    pub plugin: String,
    pub one: &'static str,
    pub is_new: bool,
    pub facts: Vec<Fact>,
    pub sections: Vec<Section>,
    /// What is wrong across fields.
    pub faults: Vec<String>,
    /// What the entity was when the form was made.
    pub revision: String,
    pub links: Vec<Leads>,
}

/// A value that the gateway made: in this answer and in no other.
#[derive(Clone, Debug)]
pub struct Made {
    pub label: String,
    pub value: String,
}

#[derive(Template)]
#[template(path = "console/made.html", config = "src/pages/askama.toml")]
pub struct MadePage {
    pub page: Page,
    pub one: &'static str,
    pub made: Vec<Made>,
    pub item: Leads,
}
