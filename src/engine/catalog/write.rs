//! Create, put, patch, delete.

use std::time::Duration;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::confine::confine;
use super::hooks::{self, Draft};
use super::references::{reference_to, referred};
use super::turns::Turn;
use super::{Catalog, CatalogError, Change, Happened, Key, id_of};
use crate::engine::EngineError;
use crate::schema::{Body, ENTITY, Entity, Kind, Schema, Violations, Write};
use crate::storage::StorageError;

/// How often a PUT tries when others make and delete the same entity.
const PUT_TRIES: usize = 8;

/// The entity a nested path goes through: `/consumers/{c}/oauth2`.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The field that refers to it.
    pub field: &'static str,
    pub id: Uuid,
}

impl Parent {
    pub(in crate::engine) fn owns(&self, entity: &Entity) -> bool {
        referred(entity, self.field).and_then(|id| id.parse().ok()) == Some(self.id)
    }
}

/// What a PUT did.
#[derive(Clone, Debug, PartialEq)]
pub enum Put {
    Created(Entity),
    Replaced(Entity),
}

impl Put {
    pub fn into_entity(self) -> Entity {
        match self {
            Self::Created(entity) | Self::Replaced(entity) => entity,
        }
    }
}

impl Catalog {
    /// # Errors
    /// All violations at once; references that lead nowhere; values that are taken.
    pub async fn create(&self, schema: &Schema, body: Body, parent: Option<&Parent>) -> Result<Entity, CatalogError> {
        let draft = self.drafted(schema, Write::Insert, body, None, parent).await?;
        self.insert(schema, draft).await
    }

    /// Creates or replaces.
    ///
    /// # Errors
    /// As for create; [`CatalogError::NotFound`] when the entity belongs to another parent.
    pub async fn put(
        &self,
        schema: &Schema,
        key: &Key,
        body: Body,
        parent: Option<&Parent>,
    ) -> Result<Put, CatalogError> {
        let put = async {
            for _ in 1..PUT_TRIES {
                match self.put_once(schema, key, body.clone(), parent).await {
                    // Another write may have made it meanwhile, and this one replaces it; or another node has deleted
                    // it, and this one makes it.
                    Err(CatalogError::Unique(_) | CatalogError::PrimaryKey { .. } | CatalogError::NotFound) => {}
                    settled => return settled,
                }
            }
            self.put_once(schema, key, body.clone(), parent).await
        };
        self.in_time(put).await
    }

    async fn put_once(
        &self,
        schema: &Schema,
        key: &Key,
        mut body: Body,
        parent: Option<&Parent>,
    ) -> Result<Put, CatalogError> {
        let (old, _turn) = self.load_to_change(schema, key).await?;
        Self::adopt(schema, old.as_ref(), parent)?;
        name_by_key(schema, key, old.is_some(), &mut body)?;
        let draft = self.drafted(schema, Write::Replace, body, old.as_ref(), parent).await?;
        match old {
            Some(old) => Ok(Put::Replaced(self.update(schema, old, draft).await?)),
            None => Ok(Put::Created(self.insert(schema, draft).await?)),
        }
    }

    /// # Errors
    /// As for create; [`CatalogError::NotFound`].
    pub async fn patch(
        &self,
        schema: &Schema,
        key: &Key,
        body: Body,
        parent: Option<&Parent>,
    ) -> Result<Entity, CatalogError> {
        let patch = async {
            let (old, _turn) = self.load_to_change(schema, key).await?;
            let old = old.ok_or(CatalogError::NotFound)?;
            Self::adopt(schema, Some(&old), parent)?;
            let draft = self.drafted(schema, Write::Patch, body, Some(&old), parent).await?;
            self.update(schema, old, draft).await
        };
        self.in_time(patch).await
    }

    /// Deletes an entity and what hangs on it. Nothing there is no error, unless it was looked for below a parent.
    ///
    /// # Errors
    /// [`CatalogError::Referenced`]; [`CatalogError::NoUuid`]
    pub async fn delete(&self, schema: &Schema, key: &Key, parent: Option<&Parent>) -> Result<(), CatalogError> {
        self.in_time(self.delete_now(schema, key, parent)).await
    }

    async fn delete_now(&self, schema: &Schema, key: &Key, parent: Option<&Parent>) -> Result<(), CatalogError> {
        let (old, turn) = self.load_to_change(schema, key).await?;
        let Some(old) = old else {
            if parent.is_some() {
                return Err(CatalogError::NotFound);
            }
            let (id, key) = match key {
                Key::Id(id) => (Some(*id), None),
                Key::Name(name) => (None, Some(name.clone())),
            };
            return self.tell(schema, Happened::DeletedBefore { id, key }).await;
        };
        Self::adopt(schema, Some(&old), parent)?;
        let id = id_of(&old).ok_or(CatalogError::NotFound)?;
        hooks::before_deleting(self, schema, id).await?;
        let deleted = self.store.delete(schema, id).await;
        // Nobody can change it any more, and telling every node may take a lease.
        drop(turn);
        match deleted {
            Ok(_) => self.tell(schema, Happened::Deleted { id, old }).await,
            Err(StorageError::Referenced { by }) => Err(CatalogError::Referenced { by, entity: schema.name }),
            Err(other) => Err(other.into()),
        }
    }

    /// How long a change may take before its caller is told that nobody knows.
    pub fn patience(&self) -> Duration {
        self.ports.patience()
    }

    /// Who takes a right away must not wait for long, not even for a database that hangs.
    pub(in crate::engine) async fn in_time<T>(
        &self,
        change: impl Future<Output = Result<T, CatalogError>>,
    ) -> Result<T, CatalogError> {
        let late = |_| EngineError::Overdue;
        actix_rt::time::timeout(self.patience(), change).await.map_err(late)?
    }

    /// Judges a body as a create would, without storing anything.
    ///
    /// # Errors
    /// All violations at once; references by name that lead nowhere.
    pub async fn check(&self, schema: &Schema, mut body: Body) -> Result<(), CatalogError> {
        let mut violations = confine(schema, Write::Insert, &mut body);
        self.resolve_references(schema, &mut body.fields).await?;
        if let Err(more) = self.registry.insert(&schema.as_posted(), body, &mut self.generator()) {
            violations.merge(more);
        }
        if violations.is_empty() { Ok(()) } else { Err(violations.into()) }
    }

    /// An entity as it is stored, and the turn to change it: held until the change is in force.
    pub(in crate::engine) async fn load_to_change<'c>(
        &'c self,
        schema: &Schema,
        key: &Key,
    ) -> Result<(Option<Entity>, Option<Turn<'c>>), CatalogError> {
        let Some(id) = self.load(schema, key).await?.as_ref().and_then(id_of) else { return Ok((None, None)) };
        let turn = self.turns.take(id).await;
        // Again: whoever had the turn before may have changed it.
        Ok((self.load(schema, &Key::Id(id)).await?, Some(turn)))
    }

    /// An entity below a parent must be the parent's, and changes in its own right.
    fn adopt(schema: &Schema, old: Option<&Entity>, parent: Option<&Parent>) -> Result<(), CatalogError> {
        match (old, parent) {
            (Some(old), Some(parent)) if !parent.owns(old) => Err(CatalogError::NotFound),
            (Some(old), _) => hooks::before_changing(schema, old),
            (None, _) => Ok(()),
        }
    }

    pub(in crate::engine) async fn drafted(
        &self,
        schema: &Schema,
        write: Write,
        mut body: Body,
        old: Option<&Entity>,
        parent: Option<&Parent>,
    ) -> Result<Draft, CatalogError> {
        if let Some(parent) = parent
            && write != Write::Patch
        {
            body.fields.insert(parent.field.to_owned(), reference_to(&parent.id.to_string()));
        }
        self.resolve_references(schema, &mut body.fields).await?;
        hooks::before_judging(schema, write, &body.fields)?;
        let judged = match (write, old) {
            (Write::Patch, Some(old)) => self.registry.patch(schema, body, old, &mut self.generator())?,
            (Write::Insert, _) => self.registry.insert(schema, body, &mut self.generator())?,
            (_, old) => self.registry.replace(schema, body, old, &mut self.generator())?,
        };
        let mut draft = Draft { write, entity: judged.entity, shorthands: judged.shorthands };
        hooks::complete(self, schema, old, &mut draft).await?;
        Ok(draft)
    }

    pub(in crate::engine) async fn insert(&self, schema: &Schema, draft: Draft) -> Result<Entity, CatalogError> {
        let id = id_of(&draft.entity).ok_or_else(|| unreadable("id"))?;
        let stored = hooks::to_store(schema, &draft.entity);
        self.store.insert(schema, &stored).await.map_err(|error| refused(schema, &draft.entity, error))?;
        if let Err(error) = hooks::after_commit(self, schema, &draft).await {
            hooks::undo_insert(self, schema, id).await;
            return Err(error);
        }
        self.tell(schema, Happened::Created { id, new: draft.entity.clone() }).await?;
        self.shown(schema, &draft.entity).await
    }

    pub(in crate::engine) async fn update(
        &self,
        schema: &Schema,
        old: Entity,
        draft: Draft,
    ) -> Result<Entity, CatalogError> {
        let id = id_of(&old).ok_or_else(|| unreadable("id"))?;
        let stored = hooks::to_store(schema, &draft.entity);
        let found = self.store.update(schema, id, &stored).await;
        if !found.map_err(|error| refused(schema, &draft.entity, error))? {
            return Err(CatalogError::NotFound);
        }
        // The entity itself is changed whatever follows, so the node must hear of it in any case.
        let followed = hooks::after_commit(self, schema, &draft).await;
        self.tell(schema, Happened::Updated { id, old, new: draft.entity.clone() }).await?;
        followed?;
        self.shown(schema, &draft.entity).await
    }

    pub(in crate::engine) async fn tell(&self, schema: &Schema, happened: Happened) -> Result<(), CatalogError> {
        Ok(self.ports.changed(Change { entity: schema.name, happened }).await?)
    }
}

fn unreadable(field: &str) -> CatalogError {
    CatalogError::Violations(Violations::of(field, "expected a valid UUID"))
}

/// The path of a PUT says what the entity is called.
fn name_by_key(schema: &Schema, key: &Key, exists: bool, body: &mut Body) -> Result<(), CatalogError> {
    let (field, value) = match (key, schema.key) {
        (Key::Id(id), _) => ("id", id.to_string()),
        // A body may give an existing entity another name.
        (Key::Name(_), Some(field)) if exists && body.fields.contains_key(field) => return Ok(()),
        (Key::Name(name), Some(field)) => (field, name.clone()),
        (Key::Name(_), None) => return Err(CatalogError::NoUuid),
    };
    let other = body.fields.get(field).and_then(Value::as_str).is_some_and(|given| !given.eq_ignore_ascii_case(&value));
    if field == "id" && other {
        return Err(Violations::of("id", "immutable field cannot be updated").into());
    }
    body.fields.insert(field.to_owned(), value.into());
    Ok(())
}

/// A refusal of the store, in the client's terms.
pub(in crate::engine) fn refused(schema: &Schema, entity: &Entity, error: StorageError) -> CatalogError {
    match error {
        StorageError::Unique { fields } if fields.iter().any(|field| field == "id") => {
            CatalogError::PrimaryKey { id: entity.get("id").cloned().unwrap_or_default() }
        }
        StorageError::Unique { fields } => CatalogError::Unique(hooks::taken(entity, &fields)),
        StorageError::ForeignKey { field, .. } => missing_target(schema, entity, field),
        StorageError::Unstorable { field } => {
            let has_nul = entity.get(&field).is_some_and(|value| value.to_string().contains("\\u0000"));
            let text = if has_nul { "must not contain a null character" } else { "is too long to be stored" };
            // A database does not always say which field it was.
            let field = if field.is_empty() { ENTITY } else { &field };
            CatalogError::Violations(Violations::of(field, text))
        }
        other => other.into(),
    }
}

fn missing_target(schema: &Schema, entity: &Entity, field: String) -> CatalogError {
    let target = match schema.field(&field).map(|field| &field.kind) {
        Some(Kind::Foreign { entity, .. }) => (*entity).to_owned(),
        _ => String::new(),
    };
    let key = entity.get(&field).cloned().unwrap_or(Value::Object(Map::new()));
    CatalogError::ForeignKey { field, entity: target, key }
}

/// A violation across fields.
pub(in crate::engine) fn across(text: String) -> CatalogError {
    CatalogError::Violations(Violations::of(ENTITY, text))
}
