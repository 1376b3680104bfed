//! A developer, as the use cases know one.

use serde_json::Value;
use uuid::Uuid;

use super::{AccountError, Accounts};
use crate::domain::{DeveloperStatus, Secret};
use crate::engine::catalog::CatalogError;
use crate::schema::{Entity, Schema};
use crate::storage::Lookup;

/// A developer as stored.
#[derive(Clone, Debug)]
pub struct Developer {
    pub id: Uuid,
    pub email: String,
    pub status: DeveloperStatus,
    /// The hidden consumer.
    pub consumer: Uuid,
    /// As a PHC string; `None`: no password was set.
    pub(super) password_hash: Option<Secret>,
    /// What the developer told of themselves.
    pub meta: Entity,
    /// Without what clients may not see.
    pub shown: Entity,
}

impl Developer {
    fn of(schema: &Schema, stored: &Entity) -> Option<Self> {
        let text = |field: &str| stored.get(field).and_then(Value::as_str);
        let meta = text("meta").and_then(|meta| serde_json::from_str(meta).ok());
        Some(Self {
            id: text("id")?.parse().ok()?,
            email: text("email")?.to_owned(),
            status: stored.get("status").and_then(Value::as_i64).and_then(DeveloperStatus::of_code)?,
            consumer: stored.get("consumer")?.get("id")?.as_str()?.parse().ok()?,
            password_hash: text("password_hash").map(Secret::new),
            meta: meta.unwrap_or_default(),
            shown: schema.public(stored),
        })
    }
}

/// Addresses differ in no letter's case.
pub(super) fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

impl Accounts {
    pub(super) async fn find_by_email(&self, email: &str) -> Result<Option<Developer>, AccountError> {
        self.find(Lookup::Field("email", normal(email))).await
    }

    pub(super) async fn find_by_id(&self, id: Uuid) -> Result<Option<Developer>, AccountError> {
        self.find(Lookup::Id(id)).await
    }

    pub(super) async fn find_by_consumer(&self, id: Uuid) -> Result<Option<Developer>, AccountError> {
        self.find(Lookup::Field("consumer", id.to_string())).await
    }

    async fn find(&self, lookup: Lookup) -> Result<Option<Developer>, AccountError> {
        let schema = self.developers()?;
        let found = self.0.node.store.find(schema, &lookup).await?;
        Ok(found.and_then(|stored| Developer::of(schema, &stored)))
    }

    pub(super) fn developers(&self) -> Result<&Schema, CatalogError> {
        self.0.registration.catalog.schema("developers")
    }
}
