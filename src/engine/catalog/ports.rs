//! What the catalog needs from the rest of the node.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use uuid::Uuid;

use super::Change;
use crate::actors::Event;
use crate::domain::{PlainToken, Secret};
use crate::engine::EngineError;

/// A boxed future that stays on its thread.
pub type Pending<'p, T> = Pin<Box<dyn Future<Output = T> + 'p>>;

/// Chance, slow hashes, and the caches that must hear of changes.
pub trait Ports: Send + Sync {
    /// A UUID v7.
    fn uuid(&self) -> Uuid;

    /// 32 characters `[A-Za-z0-9]`.
    fn token(&self) -> PlainToken;

    /// Argon2id as a PHC string.
    fn hash(&self, secret: Secret) -> Pending<'_, Result<Secret, EngineError>>;

    /// Called after the commit and before the caller is answered. An error is answered as one, though the change is
    /// stored: the caller tries again, and the change is told again.
    fn changed(&self, change: Change) -> Pending<'_, Result<(), EngineError>>;

    /// How long a change may take before its caller is told that nobody knows.
    fn patience(&self) -> Duration;

    /// Makes every cache forget, where a change of one entity ends what others gave.
    fn announce(&self, events: Vec<Event>) -> Pending<'_, Result<(), EngineError>>;
}
