//! What pages say after an act, and why they say no.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde_json::Value;
use tracing::error;

use super::desk::SITE;
use crate::engine::accounts::AccountError;
use crate::engine::catalog::CatalogError;
use crate::pages::{self, Notice, Page, Way};

/// The sentence of a word in the query (`?done=saved`). Unknown words say nothing.
pub(super) fn notice(word: &str) -> Option<Notice> {
    Some(match word {
        "saved" => Notice::good("Saved."),
        "welcome" => Notice::good("Welcome back."),
        "logged-out" => Notice::good("You are logged out."),
        "deleted" => Notice::good("The application is deleted, with its credentials and all its access."),
        "account-deleted" => Notice::good("Your account is deleted."),
        "access" => Notice::good("You have access. The lines below call the service."),
        "requested" => Notice::wait("Your request is sent. You get a mail when it is decided."),
        "asked-before" => Notice::wait("This application has asked for this service before."),
        "withdrawn" => Notice::good("The access is given up."),
        "credential-deleted" => Notice::good("The credentials are deleted. Their tokens stopped working."),
        "retired" => Notice::good("The secret is retired."),
        "last-secret" => Notice::bad("The last secret stays: add another one first, or delete the credentials."),
        "full" => Notice::bad("These credentials have as many secrets as there may be: retire one first."),
        "password" => Notice::good("Your password is changed. You are logged out everywhere else."),
        "reset" => Notice::good("Your new password is set. Log in with it."),
        "verified" => Notice::good("Your address is confirmed. Log in."),
        "waiting" => Notice::wait("Your address is confirmed. An administrator looks at your registration next."),
        "confirm-email" => Notice::wait("We mailed you a link. The new address counts once you followed it."),
        "email" => Notice::good("Your e-mail address is changed."),
        _ => return None,
    })
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Refused {
    /// Log in first, then go on to this path of ours.
    LogIn(String),
    NotFound,
    /// A form that was not made for this session, or not by us.
    Forged,
    TooMany {
        seconds: i64,
    },
    Told {
        status: u16,
        text: &'static str,
    },
    Failed(CatalogError),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{self:?}")
    }
}

impl From<CatalogError> for Refused {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NotFound | CatalogError::NoUuid => Self::NotFound,
            CatalogError::InvalidOffset(_) | CatalogError::InvalidSize | CatalogError::InvalidOption { .. } => {
                Self::Told { status: 400, text: "This address does not lead to a page. Begin again from the list." }
            }
            other => Self::Failed(other),
        }
    }
}

impl From<AccountError> for Refused {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Locked { seconds } => Self::TooMany { seconds },
            AccountError::BadToken => Self::Told {
                status: 400,
                text: "This link is not valid any more. It works once, and for a few hours. Ask for a new one.",
            },
            AccountError::Catalog(error) => error.into(),
            AccountError::WrongCredentials | AccountError::NotAdmitted(_) | AccountError::OldPassword => {
                Self::Told { status: 403, text: "You may not do this." }
            }
        }
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        let home = || Some(Way { path: "/".to_owned(), text: "Go to the start page" });
        let page = |title: &str| Page::new(&SITE, title, "");
        match self {
            Self::LogIn(next) => {
                let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
                pages::redirect(&format!("/account/login?next={next}"))
            }
            Self::NotFound => pages::message(404, page("Not found"), "There is nothing here that you may see.", home()),
            Self::Forged => {
                let text = "This form is too old, or it was not made for you. Nothing was done. Go back, load the page \
                            again, and send it once more.";
                pages::message(403, page("Nothing was done"), text, home())
            }
            Self::TooMany { seconds } => {
                let text = format!("That was tried too often. Try again in {seconds} seconds.");
                later(pages::message(429, page("Too many attempts"), &text, home()), *seconds)
            }
            Self::Told { status, text } => pages::message(*status, page("This did not work"), text, home()),
            Self::Failed(failure) => failed(failure),
        }
    }
}

/// What stands at a path where nothing is.
pub(super) async fn nothing() -> HttpResponse {
    Refused::NotFound.error_response()
}

/// An answer that says after how many seconds to try again.
pub(super) fn later(mut answer: HttpResponse, seconds: i64) -> HttpResponse {
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Details go to the log.
fn failed(failure: &CatalogError) -> HttpResponse {
    let transient = matches!(failure, CatalogError::Engine(error) if error.is_transient());
    let page = Page::new(&SITE, "Something went wrong", "");
    if transient {
        return later(pages::message(503, page, "We cannot do this at the moment. Try again in a minute.", None), 5);
    }
    error!(error = %failure, "a page of the portal failed: {failure}");
    pages::message(500, page, "This is our fault. It is written down.", None)
}

/// The faults of a form: what a refusal says of each field, in sentences.
#[derive(Debug, Default)]
pub(super) struct Faults(Value);

impl Faults {
    /// # Errors
    /// What is no fault of the form.
    pub(super) fn of(error: CatalogError) -> Result<Self, Refused> {
        match error {
            CatalogError::Violations(violations) => Ok(Self(violations.to_json())),
            CatalogError::Unique(taken) => {
                let said = taken.keys().map(|name| (name.clone(), Value::from("is taken already")));
                Ok(Self(Value::Object(said.collect())))
            }
            other => Err(other.into()),
        }
    }

    /// What is wrong with a field (`meta.full_name`); empty: nothing.
    pub(super) fn at(&self, path: &str) -> String {
        let found = path.split('.').try_fold(&self.0, |at, name| at.get(name));
        let text = match found {
            Some(Value::String(text)) => text.as_str(),
            Some(Value::Array(texts)) => texts.iter().find_map(Value::as_str).unwrap_or_default(),
            _ => return String::new(),
        };
        sentence(text)
    }
}

/// A text of the Admin API as people read it.
fn sentence(text: &str) -> String {
    let text = match text {
        "required field missing" => "please fill this in",
        "is taken already" => "this is taken already",
        _ if text.starts_with("invalid email") => "this is not an e-mail address",
        text => text,
    };
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str().trim_end_matches('.')),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Violations;

    #[test]
    fn faults_are_sentences_at_their_field() {
        let mut violations = Violations::of("email", "invalid email 'x'");
        violations.add("password", "length must be at least 8");
        let faults = Faults::of(violations.into()).unwrap();
        assert_eq!(faults.at("email"), "This is not an e-mail address.");
        assert_eq!(faults.at("password"), "Length must be at least 8.");
        assert_eq!(faults.at("meta.full_name"), "");
    }

    #[test]
    fn only_our_own_sentences_are_said() {
        assert!(notice("saved").is_some());
        assert!(notice("<b>").is_none() && notice("").is_none());
    }
}
