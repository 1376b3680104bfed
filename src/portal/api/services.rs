//! The catalogue: services that take applications.

use actix_web::HttpRequest;
use actix_web::web::{Data, ServiceConfig};
use serde_json::Value;

use super::super::reply::Reply;
use super::super::session::Member;
use super::super::state::PortalState;
use super::query::Asked;
use super::{at, reading};
use crate::engine::catalog::Key;
use crate::engine::registration::{Offer, Scope};
use crate::schema::Entity;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(at("/application_services", "GET, HEAD").route(reading().to(list)));
}

/// `app_id`: one's own application, whose contract each row tells.
async fn list(member: Member, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let asked = Asked::read(&request, &["name", "status"]);
    let registration = &state.registration;
    let application = match asked.parameter("app_id").map(Key::parse) {
        None => None,
        Some(Key::Name(_)) => return Err(Reply::not_found()),
        Some(key) => Some(registration.application(Scope::Developer(member.0.developer.id), &key).await?.id),
    };
    let offers = registration.services(application, &asked.request).await?;
    let data = offers.data.iter().map(|offer| Value::Object(row(offer))).collect();
    Ok(asked.page(data, offers.offset, u64::try_from(offers.total).ok()))
}

/// A service as the contract's section 2.5 has it, with the page that shows its document.
pub(super) fn row(offer: &Offer) -> Entity {
    offer.to_json(Some(&format!("/catalog/{}/spec", offer.service)))
}
