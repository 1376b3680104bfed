//! One's own applications.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use serde_json::Value;

use super::super::reply::Reply;
use super::super::session::Member;
use super::super::state::PortalState;
use super::own::Own;
use super::query::{Asked, wrong};
use super::{at, credentials, fields, reading};
use crate::engine::catalog::{Key, ListRequest};
use crate::engine::registration::{Application, Scope, Side};
use crate::schema::Entity;

const FILTERS: &[&str] = &["name", "id"];
/// Bounds of what is listed, in Unix seconds.
const BOUNDS: &[&str] = &["created_at_from", "created_at_to"];
/// The last second of the year 9999.
const LAST: i64 = 253_402_300_799;
/// Contracts told with an application.
const CONTRACTS: &str = "1000";

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(at("/applications", "GET, HEAD, POST").route(reading().to(list)).route(web::post().to(create)));
    let one = at("/applications/{application}", "DELETE, GET, HEAD, PATCH").route(reading().to(show));
    config.service(one.route(web::patch().to(change)).route(web::delete().to(delete)));
}

async fn list(member: Member, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let mut asked = Asked::read(&request, FILTERS);
    let with_contracts = asked.flag("include_instances")?;
    for bound in BOUNDS {
        if let Some(seconds) = asked.number(bound)? {
            if !(0..=LAST).contains(&seconds) {
                return Err(wrong(bound, "expected Unix seconds"));
            }
            asked.request.filters.push(((*bound).to_owned(), seconds.into()));
        }
    }
    let scope = Scope::Developer(member.0.developer.id);
    let listing = state.registration.applications(scope, &asked.request).await?;
    let mut data = Vec::with_capacity(listing.data.len());
    for mut row in listing.data {
        if with_contracts {
            let contracts = contracts(&state, &row).await?;
            row.insert("application_instances".to_owned(), contracts.into_iter().map(Value::Object).collect());
        }
        data.push(Value::Object(row));
    }
    Ok(asked.page(data, listing.offset, listing.total))
}

async fn contracts(state: &PortalState, application: &Entity) -> Result<Vec<Entity>, Reply> {
    let Some(application) = Application::of(application.clone()) else { return Ok(Vec::new()) };
    let request = ListRequest { size: Some(CONTRACTS.to_owned()), ..ListRequest::default() };
    Ok(state.registration.contracts(Side::Application(&application), &request).await?.data)
}

/// The first credential is told with it, its secret this once.
async fn create(
    member: Member,
    request: HttpRequest,
    payload: Payload,
    state: Data<PortalState>,
) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    let made = state.registration.create_own_application(member.0.developer.id, body).await?;
    let mut application = made.application;
    if let Some(issued) = made.credential {
        let credential = credentials::told(issued.credential, issued.secret.as_ref());
        application.insert("credential".to_owned(), Value::Object(credential));
    }
    Ok(Reply::json(201, Value::Object(application)))
}

async fn show(own: Own) -> Reply {
    Reply::json(200, Value::Object(own.application.entity))
}

async fn change(own: Own, request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    let changed = state.registration.patch_own_application(&own.application, body).await?;
    Ok(Reply::json(200, Value::Object(changed)))
}

async fn delete(own: Own, state: Data<PortalState>) -> Result<Reply, Reply> {
    state.registration.delete_application(own.scope, &Key::Id(own.application.id)).await?;
    Ok(Reply::empty(204))
}
