//! Stopping: one list, each step with a deadline and a logged verdict.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_rt::time::timeout;
use tracing::{info, warn};

/// One step: what stops, how long it may take, and the act.
pub(super) struct Step {
    pub name: &'static str,
    pub limit: Duration,
    pub act: Pin<Box<dyn Future<Output = ()>>>,
}

impl Step {
    pub(super) fn new(name: &'static str, limit: Duration, act: impl Future<Output = ()> + 'static) -> Self {
        Self { name, limit, act: Box::pin(act) }
    }
}

/// Takes the steps in order. A step that is late is left behind: stopping goes on.
pub(super) async fn stop(steps: Vec<Step>) {
    for Step { name, limit, act } in steps {
        match timeout(limit, act).await {
            Ok(()) => info!(step = name, "`{name}` stopped"),
            Err(_) => {
                let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
                warn!(step = name, limit_ms, "`{name}` did not stop in time, going on");
            }
        }
    }
}
