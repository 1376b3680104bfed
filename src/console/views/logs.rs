//! The overview, tokens, mails, the audit log.

use askama::Template;

use super::form::Leads;
use super::parts::{Badge, Choice, Fact, Paging, Shown, Tab, When};
use crate::pages::Page;

/// A number with the page that shows what was counted.
#[derive(Clone, Debug)]
pub struct Count {
    pub number: String,
    pub text: &'static str,
    pub path: String,
    /// Whether somebody should look.
    pub is_urgent: bool,
}

#[derive(Template)]
#[template(path = "console/home.html", config = "src/pages/askama.toml")]
pub struct HomePage {
    pub page: Page,
    pub counts: Vec<Count>,
    pub ready: Badge,
    /// Why it is not ready.
    pub why: String,
    pub node: Vec<Fact>,
}

/// A token without the token.
#[derive(Clone, Debug)]
pub struct TokenRow {
    pub id: String,
    pub application: Shown,
    pub user: String,
    pub service: Shown,
    pub scope: String,
    pub issued: When,
    pub expires: Option<When>,
}

/// What tokens are looked for by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenSearch {
    pub application: String,
    pub user: String,
    pub service: String,
}

#[derive(Template)]
#[template(path = "console/tokens.html", config = "src/pages/askama.toml")]
pub struct TokensPage {
    pub page: Page,
    pub writes: bool,
    pub search: TokenSearch,
    pub is_narrowed: bool,
    pub application_fault: String,
    pub service_fault: String,
    /// Credentials to choose from, where the name of an application has several.
    pub choices: Vec<Choice>,
    pub tokens: Vec<TokenRow>,
    /// `3 tokens`, `more than 100000 tokens`
    pub total: String,
    /// Where all that were found are revoked at once.
    pub revoke_all: Option<String>,
    pub paging: Paging,
}

#[derive(Clone, Debug)]
pub struct MailRow {
    pub id: String,
    pub recipient: String,
    pub subject: String,
    pub state: Badge,
    pub attempts: i64,
    pub error: String,
    pub written: When,
    /// Sent, or tried next.
    pub next: Option<When>,
    pub can_be_retried: bool,
}

#[derive(Template)]
#[template(path = "console/mails.html", config = "src/pages/askama.toml")]
pub struct MailsPage {
    pub page: Page,
    pub writes: bool,
    pub is_sent: bool,
    pub tabs: Vec<Tab>,
    pub mails: Vec<MailRow>,
    pub paging: Paging,
}

#[derive(Clone, Debug)]
pub struct AuditRow {
    pub at: When,
    pub actor: String,
    pub source: String,
    pub method: String,
    pub path: String,
    pub status: u16,
    pub request_id: String,
}

#[derive(Template)]
#[template(path = "console/audit.html", config = "src/pages/askama.toml")]
pub struct AuditPage {
    pub page: Page,
    pub records: Vec<AuditRow>,
    pub paging: Paging,
}

/// A sentence about an act whose outcome is a number.
#[derive(Template)]
#[template(path = "console/outcome.html", config = "src/pages/askama.toml")]
pub struct OutcomePage {
    pub page: Page,
    pub text: String,
    pub way: Leads,
}
