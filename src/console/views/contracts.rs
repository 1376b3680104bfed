//! Contracts, and the queue of what waits.

use askama::Template;

use super::form::Leads;
use super::parts::{Badge, Paging, Tab, When};
use crate::pages::Page;

/// A button of a contract or a developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where its form is sent.
    pub path: String,
    pub text: &'static str,
    pub is_bad: bool,
}

#[derive(Clone, Debug)]
pub struct ContractCard {
    pub id: String,
    pub application: Leads,
    /// What the application says of itself.
    pub description: String,
    pub developer: Leads,
    pub service: Leads,
    pub status: Badge,
    pub requested: When,
    pub changed: When,
    /// Empty: those of the plugin.
    pub scopes: Vec<String>,
    pub note: String,
    /// Those that take a note along.
    pub moves: Vec<Move>,
    /// Suspend or resume.
    pub pause: Option<Move>,
    /// The page that it leads back to.
    pub from: &'static str,
}

#[derive(Clone, Debug)]
pub struct DeveloperCard {
    pub developer: Leads,
    pub asked: When,
    pub moves: Vec<Move>,
}

#[derive(Template)]
#[template(path = "console/requests.html", config = "src/pages/askama.toml")]
pub struct RequestsPage {
    pub page: Page,
    pub writes: bool,
    pub tabs: Vec<Tab>,
    /// `requested`
    pub status: String,
    pub contracts: Vec<ContractCard>,
    pub paging: Paging,
    /// Those who ask for access.
    pub developers: Vec<DeveloperCard>,
    /// The list of them, where there are more.
    pub more_developers: Option<String>,
}
