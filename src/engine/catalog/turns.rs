//! Turns: one writer per entity at a time.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

/// More than ever write at once, so that two entities seldom share one.
const TURNS: usize = 64;

/// Who may change an entity now. A change is made of what is stored and of a body; were two made of the same stored
/// entity, the later would take back what the earlier was answered.
#[derive(Clone)]
pub(super) struct Turns(Arc<[Mutex<()>; TURNS]>);

/// Nobody else changes the entity while this is held.
pub(in crate::engine) type Turn<'t> = MutexGuard<'t, ()>;

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Mutex::default())))
    }
}

impl Turns {
    /// Waits for the turn of this entity, first come, first served. Take only one at a time: two entities may share it.
    pub async fn take(&self, id: Uuid) -> Turn<'_> {
        let place =
            id.as_bytes().iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        self.0[place % TURNS].lock().await
    }
}
