//! Collections, items, nested forms.

use serde_json::{Map, Value};

use super::errors;
use super::query::Asked;
use super::reply::Reply;
use super::routing::Found;
use super::state::AdminState;
use super::tokens;
use crate::engine::catalog::{Catalog, CatalogError, Key, Listing, Parent, Put};
use crate::schema::{Body, Entity, Schema, Shape, Verb};

/// A request to an entity's endpoint, its path parameters decoded.
pub(super) struct Ask<'r> {
    pub verb: Verb,
    pub found: &'r Found<'r>,
    pub path: &'r str,
    pub query: &'r str,
    pub body: Body,
}

impl Ask<'_> {
    /// The first parameter of the path.
    pub(super) fn first(&self) -> Option<&str> {
        self.found.parameters.first().map(String::as_str)
    }
}

/// Answers at the endpoints that follow from the schemas.
pub(super) async fn answer(state: &AdminState, shape: &Shape, ask: Ask<'_>) -> Reply {
    let answered = match shape {
        Shape::Collection { entity } => many(state, entity, None, ask).await,
        Shape::Item { entity } => one(state, entity, None, ask).await,
        Shape::Children { parent, entity, field } => match parent_of(state, parent, field, &ask).await {
            Ok(parent) => many(state, entity, Some(parent), ask).await,
            Err(error) => Err(error),
        },
        Shape::Child { parent, entity, field } => match parent_of(state, parent, field, &ask).await {
            Ok(parent) => one(state, entity, Some(parent), ask).await,
            Err(error) => Err(error),
        },
        Shape::Referenced { entity, field, target } => referenced(state, entity, field, target, ask).await,
        Shape::Registration(_) | Shape::Info { .. } => Err(CatalogError::NotFound),
    };
    answered.unwrap_or_else(|error| errors::reply(&error))
}

async fn parent_of(
    state: &AdminState,
    parent: &str,
    field: &'static str,
    ask: &Ask<'_>,
) -> Result<Parent, CatalogError> {
    let schema = state.catalog.schema(parent)?;
    let id = state.catalog.locate(schema, &key(ask, 0)).await?;
    Ok(Parent { field, id })
}

/// The key in a place of the path. The table of endpoints says how many there are.
fn key(ask: &Ask<'_>, place: usize) -> Key {
    Key::parse(ask.found.parameters.get(place).map(String::as_str).unwrap_or_default())
}

pub(super) async fn many(
    state: &AdminState,
    entity: &str,
    parent: Option<Parent>,
    ask: Ask<'_>,
) -> Result<Reply, CatalogError> {
    let catalog = &state.catalog;
    let schema = catalog.schema(entity)?;
    match ask.verb {
        Verb::Delete => tokens::delete(state, &ask).await,
        Verb::Post => {
            let created = catalog.create(schema, ask.body, parent.as_ref()).await?;
            Ok(Reply::json(201, Value::Object(created)))
        }
        _ => list(catalog, schema, parent, &ask).await,
    }
}

async fn list(
    catalog: &Catalog,
    schema: &Schema,
    parent: Option<Parent>,
    ask: &Ask<'_>,
) -> Result<Reply, CatalogError> {
    let mut asked = match Asked::read(ask.query, Some(schema)) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(refusal),
    };
    if let Some(parent) = parent {
        asked.request.filters.push((format!("{}.id", parent.field), parent.id.to_string().into()));
    }
    let listing = catalog.list(schema, &asked.request).await?;
    Ok(Reply::json(200, page(listing, &asked, ask.path)))
}

pub(super) fn page(listing: Listing, asked: &Asked, path: &str) -> Value {
    let mut page = Map::new();
    page.insert("data".to_owned(), listing.data.into_iter().map(Value::Object).collect());
    page.insert("next".to_owned(), asked.next(path, listing.offset.as_deref()));
    if let Some(offset) = listing.offset {
        page.insert("offset".to_owned(), offset.into());
    }
    if let Some(total) = listing.total {
        page.insert("total".to_owned(), total.into());
    }
    Value::Object(page)
}

async fn one(state: &AdminState, entity: &str, parent: Option<Parent>, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let schema = state.catalog.schema(entity)?;
    let key = key(&ask, usize::from(parent.is_some()));
    if ask.verb == Verb::Post {
        // A service; what is posted to it is a plugin.
        let service = Parent { field: "service", id: state.catalog.locate(schema, &key).await? };
        return many(state, "plugins", Some(service), ask).await;
    }
    item(&state.catalog, schema, &key, parent.as_ref(), ask.verb, ask.body).await
}

pub(super) async fn item(
    catalog: &Catalog,
    schema: &Schema,
    key: &Key,
    parent: Option<&Parent>,
    verb: Verb,
    body: Body,
) -> Result<Reply, CatalogError> {
    match verb {
        Verb::Get => found(catalog.find(schema, key, parent).await?),
        Verb::Put => found(Some(catalog.put(schema, key, body, parent).await.map(Put::into_entity)?)),
        Verb::Patch => found(Some(catalog.patch(schema, key, body, parent).await?)),
        Verb::Delete => {
            catalog.delete(schema, key, parent).await?;
            Ok(Reply::empty(204))
        }
        Verb::Post => Err(CatalogError::NotFound),
    }
}

pub(super) fn found(entity: Option<Entity>) -> Result<Reply, CatalogError> {
    entity.map(|entity| Reply::json(200, Value::Object(entity))).ok_or(CatalogError::NotFound)
}

/// What an entity refers to, as if it had been asked for by its own path.
async fn referenced(
    state: &AdminState,
    entity: &str,
    field: &str,
    target: &str,
    ask: Ask<'_>,
) -> Result<Reply, CatalogError> {
    let catalog = &state.catalog;
    let id = catalog.follow(catalog.schema(entity)?, &key(&ask, 0), field).await?;
    item(catalog, catalog.schema(target)?, &Key::Id(id), None, ask.verb, ask.body).await
}
