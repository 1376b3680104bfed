//! Figures that parts of the program keep for themselves, as metrics: pools, leases, certificates.

use std::sync::Arc;

use super::readiness::resident_bytes;
use crate::actors::Bus;
use crate::engine::Node;
use crate::plugins::Compiled;
use crate::proxy::{Gateway, OpenNow};
use crate::storage::PoolState;
use crate::telemetry::Reading;

/// Has them read at each scrape.
pub(super) fn tell(node: &Node, gateway: &Arc<Gateway<Compiled>>) {
    let meters = &node.meters;
    // Weak, because the gateway holds the meters in turn.
    let weak = Arc::downgrade(gateway);
    meters.add_readings(Box::new(move || {
        let mut readings = of_process();
        if let Some(gateway) = weak.upgrade() {
            readings.extend(of_proxy(&gateway));
        }
        readings
    }));
    let store = node.store.clone();
    meters.add_readings(Box::new(move || of_database(&store.pools())));
    let (bus, contact) = (Arc::clone(&node.bus), Arc::clone(&node.contact));
    meters.add_readings(Box::new(move || {
        let away = flag(contact.is_away());
        let mut readings =
            vec![Reading::gauge("tollgate_database_away", "Whether the database does not answer.", away)];
        readings.extend(of_bus(bus.get()));
        readings
    }));
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn of_process() -> Vec<Reading> {
    let version = env!("CARGO_PKG_VERSION");
    vec![
        Reading::gauge("tollgate_build_info", "The version of the program.", 1.0).with("version", version),
        Reading::gauge(
            "tollgate_resident_bytes",
            "Memory of the process.",
            resident_bytes().unwrap_or_default() as f64,
        ),
    ]
}

fn of_proxy(gateway: &Gateway<Compiled>) -> Vec<Reading> {
    let OpenNow { upstreams_active, upstreams_idle, streams } = gateway.open_now();
    let upstream = |state: &str, number: u64| {
        let help = "Open connections to upstreams, by whether a call is under way on them.";
        Reading::gauge("tollgate_upstream_connections", help, number as f64).with("state", state)
    };
    let mut readings = vec![
        Reading::gauge(
            "tollgate_connections_active",
            "Open connections of clients.",
            gateway.connections_active() as f64,
        ),
        Reading::gauge("tollgate_http2_streams_open", "Calls under way over clients' HTTP/2.", streams as f64),
        upstream("active", upstreams_active),
        upstream("idle", upstreams_idle),
    ];
    let help = "Unix time at which the certificate shown for a server name ends.";
    readings.extend(gateway.expiries().into_iter().map(|expiry| {
        Reading::gauge("tollgate_certificate_expiry_seconds", help, expiry.not_after as f64).with("sni", expiry.sni)
    }));
    readings
}

fn of_database(pools: &[PoolState]) -> Vec<Reading> {
    let mut readings = Vec::new();
    for pool in pools {
        let help = "Connections to the database.";
        for (state, number) in [("idle", pool.idle), ("in_use", pool.in_use)] {
            let reading = Reading::gauge("tollgate_database_connections", help, number as f64);
            readings.push(reading.with("pool", pool.name).with("state", state));
        }
    }
    for pool in pools {
        let help = "Connections to the database there may be.";
        readings
            .push(Reading::gauge("tollgate_database_connections_max", help, pool.most as f64).with("pool", pool.name));
    }
    for pool in pools {
        let help = "Questions that wait for a connection to the database.";
        readings.push(Reading::gauge("tollgate_database_waiting", help, pool.waiting as f64).with("pool", pool.name));
    }
    readings
}

/// Without Redis this node is the only one, and its lease has no end.
fn of_bus(bus: Option<&Bus>) -> Vec<Reading> {
    let told = |is: fn(&Bus) -> bool| flag(bus.is_some_and(is));
    let state = bus.map(Bus::state);
    let number = |of: fn(&crate::cache::redis::BusState) -> usize| state.as_ref().map_or(0, of) as f64;
    let nodes = |state: &str, number: f64| {
        let help = "Nodes on the bus, by whether they have renewed their lease within its length.";
        Reading::gauge("tollgate_cluster_nodes", help, number).with("state", state)
    };
    let age = state.as_ref().map_or(0.0, |state| state.lease_age.as_secs_f64());
    let live = if bus.is_none() { 1.0 } else { number(|state| state.live) };
    vec![
        Reading::gauge("tollgate_redis_reachable", "Whether Redis answers.", told(|bus| bus.status().is_ok())),
        Reading::gauge("tollgate_redis_connections", "Connections to Redis.", number(|state| state.connections)),
        Reading::gauge("tollgate_bus_following", "Whether this node follows the bus.", told(Bus::is_following)),
        Reading::gauge("tollgate_bus_waiting", "Changes that wait to be announced.", number(|state| state.waiting)),
        Reading::gauge(
            "tollgate_bus_waiting_max",
            "Changes that may wait to be announced.",
            number(|state| state.most_waiting),
        ),
        Reading::gauge(
            "tollgate_lease_fresh",
            "Whether this node may trust what it remembers.",
            told(|bus| bus.lease().is_fresh()),
        ),
        Reading::gauge(
            "tollgate_lease_age_seconds",
            "Since the question whose answer renewed this node's lease last.",
            age,
        ),
        nodes("live", live),
        nodes("silent", number(|state| state.silent)),
    ]
}
