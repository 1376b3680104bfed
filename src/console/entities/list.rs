//! Collections, and what is in them.

use actix_web::HttpResponse;

use super::collections::{COLLECTIONS, Collection, name_of};
use super::place::label;
use super::shown::{Names, path_of};
use crate::console::frame::ENTITIES;
use crate::console::refusal::{Answer, Refusal};
use crate::console::views::{CollectionCard, CollectionPage, CollectionsPage, ItemRow, Leads, Paging};
use crate::console::visit::Visit;
use crate::engine::catalog::{CatalogError, ListRequest, Listing};
use crate::pages::answer;
use crate::schema::Schema;

/// Items on a page.
const SIZE: usize = 50;

pub(in crate::console) fn collections(visit: &Visit) -> HttpResponse {
    let card = |collection: &Collection| CollectionCard {
        path: format!("{ENTITIES}/{}", collection.path),
        title: collection.title,
        text: collection.text,
    };
    let collections = COLLECTIONS.iter().map(card).collect();
    answer(200, &CollectionsPage { page: visit.page("Configuration", ENTITIES), collections })
}

pub(in crate::console) async fn list(visit: &Visit, path: &str) -> Answer {
    let collection = Collection::at(path).ok_or(Refusal::NoSuchPath)?;
    let schema = visit.schema(collection.entity)?;
    let (key, tags, offset) = (visit.query.text("key"), visit.query.text("tags"), visit.query.filled("offset"));
    let mut request = ListRequest { size: Some(SIZE.to_string()), offset: offset.clone(), ..ListRequest::default() };
    if let Some(field) = collection.filter(schema).filter(|_| !key.is_empty()) {
        request.filters.push((field.to_owned(), key.as_str().into()));
    }
    request.tags = Some(tags.clone()).filter(|tags| !tags.is_empty());
    let (listing, fault) = match visit.catalog().list(schema, &request).await {
        Ok(listing) => (listing, String::new()),
        Err(CatalogError::InvalidOption { text, .. }) => {
            (Listing { data: Vec::new(), offset: None, total: None }, text)
        }
        Err(error) => return Err(error.into()),
    };
    let path = format!("{ENTITIES}/{}", collection.path);
    let paging = Paging {
        first: offset.map(|_| narrowed(&path, &key, &tags, None)),
        next: listing.offset.as_deref().map(|offset| narrowed(&path, &key, &tags, Some(offset))),
    };
    let page = CollectionPage {
        page: visit.page(collection.title, ENTITIES),
        writes: visit.writes(),
        path,
        text: collection.text,
        one: collection.one,
        columns: collection.columns.iter().map(|name| label(name)).collect(),
        rows: rows(visit, collection, schema, &listing).await?,
        key_label: collection.filter(schema).map(label).unwrap_or_default(),
        key,
        tags,
        has_tags: schema.field("tags").is_some(),
        fault,
        paging,
    };
    Ok(answer(200, &page))
}

async fn rows(
    visit: &Visit,
    collection: &Collection,
    schema: &Schema,
    listing: &Listing,
) -> Result<Vec<ItemRow>, Refusal> {
    let mut names = Names::new(visit);
    let mut rows = Vec::with_capacity(listing.data.len());
    for entity in &listing.data {
        let id = entity.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
        let mut cells = Vec::with_capacity(collection.columns.len());
        for column in collection.columns {
            cells.push(names.cell(schema, column, entity).await?);
        }
        let name = Leads { path: path_of(schema.name, id), text: name_of(schema, entity) };
        rows.push(ItemRow { name, cells });
    }
    Ok(rows)
}

fn narrowed(path: &str, key: &str, tags: &str, offset: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("key", key), ("tags", tags), ("offset", offset.unwrap_or_default())] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
