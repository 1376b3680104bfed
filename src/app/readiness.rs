//! Whether this node should be sent requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::storage::Store;

/// A probe must not wait as long as a request may.
const PATIENCE: Duration = Duration::from_secs(2);

/// The node's own view of itself. Cheap to clone.
#[derive(Clone)]
pub(super) struct Readiness {
    store: Store,
    draining: Arc<AtomicBool>,
}

impl Readiness {
    pub(super) fn new(store: Store) -> Self {
        Self { store, draining: Arc::default() }
    }

    /// From now on no new requests should come.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// Why not, in a sentence for the probe's log.
    pub(super) async fn check(&self) -> Result<(), &'static str> {
        if self.is_draining() {
            return Err("stopping");
        }
        if self.database_reachable().await { Ok(()) } else { Err("database is not reachable") }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(super) async fn database_reachable(&self) -> bool {
        matches!(actix_rt::time::timeout(PATIENCE, self.store.ping()).await, Ok(Ok(())))
    }
}

/// Resident memory of this process, as the kernel tells it; `None` where it does not.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
