//! The status listener: `/status`, `/status/ready`, `/status/live`, `/metrics`, for probes and scrapers.

use actix_web::web::{self, Data};
use actix_web::{HttpResponse, Responder};
use serde_json::json;

use super::readiness::Readiness;
use crate::telemetry::Registry;

/// Adds the status paths to an App.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/status", web::get().to(status))
        .route("/status/ready", web::get().to(ready))
        .route("/status/live", web::get().to(live))
        .route("/metrics", web::get().to(metrics))
        .default_service(web::to(unknown));
}

async fn status(readiness: Data<Readiness>) -> impl Responder {
    HttpResponse::Ok().json(readiness.report().await)
}

async fn ready(readiness: Data<Readiness>) -> impl Responder {
    match readiness.check().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "message": "ready" })),
        Err(why) => HttpResponse::ServiceUnavailable().json(json!({ "message": why })),
    }
}

async fn live() -> impl Responder {
    HttpResponse::Ok().json(json!({ "message": "alive" }))
}

async fn metrics(registry: Data<Registry>) -> impl Responder {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(registry.render())
}

async fn unknown() -> impl Responder {
    HttpResponse::NotFound().json(json!({ "message": "Not found" }))
}
