//! Refusals and failures as answers, with Kong's codes and texts.

use serde_json::{Map, Value, json};
use tracing::{error, warn};

use super::reply::{Content, Reply};
use crate::engine::EngineError;
use crate::engine::catalog::CatalogError;

/// The answer to an error of the catalog. This is the door where failures are logged.
pub(super) fn reply(error: &CatalogError) -> Reply {
    match error {
        CatalogError::NotFound => Reply::not_found(),
        CatalogError::Violations(violations) => {
            faulty(400, 2, "schema violation", &violations.message(), violations.to_json())
        }
        CatalogError::NoUuid => {
            let fields = json!({ "id": "expected a valid UUID" });
            let message = format!("invalid primary key: '{}'", table(&fields));
            faulty(400, 1, "invalid primary key", &message, fields)
        }
        CatalogError::PrimaryKey { id } => {
            let key = json!({ "id": id });
            let message = format!("primary key violation on key '{}'", table(&key));
            faulty(400, 3, "primary key violation", &message, key)
        }
        CatalogError::ForeignKey { field, entity, key } => {
            let message = format!("the foreign key '{}' does not reference an existing '{entity}' entity.", table(key));
            faulty(400, 4, "foreign key violation", &message, json!({ field: key }))
        }
        CatalogError::Unresolved { field, entity, by, value } => unresolved(field, entity, by, value),
        CatalogError::Referenced { by, entity } => {
            let message = format!("an existing '{by}' entity references this '{entity}' entity");
            faulty(400, 4, "foreign key violation", &message, json!({ "@referenced_by": by }))
        }
        CatalogError::Unique(taken) => {
            let fields = Value::Object(taken.clone());
            let message = format!("UNIQUE violation detected on '{}'", table(&fields));
            faulty(409, 5, "unique constraint violation", &message, fields)
        }
        CatalogError::Conflict(text) => Reply::message(409, text),
        CatalogError::InvalidOffset(offset) => {
            let message = format!("'{offset}' is not a valid offset: bad base64 encoding");
            Reply::json(400, json!({ "code": 7, "name": "invalid offset", "message": message }))
        }
        CatalogError::InvalidSize => {
            let message = "size must be an integer between 1 and 1000";
            Reply::json(400, json!({ "code": 9, "name": "invalid size", "message": message }))
        }
        CatalogError::InvalidOption { option, text } => {
            let message = format!("invalid option ({option}: {text})");
            let options = json!({ option: text });
            Reply::json(400, json!({ "code": 11, "name": "invalid options", "message": message, "options": options }))
        }
        CatalogError::Engine(error) => failed(error),
    }
}

/// The status and the sentence with which an error is answered, for the console.
pub fn told(error: &CatalogError) -> (u16, String) {
    let reply = reply(error);
    let text = match &reply.body {
        Content::Json(body) => body.get("message").and_then(Value::as_str).unwrap_or("Not found").to_owned(),
        Content::None | Content::Text { .. } => String::new(),
    };
    (reply.status, text)
}

fn faulty(status: u16, code: u8, name: &str, message: &str, fields: Value) -> Reply {
    Reply::json(status, json!({ "code": code, "name": name, "message": message, "fields": fields }))
}

fn unresolved(field: &str, entity: &str, by: &str, value: &str) -> Reply {
    let key = table(&json!({ by: value }));
    let text = format!("the foreign key cannot be resolved with '{key}' for an existing '{entity}' entity");
    let message = format!("foreign key unresolved ({field}.{by}: {text})");
    faulty(400, 13, "foreign keys unresolved", &message, json!({ field: { by: text } }))
}

/// Details go to the log, not to the client.
fn failed(failure: &EngineError) -> Reply {
    if failure.is_transient() {
        warn!(error = %failure, "admin request was answered with 503: {failure}");
        return Reply::message(503, "Service unavailable, try again later").header("Retry-After", "1");
    }
    error!(error = %failure, "admin request failed: {failure}");
    Reply::message(500, "An unexpected error occurred")
}

/// Keys as Kong prints them: `{id="…"}`.
fn table(value: &Value) -> String {
    match value {
        Value::Object(object) => table_of(object),
        Value::String(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}

fn table_of(object: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = object.keys().collect();
    names.sort();
    let parts: Vec<String> = names.into_iter().map(|name| format!("{name}={}", table(&object[name]))).collect();
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(error: &CatalogError) -> (u16, Value) {
        let Reply { status, body: Content::Json(body), .. } = reply(error) else { panic!("no JSON") };
        (status, body)
    }

    #[test]
    fn a_taken_value_is_kongs_conflict() {
        let taken = json!({"username": "bob"}).as_object().unwrap().clone();
        let (status, body) = body(&CatalogError::Unique(taken));
        assert_eq!(status, 409);
        assert_eq!(body["message"], "UNIQUE violation detected on '{username=\"bob\"}'");
        assert_eq!(body["fields"], json!({"username": "bob"}));
        assert_eq!((&body["code"], &body["name"]), (&json!(5), &json!("unique constraint violation")));
    }

    #[test]
    fn references_that_lead_nowhere_are_named() {
        let key = json!({"id": "x"});
        let missing = CatalogError::ForeignKey { field: "service".into(), entity: "services".into(), key };
        let (_, shown) = body(&missing);
        assert_eq!(shown["message"], "the foreign key '{id=\"x\"}' does not reference an existing 'services' entity.");
        assert_eq!(shown["fields"], json!({"service": {"id": "x"}}));
        let (_, shown) = body(&CatalogError::Referenced { by: "routes".into(), entity: "services" });
        assert_eq!(shown["message"], "an existing 'routes' entity references this 'services' entity");
        assert_eq!(shown["fields"], json!({"@referenced_by": "routes"}));
    }

    #[test]
    fn a_failure_tells_the_client_nothing() {
        let (status, body) = body(&CatalogError::Engine(EngineError::Failed("password wrong".into())));
        assert_eq!((status, body), (500, json!({"message": "An unexpected error occurred"})));
    }
}
