//! Services as applications meet them: contracts, routes, plugins.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::contracts::{self, CONTRACTS, TABS};
use super::entities::{name_of, path_of};
use super::facts::{code, fact, leads, text, texts, told, when};
use super::frame::SERVICES;
use super::paging::{self, paging, tabs};
use super::refusal::{Answer, Refusal};
use super::views::{DocumentFacts, Fact, Part, ServicePage, ServiceRow, ServicesPage, Shown};
use super::visit::{self, Visit};
use crate::domain::ContractStatus;
use crate::engine::catalog::{CatalogError, Key, ListRequest};
use crate::engine::registration::{Offer, Side};
use crate::pages::answer;
use crate::schema::Entity;

/// Routes and plugins of one service that are shown.
const SHOWN: &str = "200";

pub(super) async fn list(visit: &Visit) -> Answer {
    let listing = visit.catalog().list(visit.schema("services")?, &paging::request(visit, false)).await?;
    let offers = offers(visit).await?;
    let mut services = Vec::with_capacity(listing.data.len());
    for service in &listing.data {
        let id = text(service, "id");
        let offer = id.parse::<Uuid>().ok().and_then(|id| offers.get(&id));
        let waiting = if offer.is_some() { waiting(visit, id).await? } else { 0 };
        services.push(ServiceRow {
            service: leads(format!("{SERVICES}/{id}"), name_of(visit.schema("services")?, service)),
            display_name: offer.map(|offer| offer.display_name.clone()),
            has_document: offer.is_some_and(|offer| offer.document.is_some()),
            waiting,
        });
    }
    let paging = paging(visit, &listing, SERVICES, &[]);
    Ok(answer(200, &ServicesPage { page: visit.page("Services", SERVICES), services, paging }))
}

/// The services that take applications.
async fn offers(visit: &Visit) -> Result<HashMap<Uuid, Offer>, Refusal> {
    let mut request = ListRequest { size: Some("1000".to_owned()), ..ListRequest::default() };
    let mut offers = HashMap::new();
    loop {
        let page = visit.registration().services(None, &request).await?;
        offers.extend(page.data.into_iter().map(|offer| (offer.service, offer)));
        match page.offset {
            Some(offset) => request.offset = Some(offset),
            None => return Ok(offers),
        }
    }
}

/// How many contracts of a service wait for a word.
async fn waiting(visit: &Visit, service: &str) -> Result<u64, Refusal> {
    let filters =
        vec![("service.id".to_owned(), service.into()), ("status".to_owned(), ContractStatus::Requested.word().into())];
    let request = ListRequest { filters, size: Some("1".to_owned()), ..ListRequest::default() };
    let listing = visit.catalog().list(visit.schema(CONTRACTS)?, &request).await?;
    Ok(listing.total.unwrap_or(u64::MAX))
}

/// A service and its id.
pub(super) async fn found(visit: &Visit, id: &str) -> Result<(Uuid, Entity), Refusal> {
    let id = visit::id(id)?;
    let service = visit.catalog().find(visit.schema("services")?, &Key::Id(id), None).await?;
    Ok((id, service.ok_or(Refusal::NotFound)?))
}

pub(super) async fn one(visit: &Visit, id: &str) -> Answer {
    let (id, service) = found(visit, id).await?;
    let path = format!("{SERVICES}/{id}");
    let status = contracts::tab(&visit.query.text("status"));
    let mut request = paging::request(visit, status != ContractStatus::Requested);
    request.filters.push(("status".to_owned(), status.word().into()));
    let mut listing = visit.registration().contracts(Side::Service(id), &request).await?;
    let data = std::mem::take(&mut listing.data);
    let offer = match visit.registration().service(None, id).await {
        Ok(offer) => Some(offer),
        Err(CatalogError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let document = visit.registration().document(id).await?;
    let page = ServicePage {
        page: visit.page(name_of(visit.schema("services")?, &service), SERVICES),
        writes: visit.writes(),
        facts: facts(&service, offer.as_ref()),
        takes_applications: offer.is_some(),
        tabs: tabs(&path, "status", &TABS, status.word()),
        status: status.word().to_owned(),
        contracts: contracts::cards(visit, data, "service").await?,
        paging: paging(visit, &listing, &path, &[("status", status.word())]),
        document: document.map(|document| DocumentFacts {
            path: text(&document, "path").to_owned(),
            stored: when(&document, "created_at"),
        }),
        routes: parts(visit, "routes", id, route).await?,
        plugins: parts(visit, "plugins", id, plugin).await?,
        id: id.to_string(),
    };
    Ok(answer(200, &page))
}

fn facts(service: &Entity, offer: Option<&Offer>) -> Vec<Fact> {
    let port = service.get("port").and_then(Value::as_i64).unwrap_or_default();
    let upstream = format!("{}://{}:{port}{}", text(service, "protocol"), text(service, "host"), text(service, "path"));
    let mut facts = vec![fact("Upstream", code(&upstream))];
    if let Some(offer) = offer {
        let approves = if offer.auto_approve { "by itself" } else { "an administrator" };
        facts.push(fact("In the portal", told(&offer.display_name)));
        facts.push(fact("Description", told(offer.description.as_deref().unwrap_or_default())));
        facts.push(fact("Approves", told(approves)));
    }
    facts.push(fact("ID", code(text(service, "id"))));
    facts.push(fact("Created", Shown::Time(when(service, "created_at"))));
    facts
}

/// What stands on a service.
async fn parts(visit: &Visit, entity: &str, service: Uuid, told: fn(&Entity) -> String) -> Result<Vec<Part>, Refusal> {
    let schema = visit.schema(entity)?;
    let filters = vec![("service.id".to_owned(), service.to_string().into())];
    let request = ListRequest { filters, size: Some(SHOWN.to_owned()), ..ListRequest::default() };
    let listing = visit.catalog().list(schema, &request).await?;
    let part = |entity: &Entity| Part {
        item: leads(path_of(schema.name, text(entity, "id")), name_of(schema, entity)),
        text: told(entity),
    };
    Ok(listing.data.iter().map(part).collect())
}

fn route(route: &Entity) -> String {
    ["methods", "hosts", "paths"].into_iter().flat_map(|field| texts(route, field)).collect::<Vec<_>>().join(" ")
}

fn plugin(plugin: &Entity) -> String {
    let enabled = plugin.get("enabled").and_then(Value::as_bool).unwrap_or(true);
    if enabled { String::new() } else { "switched off".to_owned() }
}
