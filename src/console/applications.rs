//! Applications: their contracts, credentials and calls.

use super::calls::{Range, calls};
use super::contracts;
use super::entities::path_of;
use super::facts::{code, fact, leads, reference, text, texts, told, when};
use super::frame::{APPLICATIONS, DEVELOPERS, TOKENS};
use super::notices::Done;
use super::paging::{self, paging, with};
use super::refusal::{Answer, Refusal};
use super::views::{
    ApplicationPage, ApplicationRow, ApplicationsPage, Choice, ConfirmPage, CredentialCard, Fact, SecretRow, Shown,
    When,
};
use super::visit::{self, Visit};
use crate::engine::catalog::{CatalogError, Key, ListRequest};
use crate::engine::registration::{Application, Scope, Side};
use crate::pages::{answer, redirect};
use crate::schema::Entity;

/// Contracts and credentials of one application that are shown at once.
const SHOWN: &str = "200";

pub(super) async fn list(visit: &Visit) -> Answer {
    let (name, developer) = (visit.query.text("name"), visit.query.text("developer"));
    let mut request = paging::request(visit, true);
    if !name.is_empty() {
        request.filters.push(("name".to_owned(), name.as_str().into()));
    }
    let scope = match visit::id(&developer) {
        Ok(id) => Scope::Developer(id),
        Err(_) => Scope::All,
    };
    let listing = visit.registration().applications(scope, &request).await?;
    let whose = match scope {
        Scope::Developer(_) => developer,
        Scope::All => String::new(),
    };
    let page = ApplicationsPage {
        page: visit.page("Applications", APPLICATIONS),
        applications: rows(visit, &listing.data).await?,
        paging: paging(visit, &listing, APPLICATIONS, &[("name", &name), ("developer", &whose)]),
        name,
        developer: whose,
    };
    Ok(answer(200, &page))
}

/// Applications as they are listed, with whose they are.
pub(super) async fn rows(visit: &Visit, applications: &[Entity]) -> Result<Vec<ApplicationRow>, Refusal> {
    let mut names = super::entities::Names::new(visit);
    let mut rows = Vec::with_capacity(applications.len());
    for application in applications {
        let (id, developer) = (text(application, "id"), reference(application, "developer"));
        rows.push(ApplicationRow {
            application: leads(format!("{APPLICATIONS}/{id}"), text(application, "name")),
            description: text(application, "description").to_owned(),
            developer: leads(format!("{DEVELOPERS}/{developer}"), names.of("developers", developer).await?),
            created: when(application, "created_at"),
        });
    }
    Ok(rows)
}

async fn found(visit: &Visit, id: &str) -> Result<Application, Refusal> {
    let id = visit::id(id)?;
    Ok(visit.registration().application(Scope::All, &Key::Id(id)).await?)
}

pub(super) async fn one(visit: &Visit, id: &str) -> Answer {
    let application = found(visit, id).await?;
    let request = ListRequest { size: Some(SHOWN.to_owned()), ..ListRequest::default() };
    let contracts = visit.registration().contracts(Side::Application(&application), &request).await?;
    let range = Range::of(&visit.query.text("range"));
    let calls = calls(visit, application.id, range).await?;
    let credentials = credentials(visit, &application).await?;
    let path = format!("{APPLICATIONS}/{}", application.id);
    let page = ApplicationPage {
        page: visit.page(text(&application.entity, "name"), APPLICATIONS),
        writes: visit.writes(),
        facts: facts(visit, &application).await?,
        has_more_contracts: contracts.offset.is_some(),
        contracts: contracts::cards(visit, contracts.data, "application").await?,
        is_external: credentials.is_none(),
        credentials: credentials.unwrap_or_default(),
        tokens: with(TOKENS, &[("application", text(&application.entity, "name"))]),
        ranges: Range::ALL.into_iter().map(|known| choice(&path, known, range)).collect(),
        chart: calls.chart,
        admitted: calls.admitted,
        refused: calls.refused,
        path,
    };
    Ok(answer(200, &page))
}

fn choice(path: &str, known: Range, chosen: Range) -> Choice {
    Choice { value: with(path, &[("range", known.word())]), text: known.text().to_owned(), is_chosen: known == chosen }
}

async fn facts(visit: &Visit, application: &Application) -> Result<Vec<Fact>, Refusal> {
    let entity = &application.entity;
    let developer = application.developer.to_string();
    let email = super::entities::Names::new(visit).of("developers", &developer).await?;
    Ok(vec![
        fact("Developer", Shown::Link(leads(format!("{DEVELOPERS}/{developer}"), email))),
        fact("Description", told(text(entity, "description"))),
        fact("Redirect URI", code(text(entity, "redirect_uri"))),
        fact("Reference ID", code(text(entity, "custom_id"))),
        fact("Created", Shown::Time(when(entity, "created_at"))),
        fact("Changed", Shown::Time(when(entity, "updated_at"))),
        fact("ID", code(text(entity, "id"))),
        fact("Hidden consumer", code(&application.consumer.to_string())),
    ])
}

/// Its credentials, without secrets; `None` where an identity provider keeps them.
async fn credentials(visit: &Visit, application: &Application) -> Result<Option<Vec<CredentialCard>>, Refusal> {
    let request = ListRequest { size: Some(SHOWN.to_owned()), ..ListRequest::default() };
    match visit.registration().credentials(application, &request).await {
        Ok(listing) => Ok(Some(listing.data.iter().map(credential).collect())),
        Err(CatalogError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn credential(entity: &Entity) -> CredentialCard {
    let secrets = entity.get("secrets").and_then(serde_json::Value::as_array).into_iter().flatten();
    let row = |secret: &Entity| SecretRow {
        created: when(secret, "created_at"),
        ends: When::seconds(secret.get("expires_at").and_then(serde_json::Value::as_i64)),
    };
    CredentialCard {
        client_id: text(entity, "client_id").to_owned(),
        client_type: text(entity, "client_type").to_owned(),
        redirect_uris: texts(entity, "redirect_uris"),
        secrets: secrets.filter_map(|secret| secret.as_object()).map(row).collect(),
        path: path_of("oauth2_credentials", text(entity, "id")),
    }
}

pub(super) async fn confirm_deletion(visit: &Visit, id: &str) -> Answer {
    let application = found(visit, id).await?;
    let path = format!("{APPLICATIONS}/{}", application.id);
    let page = ConfirmPage {
        page: visit.page(format!("Delete {}?", text(&application.entity, "name")), APPLICATIONS).narrow(),
        text: "Its contracts, credentials and tokens go with it. This cannot be taken back.".to_owned(),
        action: format!("{path}/delete"),
        fields: Vec::new(),
        button: "Delete the application".to_owned(),
        back: path,
    };
    Ok(answer(200, &page))
}

pub(super) async fn delete(visit: &Visit, id: &str) -> Answer {
    let application = found(visit, id).await?;
    visit.registration().delete_application(Scope::All, &Key::Id(application.id)).await?;
    Ok(redirect(&Done::Deleted.at(APPLICATIONS)))
}
