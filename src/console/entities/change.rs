//! Making, saving and deleting an item.

use rand::random;
use serde_json::Value;

use super::collections::name_of;
use super::draft;
use super::faults::Faults;
use super::item::{Sheet, deletion, found, new_page, page_of, revision};
use super::place::{Place, Use, defaults, places};
use super::shown::path_of;
use crate::admin;
use crate::console::frame::ENTITIES;
use crate::console::notices::Done;
use crate::console::refusal::{Answer, Refusal};
use crate::console::views::{Leads, Made, MadePage};
use crate::console::visit::Visit;
use crate::engine::catalog::{CatalogError, Key};
use crate::pages::{Form, Notice, answer, redirect};
use crate::schema::{Body, Entity};

const CHANGED_MEANWHILE: &str =
    "It was changed by somebody else while this form was open. This is what it is now; please make your changes again.";

pub(in crate::console) async fn create(visit: &Visit, path: &str, form: &Form) -> Answer {
    let sheet = Sheet::of(visit, path, &form.text("plugin"))?;
    if sheet.lacks_plugin() {
        return Err(Refusal::NotFound);
    }
    let places = places(&sheet.schema, Use::Create);
    let body = match draft::body(&visit.catalog().registry, &places, &defaults(&places), form) {
        Ok(body) => with_secret_to_hash(visit, &sheet, body),
        Err(faults) => return new_page(visit, &sheet, &places, Some(form), &faults, 400),
    };
    let mut whole = body.clone();
    if !sheet.plugin.is_empty() {
        whole.insert("name".to_owned(), sheet.plugin.as_str().into());
    }
    let created = visit.catalog().create(visit.schema(sheet.collection.entity)?, Body::json(whole), None).await;
    match created {
        Ok(created) => Ok(created_page(visit, &sheet, &places, form, &body, &created)),
        Err(error) => {
            let status = status(&error);
            new_page(visit, &sheet, &places, Some(form), &Faults::of(&places, error)?, status)
        }
    }
}

/// A secret that is to be hashed is made here, because once stored nobody can show it.
fn with_secret_to_hash(visit: &Visit, sheet: &Sheet<'_>, mut body: Entity) -> Entity {
    let is_hashed = body.get("hash_secret") == Some(&Value::Bool(true));
    if sheet.schema.name == "oauth2_credentials" && is_hashed && !body.contains_key("client_secret") {
        let made = visit.state.node.keyring.mint(random());
        body.insert("client_secret".to_owned(), made.reveal().into());
    }
    body
}

/// Shows the secrets that were made, this once; else leads to the new item.
fn created_page(
    visit: &Visit,
    sheet: &Sheet<'_>,
    places: &[Place<'_>],
    form: &Form,
    body: &Entity,
    created: &Entity,
) -> actix_web::HttpResponse {
    let left_empty = places.iter().filter(|place| place.is_secret && form.text(&place.name).is_empty());
    let made: Vec<Made> = left_empty
        .filter_map(|place| {
            let value = place.value(body).as_str().or_else(|| place.value(created).as_str())?;
            Some(Made { label: place.label(), value: value.to_owned() })
        })
        .collect();
    let id = created.get("id").and_then(Value::as_str).unwrap_or_default();
    let path = path_of(sheet.schema.name, id);
    if made.is_empty() {
        return redirect(&Done::Created.at(&path));
    }
    let one = sheet.collection.one;
    let item = Leads { path, text: name_of(&sheet.schema, created) };
    let page = visit.page(format!("The {one} was created"), ENTITIES).narrow();
    answer(201, &MadePage { page, one, made, item })
}

pub(in crate::console) async fn save(visit: &Visit, path: &str, id: &str, form: &Form) -> Answer {
    let (sheet, id, entity) = found(visit, path, id).await?;
    if form.text("revision") != revision(visit, &sheet.schema, &entity) {
        let faults = Faults::across(CHANGED_MEANWHILE);
        return page_of(visit, &sheet, &entity, None, &faults, 409).await;
    }
    let places = places(&sheet.schema, Use::Change);
    let body = match draft::body(&visit.catalog().registry, &places, &entity, form) {
        Ok(body) => with_kind_of_secret(&entity, body),
        Err(faults) => return page_of(visit, &sheet, &entity, Some(form), &faults, 400).await,
    };
    let own = path_of(sheet.schema.name, &id.to_string());
    if body.is_empty() {
        return Ok(redirect(&Done::Unchanged.at(&own)));
    }
    let schema = visit.schema(sheet.collection.entity)?;
    match visit.catalog().patch(schema, &Key::Id(id), Body::json(body), None).await {
        Ok(_) => Ok(redirect(&Done::Saved.at(&own))),
        Err(error) => {
            let status = status(&error);
            page_of(visit, &sheet, &entity, Some(form), &Faults::of(&places, error)?, status).await
        }
    }
}

/// The catalog wants to be told how a new secret is kept; unless the form changes that, it is kept as the old one was.
fn with_kind_of_secret(entity: &Entity, mut body: Entity) -> Entity {
    if body.contains_key("client_secret")
        && let Some(kind) = entity.get("hash_secret")
    {
        body.entry("hash_secret").or_insert_with(|| kind.clone());
    }
    body
}

pub(in crate::console) async fn delete(visit: &Visit, path: &str, id: &str) -> Answer {
    let (sheet, id, entity) = found(visit, path, id).await?;
    let schema = visit.schema(sheet.collection.entity)?;
    match visit.catalog().delete(schema, &Key::Id(id), None).await {
        Ok(()) => Ok(redirect(&Done::Deleted.at(&sheet.path()))),
        Err(error @ CatalogError::Referenced { .. }) => {
            let (status, text) = admin::told(&error);
            Ok(deletion(visit, &sheet, &entity, Some(Notice::bad(format!("It stays: {text}"))), status))
        }
        Err(error) => Err(error.into()),
    }
}

fn status(error: &CatalogError) -> u16 {
    if matches!(error, CatalogError::Unique(_)) { 409 } else { 400 }
}
