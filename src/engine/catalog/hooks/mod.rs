//! What only one entity needs, one file per entity; this file says which hook is whose.
//!
//! **Invariants:** an entity between [`restored`] and [`to_store`] has the form clients know (`config.provision_key` in
//! place); the store sees the moved form only.
//!
//! **Absent on purpose:** shorthands that need nothing but the body (the schema expands those).

mod certificates;
mod credentials;
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
pub(super) struct Draft {
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
    let value = |name: &String| match name.as_str() {
        "provision_key" | "display_name" => entity.get("config").and_then(|config| config.get(name)).cloned(),
        name => entity.get(name).cloned(),
    };
    fields.iter().map(|name| (name.clone(), value(name).unwrap_or_default())).collect()
}
