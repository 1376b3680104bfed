//! The store: skeleton of its doors.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::domain::{
    ClientView, Clock, Code, Consumer, Keyring, NewCode, NewToken, Secret, Timestamp, TokenDigest, TokenView,
};
use crate::schema::{Entity, Schema};

use super::*;

#[derive(Clone, Debug)]
pub struct Store;

type Outcome<T> = Result<T, StorageError>;

fn absent<T>() -> Outcome<T> {
    Err(StorageError::Other("not built yet".into()))
}

#[expect(unused_variables, reason = "a skeleton")]
impl Store {
    pub async fn open(location: Location, keyring: Arc<Keyring>, clock: Clock) -> Outcome<Self> {
        absent()
    }
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::new(Keyring::new([0; 32], [0; 32]))
    }
    pub fn replace_keyring(&self, keyring: Arc<Keyring>) {}
    pub async fn ping(&self) -> Outcome<()> {
        absent()
    }

    pub async fn migrate_up(&self) -> Outcome<Vec<Migration>> {
        absent()
    }
    pub async fn migrate_status(&self) -> Outcome<Vec<Migration>> {
        absent()
    }
    pub async fn check_schema(&self) -> Outcome<()> {
        absent()
    }

    pub async fn insert(&self, schema: &Schema, entity: &Entity) -> Outcome<()> {
        absent()
    }
    pub async fn find(&self, schema: &Schema, lookup: &Lookup) -> Outcome<Option<Entity>> {
        absent()
    }
    pub async fn list(&self, schema: &Schema, query: &ListQuery) -> Outcome<Page> {
        absent()
    }
    /// Exact up to `limit`, `limit + 1` above.
    pub async fn count(&self, schema: &Schema, query: &ListQuery, limit: u64) -> Outcome<u64> {
        absent()
    }
    pub async fn update(&self, schema: &Schema, id: Uuid, entity: &Entity) -> Outcome<bool> {
        absent()
    }
    pub async fn delete(&self, schema: &Schema, id: Uuid) -> Outcome<bool> {
        absent()
    }
    /// Tags of these tables (all, or one tag), in order, after the given one.
    pub async fn list_tags(
        &self,
        schemas: &[&Schema],
        tag: Option<&str>,
        after: Option<&Tagged>,
        size: usize,
    ) -> Outcome<Vec<Tagged>> {
        absent()
    }

    /// All rows of these tables in one consistent read, in the order of the argument.
    pub async fn load_configuration(&self, schemas: &[&Schema]) -> Outcome<Vec<Vec<Entity>>> {
        absent()
    }
    pub async fn find_token(&self, access_token: TokenDigest) -> Outcome<Option<TokenView>> {
        absent()
    }
    pub async fn find_client(&self, client_id: &str) -> Outcome<Option<ClientView>> {
        absent()
    }
    pub async fn find_consumer(&self, id_or_username: &str) -> Outcome<Option<Consumer>> {
        absent()
    }
    pub async fn insert_tokens(&self, tokens: Vec<NewToken>) -> Vec<Outcome<()>> {
        Vec::new()
    }
    /// False when the secret is no longer `expected`.
    pub async fn upgrade_secret(&self, credential: Uuid, expected: &Secret, new: &Secret) -> Outcome<bool> {
        absent()
    }
    pub async fn custom_token_digests(&self, after: Option<Uuid>, limit: usize) -> Outcome<Vec<(Uuid, TokenDigest)>> {
        absent()
    }
    pub async fn sweep_expired(&self, now: Timestamp, limit: usize) -> Outcome<usize> {
        absent()
    }
    /// Sealed values that the primary key did not seal.
    pub async fn count_stale_seals(&self, schemas: &[&Schema]) -> Outcome<u64> {
        absent()
    }
    pub async fn reseal(&self, schemas: &[&Schema], after: Option<ResealCursor>, limit: usize) -> Outcome<Resealed> {
        absent()
    }

    pub async fn insert_code(&self, code: &NewCode) -> Outcome<()> {
        absent()
    }
    pub async fn find_code(&self, digest: TokenDigest) -> Outcome<Option<Code>> {
        absent()
    }
    /// Uses up a code; `None` when unknown, expired or used before.
    pub async fn redeem_code(&self, digest: TokenDigest, now: Timestamp) -> Outcome<Option<Code>> {
        absent()
    }

    pub async fn insert_admin_token(&self, token: &AdminToken, digest: TokenDigest) -> Outcome<()> {
        absent()
    }
    pub async fn list_admin_tokens(&self) -> Outcome<Vec<(AdminToken, TokenDigest)>> {
        absent()
    }
    pub async fn delete_admin_token(&self, name: &str) -> Outcome<bool> {
        absent()
    }
    pub async fn find_admin_token(&self, digest: TokenDigest) -> Outcome<Option<AdminToken>> {
        absent()
    }
    pub async fn append_audit(&self, records: Vec<AuditRecord>) -> Outcome<()> {
        absent()
    }
    /// Newest first, before the given id.
    pub async fn list_audit(&self, before: Option<Uuid>, size: usize) -> Outcome<Page<AuditRecord>> {
        absent()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    pub version: i64,
    pub name: String,
    /// `None`: not applied yet.
    pub applied_at: Option<Timestamp>,
}

/// Where a resealing run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResealCursor {
    pub(crate) column: usize,
    pub(crate) after: Option<Uuid>,
}

/// What one step of a resealing run did; `next` is `None` when the run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    pub done: usize,
    pub next: Option<ResealCursor>,
}

#[expect(dead_code, reason = "a skeleton")]
fn json(value: Value) {
    drop(value);
}
