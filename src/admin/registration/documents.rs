//! The document of a service.

use serde_json::Value;

use super::service;
use crate::admin::entities::{self, Ask, item};
use crate::admin::reply::Reply;
use crate::admin::state::AdminState;
use crate::engine::catalog::{CatalogError, Parent};
use crate::schema::Verb;

pub(super) async fn many(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let service = service(state, &ask).await?;
    if ask.verb == Verb::Post {
        let made = state.registration.create_document(service, ask.body).await?;
        return Ok(Reply::json(201, Value::Object(made)));
    }
    let parent = Parent { field: "service", id: service };
    entities::many(state, "document_objects", Some(parent), ask).await
}

pub(super) async fn one(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let parent = Parent { field: "service", id: service(state, &ask).await? };
    let (schema, key) = (state.catalog.schema("document_objects")?, ask.own_key("document_object"));
    item(&state.catalog, schema, &key, Some(&parent), ask.verb, ask.body).await
}
