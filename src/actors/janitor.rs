//! The janitor: removes expired rows, a bounded batch at a time.

use std::time::Duration;

use actix::prelude::*;
use tracing::{info, warn};

use crate::domain::Clock;
use crate::storage::Store;

const PERIOD: Duration = Duration::from_secs(60);
/// Rows per statement: small enough that no other writer waits long.
const BATCH: usize = 1000;
/// Between two batches of one sweep, so that sweeping never takes all of the store.
const PAUSE: Duration = Duration::from_millis(50);

/// The actor; one per node. Expired rows are invisible anyway, so nothing depends on when it runs.
pub struct Janitor {
    store: Store,
    clock: Clock,
}

impl Janitor {
    pub fn start_with(store: Store, clock: Clock) -> Addr<Self> {
        Self { store, clock }.start()
    }

    fn sweep(&mut self, context: &mut Context<Self>) {
        let (store, now) = (self.store.clone(), self.clock.now());
        let swept = async move {
            let mut total = 0;
            loop {
                match store.sweep_expired(now, BATCH).await {
                    Ok(gone) => {
                        total += gone;
                        if gone < BATCH {
                            break;
                        }
                    }
                    Err(error) => {
                        warn!(%error, "sweeping expired rows failed, trying again in a minute");
                        break;
                    }
                }
                actix_rt::time::sleep(PAUSE).await;
            }
            total
        };
        context.spawn(swept.into_actor(self).map(|total, _, context: &mut Context<Self>| {
            if total > 0 {
                info!(rows = total, "removed {total} expired rows");
            }
            context.run_later(PERIOD, Self::sweep);
        }));
    }
}

impl Actor for Janitor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_later(PERIOD, Self::sweep);
    }
}
