//! Contracts of one's own applications: what may be called, and asking for it.
//!
//! A contract is told with the service it is for, as the catalogue tells that: `id`, `status` and the other fields that an
//! application instance has are the contract's, `service.id` is the service's.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use serde_json::{Value, json};

use super::super::reply::Reply;
use super::super::state::PortalState;
use super::own::{Own, key};
use super::query::Asked;
use super::services::row;
use super::{at, fields, reading};
use crate::engine::catalog::CatalogError;
use crate::engine::registration::{Offer, Side};
use crate::schema::Entity;

pub(super) fn routes(config: &mut ServiceConfig) {
    let all = at("/applications/{application}/application_instances", "GET, HEAD, POST");
    config.service(all.route(reading().to(list)).route(web::post().to(create)));
    let one = at("/applications/{application}/application_instances/{contract}", "DELETE, GET, HEAD");
    config.service(one.route(reading().to(show)).route(web::delete().to(withdraw)));
}

async fn list(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let asked = Asked::read(&request, &["status", "service.id"]);
    let registration = &state.registration;
    let listing = registration.contracts(Side::Application(&own.application), &asked.request).await?;
    let offers = registration.offers(Some(own.application.id)).await?;
    let data = listing.data.into_iter().map(|contract| Value::Object(told(contract, &offers))).collect();
    Ok(asked.page(data, listing.offset, listing.total))
}

async fn create(own: Own, request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    match state.registration.request_contract(&own.application, body).await {
        Ok(made) => one(201, &own, made, &state).await,
        // There is no such service.
        Err(CatalogError::ForeignKey { .. }) => Err(Reply::not_found()),
        Err(other) => Err(other.into()),
    }
}

async fn show(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let key = key(&request, "contract")?;
    let contract = state.registration.contract(Side::Application(&own.application), &key).await?;
    one(200, &own, contract, &state).await
}

async fn withdraw(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let key = key(&request, "contract")?;
    state.registration.delete_contract(Side::Application(&own.application), &key).await?;
    Ok(Reply::empty(204))
}

async fn one(status: u16, own: &Own, contract: Entity, state: &PortalState) -> Result<Reply, Reply> {
    let offers = state.registration.offers(Some(own.application.id)).await?;
    Ok(Reply::json(status, Value::Object(told(contract, &offers))))
}

/// A contract in the row of its service. A service that takes no applications any more is told by its id alone.
fn told(mut contract: Entity, offers: &[Offer]) -> Entity {
    let service = contract.get("service").and_then(|service| service.get("id")?.as_str()).unwrap_or_default();
    let mut offer = offers.iter().find(|offer| offer.service.to_string() == service).map(row).unwrap_or_default();
    for field in ["name", "app_registration_config", "auth_plugin_config", "document_route"] {
        contract.insert(field.to_owned(), offer.remove(field).unwrap_or_default());
    }
    let instance = json!({ "id": contract.get("id"), "status": contract.get("status") });
    contract.insert("instance".to_owned(), instance);
    contract
}
