//! An answer of the API before it is HTTP.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use serde_json::{Value, json};

/// Status, JSON body (or none), and the few headers an answer may add; the others are [`super::guard()`]'s.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub status: u16,
    pub body: Option<Value>,
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), headers: Vec::new() }
    }

    pub(super) fn message(status: u16, text: &str) -> Self {
        Self::json(status, json!({ "message": text }))
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    pub(super) fn not_found() -> Self {
        Self::message(404, "Not found")
    }

    /// A refusal in Kong's shape, with what is wrong by field.
    pub(super) fn faulty(status: u16, code: u8, name: &str, message: &str, fields: Value) -> Self {
        Self::json(status, json!({ "code": code, "name": name, "message": message, "fields": fields }))
    }

    #[must_use]
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn into_http(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        match self.body {
            None => response.finish(),
            Some(body) => response.content_type("application/json; charset=utf-8").body(body.to_string()),
        }
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into_http()
    }
}

/// A reply may end a handler early; it is an answer like any other, and no error of the portal's.
impl ResponseError for Reply {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.clone().into_http()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "answer {}", self.status)
    }
}
