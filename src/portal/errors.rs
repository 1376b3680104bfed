//! Refusals and failures of the use cases as answers, with Kong's codes and texts.

use serde_json::{Map, Value, json};
use tracing::{error, warn};

use super::reply::Reply;
use crate::domain::DeveloperStatus;
use crate::engine::EngineError;
use crate::engine::accounts::AccountError;
use crate::engine::catalog::CatalogError;

/// What is not logged in is told how; the scheme is none that makes a browser ask for a password.
const CHALLENGE: &str = "Session realm=\"developer portal\"";

pub(super) fn unauthorized(text: &str) -> Reply {
    Reply::message(401, text).header("WWW-Authenticate", CHALLENGE)
}

impl From<AccountError> for Reply {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Locked { seconds } => {
                let text = "Too many attempts, try again later";
                Self::message(429, text).header("Retry-After", seconds.to_string())
            }
            AccountError::WrongCredentials => unauthorized("Invalid authentication credentials"),
            AccountError::BadToken => unauthorized("Unauthorized"),
            AccountError::NotAdmitted(status) => {
                let body = json!({ "message": not_admitted(status), "status": status.code() });
                Self::json(403, body)
            }
            AccountError::OldPassword => {
                let fields = json!({ "old_password": "Old password is invalid" });
                Self::faulty(400, 2, "schema violation", "Old password is invalid", fields)
            }
            AccountError::Catalog(error) => error.into(),
        }
    }
}

/// Why someone with the right password is not let in.
pub(super) fn not_admitted(status: DeveloperStatus) -> &'static str {
    match status {
        DeveloperStatus::Approved => "You are logged out",
        DeveloperStatus::Requested => "Your account has yet to be approved",
        DeveloperStatus::Rejected => "Your account was not approved",
        DeveloperStatus::Revoked => "Your account was revoked",
        DeveloperStatus::Unverified => "Your e-mail address is not verified yet",
    }
}

impl From<CatalogError> for Reply {
    fn from(error: CatalogError) -> Self {
        match &error {
            CatalogError::NotFound => Self::not_found(),
            CatalogError::Violations(violations) => {
                Self::faulty(400, 2, "schema violation", &violations.message(), violations.to_json())
            }
            CatalogError::Unique(taken) => {
                let message = format!("UNIQUE violation detected on '{}'", table(taken));
                Self::faulty(409, 5, "unique constraint violation", &message, Value::Object(taken.clone()))
            }
            CatalogError::Conflict(text) => Self::message(409, text),
            CatalogError::InvalidOffset(offset) => {
                let message = format!("'{offset}' is not a valid offset: bad base64 encoding");
                Self::json(400, json!({ "code": 7, "name": "invalid offset", "message": message }))
            }
            CatalogError::InvalidSize => {
                let message = "size must be an integer between 1 and 1000";
                Self::json(400, json!({ "code": 9, "name": "invalid size", "message": message }))
            }
            CatalogError::InvalidOption { option, text } => {
                let message = format!("invalid option ({option}: {text})");
                let body =
                    json!({ "code": 11, "name": "invalid options", "message": message, "options": { option: text } });
                Self::json(400, body)
            }
            CatalogError::Engine(failure) => failed(failure),
            // Their texts name fields and no values.
            refused => Self::message(400, &refused.to_string()),
        }
    }
}

/// Details go to the log, not to the client.
fn failed(failure: &EngineError) -> Reply {
    if failure.is_transient() {
        warn!(error = %failure, "portal request was answered with 503: {failure}");
        return Reply::message(503, "Service unavailable, try again later").header("Retry-After", "1");
    }
    error!(error = %failure, "portal request failed: {failure}");
    Reply::message(500, "An unexpected error occurred")
}

/// Keys as Kong prints them: `{email="…"}`.
fn table(taken: &Map<String, Value>) -> String {
    let parts: Vec<String> = taken.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_address_is_kongs_conflict() {
        let taken = Map::from_iter([("email".to_owned(), "bob@b".into())]);
        let reply = Reply::from(CatalogError::Unique(taken));
        let body = reply.body.unwrap();
        assert_eq!((reply.status, &body["code"]), (409, &json!(5)));
        assert_eq!(body["message"], "UNIQUE violation detected on '{email=\"bob@b\"}'");
    }

    #[test]
    fn a_failure_tells_the_client_nothing() {
        let reply = Reply::from(CatalogError::Engine(EngineError::Failed("password wrong".into())));
        assert_eq!((reply.status, reply.body), (500, Some(json!({ "message": "An unexpected error occurred" }))));
        let reply = Reply::from(CatalogError::Engine(EngineError::Overloaded));
        assert_eq!(reply.status, 503);
    }
}
