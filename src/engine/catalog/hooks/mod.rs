//! What only one entity needs, one file per entity; this file says which hook is whose.
//!
//! **Invariants:** an entity between [`restored`] and [`to_store`] has the form clients know (`config.provision_key` in
//! place); the store sees the moved form only.
//!
//! **Absent on purpose:** shorthands that need nothing but the body (the schema expands those).

mod certificates;
mod consumers;
pub(super) mod contracts;
mod credentials;
mod developers;
mod ends;
mod plugins;
mod services;
mod tokens;

use std::borrow::Cow;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Catalog, CatalogError};
use crate::schema::{Entity, Registry, Schema, Write};

/// A judged body on its way to the store.
#[derive(Clone)]
pub(in crate::engine) struct Draft {
    pub write: Write,
    pub entity: Entity,
    /// Given shorthands that only a hook can resolve (`ttl`, `snis`).
    pub shorthands: Entity,
}

/// Rules of the raw body.
pub(super) fn before_judging(schema: &Schema, write: Write, body: &Entity) -> Result<(), CatalogError> {
    match schema.name {
        "oauth2_credentials" if write == Write::Patch => credentials::secret_and_its_kind_together(body),
        _ => Ok(()),
    }
}

/// A filter as the store knows it.
pub(super) fn filter(schema: &Schema, (field, value): &(String, Value)) -> Result<(String, Value), CatalogError> {
    match (schema.name, field.as_str()) {
        ("developers", "role") => Ok(("roles[]".to_owned(), value.clone())),
        ("developers", "email") => Ok((field.clone(), developers::as_written(value))),
        ("developers", "status") => Ok((field.clone(), developers::status(value)?)),
        ("application_instances", "status") => {
            let status = contracts::status(value.as_str().unwrap_or_default())?;
            Ok((field.clone(), status.code().into()))
        }
        _ => Ok((field.clone(), value.clone())),
    }
}

/// What a list never shows.
pub(super) fn scope(schema: &Schema) -> Option<(String, Value)> {
    (schema.name == "consumers").then(consumers::parties)
}

/// Entities that are changed by others only.
pub(super) fn before_changing(schema: &Schema, old: &Entity) -> Result<(), CatalogError> {
    match schema.name {
        "consumers" => consumers::refuse_hidden(old),
        _ => Ok(()),
    }
}

/// Fills what the schema cannot: hashes, keys made of several fields, ends of rows; checks what needs the store.
pub(super) async fn complete(
    catalog: &Catalog,
    schema: &Schema,
    old: Option<&Entity>,
    draft: &mut Draft,
) -> Result<(), CatalogError> {
    match schema.name {
        "services" => services::check_authorities(catalog, &draft.entity).await,
        "plugins" => {
            plugins::set_cache_key(&mut draft.entity);
            plugins::set_display_name(&mut draft.entity);
            Ok(())
        }
        "oauth2_credentials" => {
            credentials::check_secret(old, &draft.entity)?;
            credentials::end_with_its_secret(old, &mut draft.entity);
            credentials::hash_secret(catalog, old, &mut draft.entity).await
        }
        "oauth2_tokens" => {
            tokens::complete(catalog, draft);
            Ok(())
        }
        "keyauth_credentials" => {
            ends::set(catalog.clock.now(), draft);
            Ok(())
        }
        "certificates" => certificates::check_names(catalog, draft).await,
        "developers" => developers::complete(catalog, draft).await,
        _ => Ok(()),
    }
}

/// References that the store does not know of.
pub(super) async fn before_deleting(catalog: &Catalog, schema: &Schema, id: Uuid) -> Result<(), CatalogError> {
    match schema.name {
        "ca_certificates" => services::refuse_where_trusted(catalog, id).await,
        _ => Ok(()),
    }
}

/// The stored form of an entity.
pub(super) fn to_store<'e>(schema: &Schema, entity: &'e Entity) -> Cow<'e, Entity> {
    match schema.name {
        "plugins" => Cow::Owned(plugins::without_provision_key(entity)),
        _ => Cow::Borrowed(entity),
    }
}

/// The form clients know of a stored entity.
pub fn restored(registry: &Registry, name: &str, entity: Entity) -> Entity {
    match name {
        "plugins" => plugins::with_provision_key(registry, entity),
        _ => entity,
    }
}

/// Adds the fields that answers carry and the store does not keep.
pub(super) async fn add_virtuals(
    catalog: &Catalog,
    schema: &Schema,
    entity: &Entity,
    shown: &mut Entity,
) -> Result<(), CatalogError> {
    match schema.name {
        "oauth2_tokens" => tokens::add_virtuals(entity, catalog.clock.now(), shown),
        "keyauth_credentials" => ends::show(entity, catalog.clock.now(), shown),
        "certificates" => certificates::add_names(catalog, entity, shown).await?,
        _ => {}
    }
    Ok(())
}

/// Rows that belong to the one just written.
pub(super) async fn after_commit(catalog: &Catalog, schema: &Schema, draft: &Draft) -> Result<(), CatalogError> {
    match schema.name {
        "certificates" => certificates::write_names(catalog, draft).await,
        _ => Ok(()),
    }
}

/// Takes back an insert whose dependent rows could not be written.
pub(super) async fn undo_insert(catalog: &Catalog, schema: &Schema, id: Uuid) {
    if let Err(error) = catalog.store.delete(schema, id).await {
        tracing::error!(%error, entity = schema.name, %id, "`{}` {id} was stored only in part", schema.name);
    }
}

/// Names and values of a unique constraint, as clients know them.
pub(super) fn taken(entity: &Entity, fields: &[String]) -> Map<String, Value> {
    if fields.iter().any(|field| field == "cache_key") {
        return plugins::place(entity);
    }
    let shown = |name: &String| match name.as_str() {
        name @ ("provision_key" | "display_name") => {
            (name.to_owned(), entity.get("config").and_then(|config| config.get(name)).cloned())
        }
        "name_key" => ("name".to_owned(), entity.get("name").cloned()),
        name => (name.to_owned(), entity.get(name).cloned()),
    };
    fields.iter().map(shown).map(|(name, value)| (name, value.unwrap_or_default())).collect()
}
