//! What `/status` tells, on the Admin API and on the status listener alike.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::figures;
use super::readiness::{Readiness, resident_bytes};
use crate::actors::Bus;
use crate::engine::Node;
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
    /// Empty: this node is alone.
    bus: Arc<OnceLock<Bus>>,
}

impl Vitals {
    pub(super) fn new(readiness: Readiness, node: &Node, gateway: Arc<Gateway<Compiled>>) -> Self {
        let (meters, bus) = (Arc::clone(&node.meters), Arc::clone(&node.bus));
        figures::tell(node, &gateway);
        Self { readiness, meters, gateway, bus }
    }

    /// `null` without `redis.url`.
    fn redis(&self) -> Value {
        let Some(bus) = self.bus.get() else { return Value::Null };
        json!({
            "reachable": bus.status().is_ok(),
            "following": bus.is_following(),
            "lease_fresh": bus.lease().is_fresh(),
        })
    }

    pub(super) async fn report(&self) -> Value {
        let total = |meter| self.meters.total(meter);
        let accepted = self.gateway.connections_accepted();
        json!({
            "database": { "reachable": self.readiness.database_reachable().await },
            "redis": self.redis(),
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
                "redis_hits": total(Meter::TokenRedisHit),
                "unknown": total(Meter::TokenNegativeHit),
                "refused_by_stamp": total(Meter::TokenStampRefused),
                "database_reads": total(Meter::TokenLookup),
            },
        })
    }
}
