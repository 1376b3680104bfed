//! The status listener: `/status`, `/status/ready`, `/status/live`, `/metrics`, for probes and scrapers.

use actix_web::http::Method;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::json;
use uuid::Uuid;

use super::vitals::Vitals;
use crate::proxy::PRODUCT;

/// Adds the status paths to an App.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.default_service(web::to(answer));
}

/// One handler for every path, so that every answer has what answers of ours have.
async fn answer(request: HttpRequest, vitals: Data<Vitals>) -> HttpResponse {
    if !["/status", "/status/ready", "/status/live", "/metrics"].contains(&request.path()) {
        return with_headers(HttpResponse::NotFound()).json(json!({ "message": "Not found" }));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = with_headers(HttpResponse::MethodNotAllowed());
        return refusal.insert_header(("Allow", "GET, HEAD")).json(json!({ "message": "Method not allowed" }));
    }
    let mut good = with_headers(HttpResponse::Ok());
    match request.path() {
        "/status/live" => good.json(json!({ "message": "alive" })),
        "/status/ready" => ready(&vitals).await,
        "/metrics" => good.content_type("text/plain; version=0.0.4; charset=utf-8").body(vitals.meters.render()),
        _ => good.json(vitals.report().await),
    }
}

async fn ready(vitals: &Vitals) -> HttpResponse {
    match vitals.readiness.check().await {
        Ok(()) => with_headers(HttpResponse::Ok()).json(json!({ "message": "ready" })),
        Err(why) => {
            let mut unready = with_headers(HttpResponse::ServiceUnavailable());
            unready.insert_header(("Retry-After", "1")).json(json!({ "message": why }))
        }
    }
}

fn with_headers(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header(("Server", PRODUCT));
    response.insert_header(("X-Request-Id", Uuid::new_v4().simple().to_string()));
    response.insert_header(("Cache-Control", "no-store"));
    response
}
