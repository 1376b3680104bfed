//! Services as developers see them.

use askama::Template;

use crate::domain::ContractStatus;
use crate::pages::document::Document;
use crate::pages::{Page, Tone};
use crate::portal::lines::Line;

/// Letters of a description on a card.
const SUMMARY: usize = 180;

/// A state in one word, and how it sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub text: &'static str,
    pub tone: Tone,
}

impl Status {
    /// `None`: no contract.
    pub fn of(contract: Option<(ContractStatus, bool)>) -> Self {
        let (text, tone) = match contract {
            None => ("Not requested", Tone::Wait),
            Some((ContractStatus::Approved, true)) => ("Suspended", Tone::Bad),
            Some((ContractStatus::Approved, false)) => ("Active", Tone::Good),
            Some((ContractStatus::Requested, _)) => ("Pending approval", Tone::Wait),
            Some((ContractStatus::Rejected, _)) => ("Rejected", Tone::Bad),
            Some((ContractStatus::Revoked, _)) => ("Revoked", Tone::Bad),
        };
        Self { text, tone }
    }
}

#[derive(Clone, Debug)]
pub struct ServiceCard {
    pub id: String,
    pub name: String,
    pub description: String,
    /// How it is called: `OAuth 2.0`, `API key`.
    pub ways: Vec<&'static str>,
    pub auto_approve: bool,
    /// Of the application that was chosen.
    pub status: Option<Status>,
}

impl ServiceCard {
    /// The beginning of the description.
    pub fn summary(&self) -> String {
        let mut text: String = self.description.chars().take(SUMMARY).collect();
        if text.len() < self.description.len() {
            text.push('…');
        }
        text
    }
}

#[derive(Template)]
#[template(path = "home.html", config = "src/pages/askama.toml")]
pub struct HomePage {
    pub page: Page,
    pub services: Vec<ServiceCard>,
}

/// An entry of a select.
#[derive(Clone, Debug)]
pub struct Choice {
    pub value: &'static str,
    pub text: &'static str,
    pub chosen: bool,
}

/// One's own application, in a select or beside a service.
#[derive(Clone, Debug)]
pub struct OwnApplication {
    pub id: String,
    pub name: String,
    pub chosen: bool,
    pub status: Status,
    /// The contract's id, where there is one.
    pub contract: Option<String>,
    pub note: String,
}

#[derive(Template)]
#[template(path = "catalog.html", config = "src/pages/askama.toml")]
pub struct CatalogPage {
    pub page: Page,
    /// `3 services`
    pub total: String,
    pub name: String,
    pub applications: Vec<OwnApplication>,
    /// Whether one of them is chosen.
    pub chosen: bool,
    pub statuses: Vec<Choice>,
    pub services: Vec<ServiceCard>,
    pub next: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

#[derive(Template)]
#[template(path = "service.html", config = "src/pages/askama.toml")]
pub struct ServicePage {
    pub page: Page,
    pub service: ServiceCard,
    pub has_document: bool,
    pub applications: Vec<OwnApplication>,
    pub facts: Vec<Fact>,
    /// Whose credentials stand in the lines.
    pub lines_for: String,
    pub fills_secret: bool,
    pub lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "spec.html", config = "src/pages/askama.toml")]
pub struct SpecPage {
    pub page: Page,
    pub service: ServiceCard,
    pub document: Option<Document>,
    /// Why there is no document to show.
    pub fault: String,
}
