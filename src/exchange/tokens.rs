//! Tokens: many, batch by batch, each stored once.

use std::collections::HashSet;

use serde_json::Value;
use uuid::Uuid;

use super::world::World;
use crate::domain::{NewToken, PlainToken, Timestamp, TokenDigest};
use crate::schema::Entity;
use crate::storage::{KNOWN_AT_ONCE, StorageError, Store};

/// Tokens stored with one commit.
pub const BATCH: usize = KNOWN_AT_ONCE;

/// What became of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub created: usize,
    pub unchanged: usize,
    /// Refused by the store: their id or refresh token belongs to another.
    pub refused: usize,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.created += other.created;
        self.unchanged += other.unchanged;
        self.refused += other.refused;
    }
}

/// A token from its judged entity; `None` where a reference is missing.
pub(super) fn new_token(entity: &Entity) -> Option<NewToken> {
    let text = |field: &str| entity.get(field).and_then(Value::as_str);
    let instant = |field: &str| entity.get(field).and_then(Value::as_i64).map(Timestamp::from_seconds);
    let referred = |field: &str| entity.get(field)?.get("id")?.as_str()?.parse::<Uuid>().ok();
    Some(NewToken {
        id: text("id")?.parse().ok()?,
        credential_id: referred("credential")?,
        service_id: referred("service"),
        access_token: PlainToken::new(text("access_token")?),
        refresh_token: text("refresh_token").map(PlainToken::new),
        family_id: text("family_id").and_then(|id| id.parse().ok()),
        scope: text("scope").map(str::to_owned),
        authenticated_userid: text("authenticated_userid").map(str::to_owned),
        created_at: instant("created_at")?,
        expires_in: entity.get("expires_in").and_then(Value::as_i64)?,
        expires_at: instant("expires_at"),
    })
}

/// Whether what a token names is there, or will be.
pub(super) fn belongs(world: &World, token: &NewToken) -> bool {
    let service = token.service_id.is_none_or(|id| world.row("services", id).is_some());
    service && world.row("oauth2_credentials", token.credential_id).is_some()
}

/// Stores those of a batch that are not stored yet; at most [`BATCH`]. Done twice it stores nothing twice. With
/// `is_dry` it only looks.
///
/// # Errors
/// The store failed. What it had stored before stays.
pub async fn store_batch(store: &Store, tokens: Vec<NewToken>, is_dry: bool) -> Result<Tally, StorageError> {
    let keyring = store.keyring();
    let digest = |token: &NewToken| keyring.digest(token.access_token.reveal().as_bytes());
    let digests: Vec<TokenDigest> = tokens.iter().map(digest).collect();
    let mut known: HashSet<TokenDigest> = store.known_tokens(&digests).await?;
    let mut tally = Tally::default();
    let mut missing = Vec::with_capacity(tokens.len());
    for (token, digest) in tokens.into_iter().zip(digests) {
        if known.insert(digest) { missing.push(token) } else { tally.unchanged += 1 }
    }
    if is_dry {
        tally.created = missing.len();
        return Ok(tally);
    }
    for outcome in store.insert_tokens(missing).await {
        match outcome {
            Ok(()) => tally.created += 1,
            Err(StorageError::Unique { .. } | StorageError::ForeignKey { .. } | StorageError::Unstorable { .. }) => {
                tally.refused += 1;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(tally)
}
