//! One's own applications: the list, making and changing one.

use std::collections::HashMap;

use actix_web::HttpResponse;
use serde_json::{Map, Value};

use super::application;
use super::catalog::{client_of, key, lines_of};
use super::guest::{Guest, Posted};
use super::said::{Faults, Refused};
use crate::engine::catalog::ListRequest;
use crate::engine::registration::{AppAuth, Application, Scope, Side};
use crate::pages::{self, Form};
use crate::portal::show;
use crate::portal::views::{ApplicationForm, ApplicationsPage, ConfirmPage, ShownOnce};
use crate::schema::{Body, Entity};

type Answered = Result<HttpResponse, Refused>;

/// Applications on one page.
const PAGE: &str = "50";
/// Contracts shown of one application.
const CONTRACTS: &str = "200";

/// Names of services as the portal shows them, by id.
pub(super) async fn titles(guest: &Guest) -> Result<HashMap<String, String>, Refused> {
    let request = ListRequest { size: Some("1000".to_owned()), ..ListRequest::default() };
    let offers = guest.desk.registration.services(None, &request).await?;
    Ok(offers.data.iter().map(|offer| (offer.service.to_string(), offer.title().to_owned())).collect())
}

/// The name of a service; one that takes no applications any more has none.
pub(super) fn title(titles: &HashMap<String, String>, service: &str) -> String {
    titles.get(service).cloned().unwrap_or_else(|| "A service that is not offered any more".to_owned())
}

/// The contracts of an application.
pub(super) async fn contracts_of(guest: &Guest, application: &Application) -> Result<Vec<Entity>, Refused> {
    let request = ListRequest { size: Some(CONTRACTS.to_owned()), ..ListRequest::default() };
    Ok(guest.desk.registration.contracts(Side::Application(application), &request).await?.data)
}

pub(super) async fn list(guest: Guest) -> Answered {
    let developer = guest.developer()?;
    let request =
        ListRequest { size: Some(PAGE.to_owned()), offset: guest.query.filled("offset"), ..ListRequest::default() };
    let listing = guest.desk.registration.applications(Scope::Developer(developer.id), &request).await?;
    let titles = titles(&guest).await?;
    let mut applications = Vec::with_capacity(listing.data.len());
    for application in listing.data.into_iter().filter_map(Application::of) {
        let contracts = contracts_of(&guest, &application).await?;
        applications.push(show::application_row(&application.entity, &contracts, |id| title(&titles, id)));
    }
    let next = listing.offset.map(|offset| format!("/apps?offset={offset}"));
    let page = ApplicationsPage { page: guest.page("My applications").section("/apps"), applications, next };
    Ok(guest.answer(200, &page))
}

fn form(guest: &Guest, of: Option<&Application>, typed: Option<&Form>, faults: &Faults) -> ApplicationForm {
    let value = |name: &str| match (typed, of) {
        (Some(form), _) => form.text(name),
        (None, Some(application)) => show::text(&application.entity, name),
        (None, None) => String::new(),
    };
    let service = typed.map_or_else(|| guest.query.text("service"), |form| form.text("service"));
    let title = if of.is_some() { "Edit application" } else { "Create an application" };
    ApplicationForm {
        page: guest.page(title).section("/apps"),
        id: of.map(|application| application.id.to_string()).unwrap_or_default(),
        known_as: of.map(|application| show::text(&application.entity, "name")).unwrap_or_default(),
        service,
        external: guest.desk.registration.app_auth() == AppAuth::ExternalOauth2,
        called: value("name"),
        name_fault: faults.at("name"),
        redirect_uri: value("redirect_uri"),
        redirect_uri_fault: faults.at("redirect_uri"),
        custom_id: value("custom_id"),
        custom_id_fault: faults.at("custom_id"),
        description: value("description"),
        description_fault: faults.at("description"),
    }
}

/// The fields of an application that a form brings.
fn body(guest: &Guest, form: &Form) -> Body {
    let field = |name: &str| (name.to_owned(), form.filled(name).map_or(Value::Null, Value::from));
    Body::json(Map::from_iter(guest.desk.registration.own_fields().map(field)))
}

pub(super) async fn new_form(guest: Guest) -> Answered {
    guest.developer()?;
    Ok(guest.answer(200, &form(&guest, None, None, &Faults::default())))
}

pub(super) async fn create(Posted { guest, form: typed }: Posted) -> Answered {
    let (developer, registration) = (guest.developer()?, &guest.desk.registration);
    let made = registration.create_own_application(developer.id, body(&guest, &typed)).await;
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            let faults = Faults::of(error)?;
            return Ok(guest.answer(400, &form(&guest, None, Some(&typed), &faults)));
        }
    };
    let application = Application::of(made.application).ok_or(Refused::NotFound)?;
    let shown = match made.credential {
        Some(issued) => issued.secret.map(|secret| (issued.credential, secret)),
        None => None,
    };
    let Some((credential, secret)) = shown else {
        return Ok(pages::redirect(&format!("/apps/{}?done=saved", application.id)));
    };
    let wanted = typed.text("service").parse().ok();
    let client = client_of(&credential, Some(secret.reveal().to_owned()));
    // The service it is made for: its lines work as soon as the access is there.
    let lines = match wanted {
        Some(service) => registration
            .service(None, service)
            .await
            .map(|offer| lines_of(&guest.desk, &offer, &client))
            .unwrap_or_default(),
        None => Vec::new(),
    };
    let shown = ShownOnce { client_id: client.client_id, client_secret: secret.reveal().to_owned(), lines };
    application::page(&guest, &application, Some(shown)).await
}

pub(super) async fn edit_form(guest: Guest) -> Answered {
    let application = guest.application().await?;
    Ok(guest.answer(200, &form(&guest, Some(&application), None, &Faults::default())))
}

pub(super) async fn save(Posted { guest, form: typed }: Posted) -> Answered {
    let application = guest.application().await?;
    match guest.desk.registration.patch_own_application(&application, body(&guest, &typed)).await {
        Ok(_) => Ok(pages::redirect(&format!("/apps/{}?done=saved", application.id))),
        Err(error) => {
            let faults = Faults::of(error)?;
            Ok(guest.answer(400, &form(&guest, Some(&application), Some(&typed), &faults)))
        }
    }
}

/// Asked for twice, for it cannot be taken back.
pub(super) async fn delete(Posted { guest, form }: Posted) -> Answered {
    let (application, developer) = (guest.application().await?, guest.developer()?.id);
    if form.text("confirmed") != "yes" {
        let name = show::text(&application.entity, "name");
        let page = ConfirmPage {
            page: guest.page("Delete this application?").section("/apps").narrow(),
            text: format!("“{name}” goes with its credentials and all its access. This cannot be taken back."),
            action: format!("/apps/{}/delete", application.id),
            button: "Delete the application",
            back: format!("/apps/{}", application.id),
        };
        return Ok(guest.answer(200, &page));
    }
    guest.desk.registration.delete_application(Scope::Developer(developer), &key(application.id)).await?;
    Ok(pages::redirect("/apps?done=deleted"))
}
