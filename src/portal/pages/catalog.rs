//! Services: the start page, the list, one service, its document.

use actix_web::HttpResponse;
use uuid::Uuid;

use super::desk::Desk;
use super::guest::Guest;
use super::said::Refused;
use crate::engine::catalog::{Key, ListRequest};
use crate::engine::registration::{Application, Offer, Scope, Side};
use crate::pages::{self, assets, document};
use crate::portal::lines::{self, Client, Line, Target};
use crate::portal::show;
use crate::portal::views::{CatalogPage, Choice, HomePage, OwnApplication, ServicePage, SpecPage, Status};

type Answered = Result<HttpResponse, Refused>;

/// Services on one page.
const PAGE: &str = "24";
/// Services on the start page.
const FEATURED: &str = "6";
/// One's own applications, in selects and beside a service.
const OWN: &str = "200";

pub(super) async fn asset(path: actix_web::web::Path<(String, String)>) -> HttpResponse {
    assets::serve(&path.0, &path.1)
}

fn by_name(size: &str) -> ListRequest {
    ListRequest { size: Some(size.to_owned()), sort_by: Some("name".to_owned()), ..ListRequest::default() }
}

pub(super) async fn home(guest: Guest) -> Answered {
    let offers = guest.desk.registration.services(None, &by_name(FEATURED)).await?;
    let services = offers.data.iter().map(|offer| show::service_card(offer, false)).collect();
    Ok(guest.answer(200, &HomePage { page: guest.page("Build on our APIs").section("/"), services }))
}

/// One's own applications, the one of the query chosen.
async fn own(guest: &Guest) -> Result<Vec<Application>, Refused> {
    let Some(visit) = &guest.visit else { return Ok(Vec::new()) };
    let (registration, scope) = (&guest.desk.registration, Scope::Developer(visit.developer.id));
    let request = ListRequest { size: Some(OWN.to_owned()), ..ListRequest::default() };
    let listing = registration.applications(scope, &request).await?;
    Ok(listing.data.into_iter().filter_map(Application::of).collect())
}

fn chosen(guest: &Guest, own: &[Application]) -> Option<Uuid> {
    let asked: Option<Uuid> = guest.query.text("app").parse().ok();
    own.iter().map(|application| application.id).find(|id| Some(*id) == asked)
}

fn option(application: &Application, chosen: Option<Uuid>) -> OwnApplication {
    OwnApplication {
        id: application.id.to_string(),
        name: show::text(&application.entity, "name"),
        chosen: chosen == Some(application.id),
        status: Status::of(None),
        contract: None,
        note: String::new(),
    }
}

pub(super) async fn list(guest: Guest) -> Answered {
    let own = own(&guest).await?;
    let application = chosen(&guest, &own);
    let (name, status) = (guest.query.text("name"), guest.query.text("status"));
    let mut request = by_name(PAGE);
    request.offset = guest.query.filled("offset");
    request.filters.push(("name".to_owned(), name.trim().into()));
    if application.is_some() && !status.is_empty() {
        request.filters.push(("status".to_owned(), status.clone().into()));
    }
    let offers = guest.desk.registration.services(application, &request).await?;
    let next = offers.offset.as_ref().map(|offset| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("name", &name).append_pair("status", &status).append_pair("app", &guest.query.text("app"));
        format!("/catalog?{}", query.append_pair("offset", offset).finish())
    });
    let choices = [
        ("", "any"),
        ("0", "active"),
        ("1", "pending approval"),
        ("2", "rejected"),
        ("3", "revoked"),
        ("-1", "not requested"),
    ];
    let page = CatalogPage {
        page: guest.page("Services").section("/catalog"),
        total: pages::plural(offers.total as u64, "service"),
        name: name.clone(),
        applications: own.iter().map(|one| option(one, application)).collect(),
        chosen: application.is_some(),
        statuses: choices.map(|(value, text)| Choice { value, text, chosen: value == status }).to_vec(),
        services: offers.data.iter().map(|offer| show::service_card(offer, application.is_some())).collect(),
        next,
    };
    Ok(guest.answer(200, &page))
}

pub(super) async fn service(guest: Guest) -> Answered {
    let id = guest.id("service")?;
    let registration = &guest.desk.registration;
    let offer = registration.service(None, id).await?;
    let own = own(&guest).await?;
    let mut applications = Vec::with_capacity(own.len());
    let mut open = None;
    for application in &own {
        let mut shown = option(application, chosen(&guest, &own));
        if let Some(contract) = contract(&guest, application, id).await? {
            let status = show::contract_status(&contract);
            shown.status = Status::of(status);
            shown.contract = Some(show::text(&contract, "id"));
            shown.note = show::text(&contract, "note");
            let is_open = shown.status == Status::of(Some((crate::domain::ContractStatus::Approved, false)));
            if is_open && (open.is_none() || shown.chosen) {
                open = Some(application);
            }
        }
        applications.push(shown);
    }
    let (lines_for, lines) = match open {
        Some(application) => calls(&guest, application, &offer).await?,
        None => Default::default(),
    };
    let page = ServicePage {
        page: guest.page(offer.title()).section("/catalog"),
        service: show::service_card(&offer, false),
        has_document: offer.document.is_some(),
        applications,
        facts: show::facts(&offer),
        lines_for,
        fills_secret: show::ways(&offer).needs_secret(),
        lines,
    };
    Ok(guest.answer(200, &page))
}

async fn contract(
    guest: &Guest,
    application: &Application,
    service: Uuid,
) -> Result<Option<crate::schema::Entity>, Refused> {
    let filters = vec![("service.id".to_owned(), service.to_string().into())];
    let request = ListRequest { filters, ..ListRequest::default() };
    let mut found = guest.desk.registration.contracts(Side::Application(application), &request).await?;
    Ok(found.data.pop())
}

/// The lines for an application that may call the service: with the ids of its first credentials.
async fn calls(guest: &Guest, application: &Application, offer: &Offer) -> Result<(String, Vec<Line>), Refused> {
    let name = show::text(&application.entity, "name");
    let request = ListRequest { size: Some("1".to_owned()), ..ListRequest::default() };
    let Ok(credentials) = guest.desk.registration.credentials(application, &request).await else {
        return Ok((name, Vec::new()));
    };
    let Some(credential) = credentials.data.first() else { return Ok((name, Vec::new())) };
    let client = client_of(credential, None);
    Ok((name, lines_of(&guest.desk, offer, &client)))
}

/// A credential as the lines need it; `secret` where it is known this once.
pub(super) fn client_of(credential: &crate::schema::Entity, secret: Option<String>) -> Client {
    let shown = show::credential(credential);
    Client { client_id: shown.client_id, client_secret: secret, redirect_uri: shown.redirect_uris.into_iter().next() }
}

/// The lines that call a service.
pub(super) fn lines_of(desk: &Desk, offer: &Offer, client: &Client) -> Vec<Line> {
    let entrance = offer.entrance.clone();
    let target = Target {
        proxy: desk.proxy_url.clone(),
        path: entrance.as_ref().and_then(|entrance| entrance.path.clone()).unwrap_or_default(),
        host: entrance.and_then(|entrance| entrance.host),
        insecure: desk.insecure,
    };
    lines::lines(&target, client, &show::ways(offer))
}

/// The stored document of a service in the catalogue.
async fn contents(guest: &Guest) -> Result<(Offer, Option<String>), Refused> {
    let id = guest.id("service")?;
    let offer = guest.desk.registration.service(None, id).await?;
    let stored = guest.desk.registration.document(id).await?;
    let contents = stored.map(|document| show::text(&document, "contents")).filter(|text| !text.is_empty());
    Ok((offer, contents))
}

pub(super) async fn spec(guest: Guest) -> Answered {
    let (offer, contents) = contents(&guest).await?;
    let (document, fault) = match contents.as_deref().map(document::read) {
        None => (None, "There is no API documentation yet.".to_owned()),
        Some(Ok(document)) => (Some(document), String::new()),
        Some(Err(error)) => (None, format!("The API documentation cannot be shown: {error}.")),
    };
    let page = guest.page(format!("{}: API documentation", offer.title())).section("/catalog");
    Ok(guest.answer(200, &SpecPage { page, service: show::service_card(&offer, false), document, fault }))
}

/// The document as it was stored. As plain text: it is an administrator's, and no page of ours.
pub(super) async fn raw_spec(guest: Guest) -> Answered {
    let (_, contents) = contents(&guest).await?;
    let contents = contents.ok_or(Refused::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"))
        .insert_header(("Content-Disposition", "attachment; filename=\"openapi.txt\""))
        .content_type("text/plain; charset=utf-8")
        .body(contents))
}

/// A key of the path.
pub(super) fn key(id: Uuid) -> Key {
    Key::Id(id)
}
