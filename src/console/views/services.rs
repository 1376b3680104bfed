//! Services as applications and developers meet them.

use askama::Template;

use super::contracts::ContractCard;
use super::form::Leads;
use super::parts::{Fact, Paging, Shown, Tab, When};
use crate::pages::Page;
use crate::pages::document::Document;

#[derive(Clone, Debug)]
pub struct ServiceRow {
    pub service: Leads,
    /// What developers see it as; `None`: it takes no applications.
    pub display_name: Option<String>,
    pub has_document: bool,
    pub waiting: u64,
}

#[derive(Template)]
#[template(path = "console/services.html", config = "src/pages/askama.toml")]
pub struct ServicesPage {
    pub page: Page,
    pub services: Vec<ServiceRow>,
    pub paging: Paging,
}

/// A route or a plugin of a service.
#[derive(Clone, Debug)]
pub struct Part {
    pub item: Leads,
    pub text: String,
}

/// The document that a service has.
#[derive(Clone, Debug)]
pub struct DocumentFacts {
    pub path: String,
    pub stored: When,
}

#[derive(Template)]
#[template(path = "console/service.html", config = "src/pages/askama.toml")]
pub struct ServicePage {
    pub page: Page,
    pub writes: bool,
    pub id: String,
    pub facts: Vec<Fact>,
    /// Whether it has the plugin that makes applications ask for access.
    pub takes_applications: bool,
    pub tabs: Vec<Tab>,
    pub status: String,
    pub contracts: Vec<ContractCard>,
    pub paging: Paging,
    pub document: Option<DocumentFacts>,
    pub routes: Vec<Part>,
    pub plugins: Vec<Part>,
}

/// The form of a document, with what is wrong with it.
#[derive(Template)]
#[template(path = "console/document_form.html", config = "src/pages/askama.toml")]
pub struct DocumentForm {
    pub page: Page,
    pub service: Leads,
    pub path: String,
    pub path_fault: String,
    pub contents: String,
    pub contents_fault: String,
}

#[derive(Template)]
#[template(path = "console/document_page.html", config = "src/pages/askama.toml")]
pub struct DocumentPage {
    pub page: Page,
    pub writes: bool,
    pub service: Leads,
    pub name: String,
    pub document: Option<Document>,
    /// Why it cannot be shown.
    pub fault: String,
}
