//! Developers and applications.

use askama::Template;

use super::contracts::{ContractCard, Move};
use super::form::Leads;
use super::parts::{Badge, Choice, Fact, Paging, Shown, When};
use crate::pages::{Page, Picture};

#[derive(Clone, Debug)]
pub struct DeveloperRow {
    pub developer: Leads,
    pub status: Badge,
    pub registered: When,
}

#[derive(Template)]
#[template(path = "console/developers.html", config = "src/pages/askama.toml")]
pub struct DevelopersPage {
    pub page: Page,
    pub writes: bool,
    pub statuses: Vec<Choice>,
    pub email: String,
    pub is_narrowed: bool,
    pub developers: Vec<DeveloperRow>,
    pub paging: Paging,
}

/// What became of invitations.
#[derive(Template)]
#[template(path = "console/invited.html", config = "src/pages/askama.toml")]
pub struct InvitedPage {
    pub page: Page,
    pub sent: Vec<String>,
    /// Addresses, and why they were not invited.
    pub failed: Vec<(String, String)>,
    /// Whether there is a mail server.
    pub is_sent: bool,
}

/// A role that a developer has or may get.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    pub is_had: bool,
}

#[derive(Clone, Debug)]
pub struct ApplicationRow {
    pub application: Leads,
    pub description: String,
    pub developer: Leads,
    pub created: When,
}

#[derive(Template)]
#[template(path = "console/developer.html", config = "src/pages/askama.toml")]
pub struct DeveloperPage {
    pub page: Page,
    pub writes: bool,
    pub path: String,
    pub status: Badge,
    pub moves: Vec<Move>,
    pub facts: Vec<Fact>,
    /// What they told of themselves.
    pub meta: Vec<Fact>,
    pub roles: Vec<Role>,
    pub applications: Vec<ApplicationRow>,
    /// The list of them, where there are more.
    pub more: Option<String>,
}

#[derive(Template)]
#[template(path = "console/applications.html", config = "src/pages/askama.toml")]
pub struct ApplicationsPage {
    pub page: Page,
    pub name: String,
    /// Whose applications; empty: everybody's.
    pub developer: String,
    pub applications: Vec<ApplicationRow>,
    pub paging: Paging,
}

/// A secret of a credential, without the secret.
#[derive(Clone, Debug)]
pub struct SecretRow {
    pub created: When,
    pub ends: Option<When>,
}

#[derive(Clone, Debug)]
pub struct CredentialCard {
    pub client_id: String,
    pub client_type: String,
    pub redirect_uris: Vec<String>,
    pub secrets: Vec<SecretRow>,
    /// Its page among the entities.
    pub path: String,
}

#[derive(Template)]
#[template(path = "console/application.html", config = "src/pages/askama.toml")]
pub struct ApplicationPage {
    pub page: Page,
    pub writes: bool,
    pub path: String,
    pub facts: Vec<Fact>,
    pub contracts: Vec<ContractCard>,
    /// Where there are more.
    pub has_more_contracts: bool,
    /// Whether an identity provider keeps its credentials.
    pub is_external: bool,
    pub credentials: Vec<CredentialCard>,
    pub tokens: String,
    pub ranges: Vec<Choice>,
    pub chart: Picture,
    pub admitted: u64,
    pub refused: u64,
}
