//! An answer before it is HTTP.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// Status, body, and the few headers an answer may add.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub status: u16,
    pub body: Content,
    pub headers: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    None,
    Json(Value),
    Text { kind: &'static str, text: String },
}

impl Reply {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Content::Json(body), headers: Vec::new() }
    }

    pub(super) fn message(status: u16, text: &str) -> Self {
        Self::json(status, json!({ "message": text }))
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, body: Content::None, headers: Vec::new() }
    }

    pub(super) fn not_found() -> Self {
        Self::message(404, "Not found")
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With what every answer has.
    pub(super) fn into_http(self, version: &str, request_id: &str) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header(("Server", format!("tollgate/{version}")));
        response.insert_header(("X-Request-Id", request_id));
        // Answers hold secrets and are nobody's to keep.
        response.insert_header(("Cache-Control", "no-store"));
        response.insert_header(("X-Content-Type-Options", "nosniff"));
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        match self.body {
            Content::None => response.finish(),
            Content::Json(body) => response.content_type("application/json; charset=utf-8").body(body.to_string()),
            Content::Text { kind, text } => response.content_type(kind).body(text),
        }
    }
}
