//! The admin entities' use cases: create, find, list, put, patch, delete, for any schema.
//!
//! A body is judged by the registry, its references are resolved, the entity's hook does what only that entity needs,
//! the store writes, and the rest of the node hears of it before the caller does.
//!
//! **Invariants:** what was answered with success is stored, and [`Ports::changed`] has returned for it; an entity
//! leaves here complete, in schema order, with its virtual fields.
//!
//! **Absent on purpose:** HTTP (room `admin`), caches and snapshots (whoever implements [`Ports`] keeps them).

mod bulk;
mod change;
mod confine;
mod error;
mod hooks;
mod key;
mod list;
mod ports;
mod references;
mod tags;
mod turns;
mod write;

use std::sync::Arc;

use uuid::Uuid;

use self::turns::Turns;
use crate::domain::Clock;
use crate::schema::{Auto, Entity, Registry, Schema};
use crate::storage::{Lookup, Store};

pub use bulk::Judged;
pub use change::{Change, Happened};
pub(in crate::engine) use confine::{confine, confine_to, judged};
pub use error::CatalogError;
pub(in crate::engine) use hooks::Draft;
pub(in crate::engine) use hooks::contracts::status as contract_status;
pub use hooks::restored;
pub use key::Key;
pub use list::{ListRequest, Listing, offset, parse_offset, size, tag_filter};
pub(in crate::engine) use list::{descending, parse_place, place, wrong_option};
pub use ports::{Pending, Ports};
pub(in crate::engine) use references::{reference_to, referred};
pub use tags::TagPage;
pub use write::{Parent, Put};
pub(in crate::engine) use write::{across, refused};

/// The use cases of the Admin API's entities. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub registry: Arc<Registry>,
    pub(in crate::engine) store: Store,
    pub(in crate::engine) clock: Clock,
    pub(in crate::engine) ports: Arc<dyn Ports>,
    turns: Turns,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Catalog({} entities)", self.registry.entities.len())
    }
}

impl Catalog {
    pub fn new(registry: Arc<Registry>, store: Store, clock: Clock, ports: Arc<dyn Ports>) -> Self {
        Self { registry, store, clock, ports, turns: Turns::default() }
    }

    /// The schema of an entity that a caller found in the registry's own tables.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for a name that is none.
    pub fn schema(&self, name: &str) -> Result<&Schema, CatalogError> {
        self.registry.entity(name).ok_or(CatalogError::NotFound)
    }

    /// One entity as clients see it; below a parent only if it is the parent's.
    ///
    /// # Errors
    /// The store failed.
    pub async fn find(
        &self,
        schema: &Schema,
        key: &Key,
        parent: Option<&Parent>,
    ) -> Result<Option<Entity>, CatalogError> {
        let found = self.load(schema, key).await?;
        match found.filter(|entity| parent.is_none_or(|parent| parent.owns(entity))) {
            Some(entity) => Ok(Some(self.shown(schema, &entity).await?)),
            None => Ok(None),
        }
    }

    /// The id behind a key.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn locate(&self, schema: &Schema, key: &Key) -> Result<Uuid, CatalogError> {
        self.load(schema, key).await?.as_ref().and_then(id_of).ok_or(CatalogError::NotFound)
    }

    /// The id that an entity's reference holds.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] when there is no entity, or it refers to nothing.
    pub async fn follow(&self, schema: &Schema, key: &Key, field: &str) -> Result<Uuid, CatalogError> {
        let entity = self.load(schema, key).await?.ok_or(CatalogError::NotFound)?;
        references::referred(&entity, field).and_then(|id| id.parse().ok()).ok_or(CatalogError::NotFound)
    }

    /// One entity as it is stored, its moved fields back in place.
    pub(in crate::engine) async fn load(&self, schema: &Schema, key: &Key) -> Result<Option<Entity>, CatalogError> {
        let lookup = match (key, schema.key) {
            (Key::Id(id), _) => Lookup::Id(*id),
            (Key::Name(name), Some(field)) => Lookup::Field(field, name.clone()),
            (Key::Name(_), None) => return Err(CatalogError::NoUuid),
        };
        let found = self.store.find(schema, &lookup).await?;
        Ok(found.map(|entity| hooks::restored(&self.registry, schema.name, entity)))
    }

    /// What a client gets of a stored entity.
    pub(in crate::engine) async fn shown(&self, schema: &Schema, entity: &Entity) -> Result<Entity, CatalogError> {
        let mut shown = schema.public(entity);
        hooks::add_virtuals(self, schema, entity, &mut shown).await?;
        Ok(shown)
    }

    /// Generated values, all of one instant.
    pub(in crate::engine) fn generator(&self) -> impl FnMut(Auto) -> serde_json::Value + '_ {
        let now = self.clock.now();
        move |auto| match auto {
            Auto::Uuid => self.ports.uuid().to_string().into(),
            Auto::CreatedAt | Auto::UpdatedAt => now.seconds().into(),
            Auto::Token => self.ports.token().reveal().into(),
        }
    }
}

/// The id of a stored entity.
pub(in crate::engine) fn id_of(entity: &Entity) -> Option<Uuid> {
    entity.get("id")?.as_str()?.parse().ok()
}
