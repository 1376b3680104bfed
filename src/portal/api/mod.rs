//! The Portal API (application-registration.md section 6.2), at the contract's paths and below `/api`.
//!
//! **Absent on purpose:** pages; they have other paths.

mod accounts;
mod analytics;
mod applications;
mod contracts;
mod credentials;
mod log_in;
mod own;
mod query;
mod services;

use actix_web::guard::{Any, Get, Head};
use actix_web::web::Payload;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, Resource, Route};

use super::body;
use super::reply::Reply;
use crate::schema::Body;

pub(super) fn routes(config: &mut ServiceConfig) {
    every(config);
    config.service(web::scope("/api").configure(every).default_service(web::to(nothing)));
}

fn every(config: &mut ServiceConfig) {
    log_in::routes(config);
    accounts::routes(config);
    applications::routes(config);
    contracts::routes(config);
    credentials::routes(config);
    services::routes(config);
    analytics::routes(config);
}

/// A path and the methods it takes; any other is a 405.
fn at(path: &str, allowed: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move { wrong_method(allowed) }))
}

/// GET, and HEAD as a GET whose body is not sent.
fn reading() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

/// The fields of a request's body.
async fn fields(request: &HttpRequest, payload: Payload) -> Result<Body, Reply> {
    body::read(request, payload, body::LONGEST).await
}

fn wrong_method(allowed: &'static str) -> Reply {
    Reply::message(405, "Method not allowed").header("Allow", allowed)
}

async fn nothing() -> Reply {
    Reply::not_found()
}
