//! One's own applications.

use askama::Template;

use super::Status;
use crate::pages::{Page, Picture};
use crate::portal::lines::Line;

#[derive(Clone, Debug)]
pub struct ContractBadge {
    pub service: String,
    pub status: Status,
}

#[derive(Clone, Debug)]
pub struct ApplicationRow {
    pub id: String,
    pub name: String,
    pub description: String,
    pub created: String,
    pub created_iso: String,
    pub contracts: Vec<ContractBadge>,
}

#[derive(Template)]
#[template(path = "apps.html", config = "src/pages/askama.toml")]
pub struct ApplicationsPage {
    pub page: Page,
    pub applications: Vec<ApplicationRow>,
    pub next: Option<String>,
}

/// The form of a new application (`id` empty) or of one that is changed.
#[derive(Template)]
#[template(path = "app_form.html", config = "src/pages/askama.toml")]
pub struct ApplicationForm {
    pub page: Page,
    pub id: String,
    pub known_as: String,
    /// The service it is made for; empty: none in particular.
    pub service: String,
    pub external: bool,
    /// The name as typed.
    pub called: String,
    pub name_fault: String,
    pub redirect_uri: String,
    pub redirect_uri_fault: String,
    pub custom_id: String,
    pub custom_id_fault: String,
    pub description: String,
    pub description_fault: String,
}

#[derive(Clone, Debug)]
pub struct ApplicationView {
    pub id: String,
    pub name: String,
    pub description: String,
    pub redirect_uri: String,
    pub custom_id: String,
    pub created: String,
    pub created_iso: String,
}

#[derive(Clone, Debug)]
pub struct ContractRow {
    pub id: String,
    pub service_id: String,
    pub service: String,
    pub status: Status,
    pub note: String,
    pub since: String,
    pub since_iso: String,
}

#[derive(Clone, Debug)]
pub struct SecretRow {
    pub id: String,
    pub created: String,
    pub created_iso: String,
    /// Empty: never.
    pub ends: String,
    pub ends_iso: String,
}

#[derive(Clone, Debug)]
pub struct CredentialView {
    pub id: String,
    pub client_id: String,
    pub client_type: String,
    pub redirect_uris: Vec<String>,
    pub secrets: Vec<SecretRow>,
}

/// A secret just made: in this answer and in no other.
pub struct ShownOnce {
    pub client_id: String,
    pub client_secret: String,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub struct Range {
    pub value: &'static str,
    pub text: &'static str,
    pub chosen: bool,
}

#[derive(Template)]
#[template(path = "app.html", config = "src/pages/askama.toml")]
pub struct ApplicationPage {
    pub page: Page,
    pub application: ApplicationView,
    pub external: bool,
    pub shown_once: Option<ShownOnce>,
    pub contracts: Vec<ContractRow>,
    pub credentials: Vec<CredentialView>,
    pub ranges: Vec<Range>,
    pub chart: Picture,
    pub admitted: u64,
    pub refused: u64,
}
