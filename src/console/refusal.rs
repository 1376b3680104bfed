//! Why there is no page, as a page.

use actix_web::HttpResponse;
use tracing::{error, warn};

use super::frame::HOME;
use super::visit::Visit;
use crate::admin;
use crate::engine::EngineError;
use crate::engine::accounts::AccountError;
use crate::engine::catalog::CatalogError;
use crate::pages::{Page, Way, message};

/// Why a page or an act was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No page stands at this path; nothing was asked of the engine.
    NoSuchPath,
    NotFound,
    Catalog(CatalogError),
    Engine(EngineError),
}

pub(super) type Answer = Result<HttpResponse, Refusal>;

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NotFound | CatalogError::NoUuid => Self::NotFound,
            CatalogError::Engine(error) => Self::Engine(error),
            other => Self::Catalog(other),
        }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Catalog(error) => error.into(),
            other => Self::Engine(EngineError::Failed(other.to_string())),
        }
    }
}

impl Refusal {
    /// The page of a refusal. This is the door where failures are logged.
    pub(super) fn page(&self, visit: &Visit) -> HttpResponse {
        let (status, title, text) = self.told();
        let way = Way { path: HOME.to_owned(), text: "To the overview" };
        message(status, visit.page(title, ""), &text, Some(way))
    }

    fn told(&self) -> (u16, &'static str, String) {
        match self {
            Self::NoSuchPath | Self::NotFound => {
                (404, "Not found", "There is nothing here. It may have been deleted.".to_owned())
            }
            Self::Catalog(error) => {
                let (status, text) = admin::told(error);
                (status, "This cannot be done", text)
            }
            Self::Engine(error) => failed(error),
        }
    }
}

/// A failure, to somebody of whom nothing is known yet.
pub(super) fn told(error: impl Into<Refusal>) -> HttpResponse {
    let (status, title, text) = error.into().told();
    plain(status, title, &text)
}

/// Details go to the log, not to the page.
fn failed(failure: &EngineError) -> (u16, &'static str, String) {
    if failure.is_transient() {
        warn!(error = %failure, "a page of the console was answered with 503: {failure}");
        return (503, "Try again", "The gateway cannot do this now. Please try again in a moment.".to_owned());
    }
    error!(error = %failure, "a page of the console failed: {failure}");
    (500, "Something went wrong", "An unexpected error occurred. The log of the gateway says more.".to_owned())
}

/// What everybody may be told, logged in or not.
pub(super) fn plain(status: u16, title: &str, text: &str) -> HttpResponse {
    message(status, Page::new(&super::frame::SITE, title, ""), text, None)
}
