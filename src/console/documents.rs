//! The OpenAPI document of a service: shown, stored, deleted.

use serde_json::Value;

use super::entities::name_of;
use super::facts::{leads, text};
use super::frame::SERVICES;
use super::notices::Done;
use super::refusal::{Answer, Refusal};
use super::services::found;
use super::views::{ConfirmPage, DocumentForm, DocumentPage, Leads};
use super::visit::Visit;
use crate::engine::catalog::{CatalogError, Key, Parent};
use crate::pages::{Form, Notice, answer, document, redirect};
use crate::schema::{Body, Entity};

/// What a document is called that has no name yet.
const NAME: &str = "openapi.yaml";

fn service_link(visit: &Visit, service: &Entity) -> Result<Leads, Refusal> {
    let name = name_of(visit.schema("services")?, service);
    Ok(leads(format!("{SERVICES}/{}", text(service, "id")), name))
}

pub(super) async fn page(visit: &Visit, id: &str) -> Answer {
    let (id, service) = found(visit, id).await?;
    let Some(stored) = visit.registration().document(id).await? else { return Err(Refusal::NotFound) };
    let (document, fault) = match document::read(text(&stored, "contents")) {
        Ok(document) => (Some(document), String::new()),
        Err(error) => (None, format!("The document cannot be shown: {error}.")),
    };
    let service = service_link(visit, &service)?;
    let page = DocumentPage {
        page: visit.page(format!("Document of {}", service.text), SERVICES),
        writes: visit.writes(),
        service,
        name: text(&stored, "path").to_owned(),
        document,
        fault,
    };
    Ok(answer(200, &page))
}

/// The form of a new document, or of the one that there is.
pub(super) async fn form(visit: &Visit, id: &str) -> Answer {
    let (id, service) = found(visit, id).await?;
    let stored = visit.registration().document(id).await?;
    let (path, contents) = match &stored {
        Some(stored) => (text(stored, "path").to_owned(), text(stored, "contents").to_owned()),
        None => (NAME.to_owned(), String::new()),
    };
    form_page(visit, &service, stored.is_none(), path, contents, Value::Null)
}

/// `faults`: texts by the names of fields.
fn form_page(visit: &Visit, service: &Entity, is_new: bool, path: String, contents: String, faults: Value) -> Answer {
    let service = service_link(visit, service)?;
    let fault = |field: &str| faults.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let title = format!("{} the document of {}", if is_new { "Add" } else { "Replace" }, service.text);
    let notice = (!faults.is_null()).then(|| Notice::bad("It was not saved. What is wrong stands beside the fields."));
    let status = if faults.is_null() { 200 } else { 400 };
    let page = DocumentForm {
        page: visit.page(title, SERVICES).notice(notice),
        path_fault: fault("path"),
        contents_fault: fault("contents"),
        service,
        path,
        contents,
    };
    Ok(answer(status, &page))
}

pub(super) async fn save(visit: &Visit, id: &str, form: &Form) -> Answer {
    let (id, service) = found(visit, id).await?;
    let (path, contents) = (form.text("path").trim().to_owned(), form.text("contents"));
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let mut body = Entity::new();
    body.insert("path".to_owned(), text(&path));
    body.insert("contents".to_owned(), text(&contents));
    match visit.registration().create_document(id, Body::json(body)).await {
        Ok(_) => Ok(redirect(&Done::Saved.at(&format!("{SERVICES}/{id}/document")))),
        Err(CatalogError::Violations(violations)) => {
            let is_new = visit.registration().document(id).await?.is_none();
            form_page(visit, &service, is_new, path, contents, violations.to_json())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn confirm_deletion(visit: &Visit, id: &str) -> Answer {
    let (id, service) = found(visit, id).await?;
    let service = service_link(visit, &service)?;
    let page = ConfirmPage {
        page: visit.page(format!("Delete the document of {}?", service.text), SERVICES).narrow(),
        text: "Developers no longer see what the service offers.".to_owned(),
        action: format!("{SERVICES}/{id}/document/delete"),
        fields: Vec::new(),
        button: "Delete the document".to_owned(),
        back: service.path,
    };
    Ok(answer(200, &page))
}

pub(super) async fn delete(visit: &Visit, id: &str) -> Answer {
    let (id, _) = found(visit, id).await?;
    let Some(stored) = visit.registration().document(id).await? else { return Err(Refusal::NotFound) };
    let parent = Parent { field: "service", id };
    let key = Key::parse(text(&stored, "id"));
    visit.catalog().delete(visit.schema("document_objects")?, &key, Some(&parent)).await?;
    Ok(redirect(&Done::Deleted.at(&format!("{SERVICES}/{id}"))))
}
