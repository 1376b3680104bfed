//! Developers.

use serde_json::Value;
use tracing::info;
use uuid::Uuid;

use super::Registration;
use super::rows::{all_of, borrowed, refused_of, text_of};
use crate::actors::Event;
use crate::domain::{ConsumerType, DeveloperStatus, Secret};
use crate::engine::catalog::{
    CatalogError, Draft, Happened, Key, ListRequest, Listing, confine, id_of, judged, reference_to, refused,
};
use crate::schema::{Body, Entity, Schema, Write};
use crate::storage::{Holder, ListQuery};

/// Developers read at once for the export.
const PAGE: usize = 1000;

impl Registration {
    /// Makes a developer and the hidden consumer; a `password` is kept hashed, a `key` becomes an API key.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::Unique`] for an address or a `custom_id` that is taken.
    pub async fn create_developer(&self, mut body: Body) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("developers")?;
        let consumer = catalog.ports.uuid();
        let violations = confine(schema, Write::Insert, &mut body);
        body.fields.insert("consumer".to_owned(), reference_to(&consumer.to_string()));
        let drafted = catalog.drafted(schema, Write::Insert, body, None, None).await;
        let developer = judged(violations, drafted)?;
        let hidden = self.hidden_consumer(consumer, ConsumerType::Developer, &developer.entity).await?;
        let mut rows = vec![(catalog.schema("consumers")?, hidden)];
        if let Some(key) = developer.shorthands.get("key").filter(|key| !key.is_null()) {
            let fields = [("key", key.clone()), ("consumer", reference_to(&consumer.to_string()))];
            rows.push(self.row("keyauth_credentials", fields).await?);
        }
        rows.push((schema, developer.entity));
        let stored = catalog.store.insert_developer(&borrowed(&rows)).await;
        stored.map_err(|error| refused_of(schema, &rows, error))?;
        self.tell_created(&rows).await?;
        let made = all_of(&rows);
        info!(developer.id = %text_of(&made, "id"), "a developer was made");
        catalog.shown(schema, &made).await
    }

    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn developer(&self, key: &Key) -> Result<Entity, CatalogError> {
        let schema = self.catalog.schema("developers")?;
        self.catalog.find(schema, &address(key), None).await?.ok_or(CatalogError::NotFound)
    }

    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn developer_id(&self, key: &Key) -> Result<Uuid, CatalogError> {
        self.catalog.locate(self.catalog.schema("developers")?, &address(key)).await
    }

    /// The hidden consumer of a developer.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn developers_consumer(&self, key: &Key) -> Result<Uuid, CatalogError> {
        self.catalog.follow(self.catalog.schema("developers")?, &address(key), "consumer").await
    }

    /// # Errors
    /// As [`Catalog::list`](crate::engine::catalog::Catalog::list).
    pub async fn developers(&self, request: &ListRequest) -> Result<Listing, CatalogError> {
        self.catalog.list(self.catalog.schema("developers")?, request).await
    }

    /// Address and status of every developer, in the order of creation.
    ///
    /// # Errors
    /// The store failed.
    pub async fn addresses(&self) -> Result<Vec<(String, DeveloperStatus)>, CatalogError> {
        let schema = self.catalog.schema("developers")?;
        let mut query = ListQuery { size: PAGE, ..ListQuery::default() };
        let mut addresses = Vec::new();
        loop {
            let page = self.catalog.store.list(schema, &query).await?;
            let known = |developer: &Entity| Some((text_of(developer, "email").to_owned(), status(developer)?));
            addresses.extend(page.data.iter().filter_map(known));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(addresses),
            }
        }
    }

    /// Changes a developer. One who is not approved, or becomes it, has no tokens left, and no sessions.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::NotFound`]; [`CatalogError::Unique`]
    pub async fn patch_developer(&self, key: &Key, mut body: Body) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("developers")?;
        let (old, _turn) = catalog.load_to_change(schema, &address(key)).await?;
        let old = old.ok_or(CatalogError::NotFound)?;
        let violations = confine(schema, Write::Patch, &mut body);
        let drafted = catalog.drafted(schema, Write::Patch, body, Some(&old), None).await;
        let draft = judged(violations, drafted)?;
        self.change_developer(schema, old, draft).await
    }

    /// Gives a developer another password. Which sessions end is the caller's to say.
    ///
    /// # Errors
    /// A password that the schema refuses; [`CatalogError::NotFound`]
    pub async fn set_password(&self, developer: Uuid, password: &Secret) -> Result<(), CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("developers")?;
        let (old, _turn) = catalog.load_to_change(schema, &Key::Id(developer)).await?;
        let old = old.ok_or(CatalogError::NotFound)?;
        let body = Body::json([("password".to_owned(), password.reveal().into())].into_iter().collect());
        let draft = catalog.drafted(schema, Write::Patch, body, Some(&old), None).await?;
        self.change_developer(schema, old, draft).await.map(drop)
    }

    /// Moves a developer from one status to another. False: it is at another one meanwhile, or gone.
    ///
    /// # Errors
    /// The store failed, or a cache did not obey.
    pub async fn move_developer(
        &self,
        id: Uuid,
        from: DeveloperStatus,
        to: DeveloperStatus,
    ) -> Result<bool, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("developers")?;
        let (old, _turn) = catalog.load_to_change(schema, &Key::Id(id)).await?;
        let Some(old) = old.filter(|old| status(old) == Some(from)) else { return Ok(false) };
        let body = Body::json([("status".to_owned(), to.code().into())].into_iter().collect());
        let draft = catalog.drafted(schema, Write::Patch, body, Some(&old), None).await?;
        self.change_developer(schema, old, draft).await.map(|_| true)
    }

    async fn change_developer(&self, schema: &Schema, old: Entity, draft: Draft) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let id = id_of(&old).ok_or(CatalogError::NotFound)?;
        let (before, after) = (status(&old), status(&draft.entity));
        let approved = Some(DeveloperStatus::Approved);
        // Also when approved anew: what a request under way has stored since is not to be good again.
        let close = before != approved || after != approved;
        let change = async {
            let changed = catalog.store.update_developer(schema, id, &draft.entity, close).await;
            let changed = changed.map_err(|error| refused(schema, &draft.entity, error))?;
            let consumers = changed.ok_or(CatalogError::NotFound)?;
            if close { self.forget_consumers(&consumers).await } else { Ok(()) }
        };
        catalog.in_time(change).await?;
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            let (from, to) = (before.word(), after.word());
            info!(developer.id = %id, from, to, "developer {id} was {from} and is {to}");
            self.tell_developer(&draft.entity, after).await;
        }
        catalog.tell(schema, Happened::Updated { id, old, new: draft.entity.clone() }).await?;
        catalog.shown(schema, &draft.entity).await
    }

    /// Deletes a developer with applications, contracts, credentials and tokens. Nobody there is no error.
    ///
    /// # Errors
    /// The store failed, or a cache did not obey.
    pub async fn delete_developer(&self, key: &Key) -> Result<(), CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("developers")?;
        let (old, _turn) = catalog.load_to_change(schema, &address(key)).await?;
        let Some((id, old)) = old.and_then(|old| Some((id_of(&old)?, old))) else {
            // Deleted before, perhaps by a call that did not live to tell.
            return self.announce(Event::Everything).await;
        };
        self.drain(Holder::Developer(id)).await?;
        let delete = async {
            let consumers = catalog.store.delete_developer(id).await?;
            self.forget_consumers(&consumers).await
        };
        catalog.in_time(delete).await?;
        info!(developer.id = %id, "developer {id} was deleted");
        catalog.tell(schema, Happened::Deleted { id, old }).await
    }
}

fn status(developer: &Entity) -> Option<DeveloperStatus> {
    developer.get("status").and_then(Value::as_i64).and_then(DeveloperStatus::of_code)
}

/// Addresses differ in no letter's case.
fn address(key: &Key) -> Key {
    match key {
        Key::Id(id) => Key::Id(*id),
        Key::Name(email) => Key::Name(email.trim().to_lowercase()),
    }
}
