//! What `/status` tells, on the Admin API and on the status listener alike.

use std::sync::Arc;

use serde_json::{Value, json};

use super::readiness::{Readiness, resident_bytes};
use crate::plugins::Compiled;
use crate::proxy::Gateway;
use crate::telemetry::{Meter, Registry};

const ANSWERS: [Meter; 5] =
    [Meter::Requests1xx, Meter::Requests2xx, Meter::Requests3xx, Meter::Requests4xx, Meter::Requests5xx];

/// The node's signs of life. Cheap to clone.
#[derive(Clone)]
pub(super) struct Vitals {
    pub readiness: Readiness,
    pub meters: Arc<Registry>,
    gateway: Arc<Gateway<Compiled>>,
}

impl Vitals {
    pub(super) fn new(readiness: Readiness, meters: Arc<Registry>, gateway: Arc<Gateway<Compiled>>) -> Self {
        // Weak, because the gateway holds the meters in turn.
        let counted = Arc::downgrade(&gateway);
        meters.add_gauges(Box::new(move || {
            let active = counted.upgrade().map_or(0, |gateway| gateway.connections_active());
            vec![
                ("tollgate_connections_active", active as f64),
                ("tollgate_resident_bytes", resident_bytes().unwrap_or_default() as f64),
            ]
        }));
        Self { readiness, meters, gateway }
    }

    pub(super) async fn report(&self) -> Value {
        let total = |meter| self.meters.total(meter);
        let accepted = self.gateway.connections_accepted();
        json!({
            "database": { "reachable": self.readiness.database_reachable().await },
            "server": {
                "connections_accepted": accepted,
                "connections_active": self.gateway.connections_active(),
                "connections_handled": accepted,
                "draining": self.readiness.is_draining(),
                "total_requests": ANSWERS.into_iter().map(total).sum::<u64>(),
            },
            "memory": { "resident_bytes": resident_bytes() },
            "cache": {
                "hits": total(Meter::TokenCacheHit),
                "unknown": total(Meter::TokenNegativeHit),
                "refused_by_stamp": total(Meter::TokenStampRefused),
                "database_reads": total(Meter::TokenLookup),
            },
        })
    }
}
