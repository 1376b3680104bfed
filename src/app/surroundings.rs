//! What the Admin API shows of the node around it.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::readiness::Readiness;
use crate::actors::{Record, Recorder};
use crate::admin::{AdminIdentity, AdminRole, AuditEntry, AuditPage, Surroundings};
use crate::config::{Layers, SETTINGS};
use crate::domain::Secret;
use crate::engine::catalog::Pending;
use crate::engine::{AuditRecord, EngineError, Node};
use crate::storage;
use crate::telemetry::Meter;

/// The level of Kong's Admin API that this one has: what tools written for Kong judge by (docs/decisions/0006).
const KONG_LEVEL: &str = "3.9.0";

/// The node, as the Admin API sees it.
pub(super) struct NodeSurroundings {
    node: Node,
    readiness: Readiness,
    configuration: Value,
}

impl NodeSurroundings {
    pub(super) fn new(node: Node, readiness: Readiness, layers: &Layers) -> Self {
        Self { node, readiness, configuration: configuration(layers) }
    }
}

/// The settings without secrets, flat as Kong's: `proxy_listen`. Clients of Kong read `database` and `portal`.
fn configuration(layers: &Layers) -> Value {
    let shown = SETTINGS.iter().filter(|setting| !setting.secret);
    let mut settings: Map<String, Value> =
        shown.map(|setting| (setting.name.replace('.', "_"), typed(setting.name, layers.text(setting.name)))).collect();
    let kind = if layers.text("database.url").starts_with("sqlite:") { "sqlite" } else { "postgres" };
    settings.insert("database".to_owned(), kind.into());
    settings.insert("portal".to_owned(), settings.get("portal_enabled").cloned().unwrap_or_default());
    Value::Object(settings)
}

/// A setting's text as JSON: lists as arrays, numbers and flags as such.
fn typed(name: &str, text: &str) -> Value {
    let list = name.contains(".listen") || name.ends_with("_ips");
    match text {
        _ if list => text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect(),
        "" => Value::Null,
        "true" | "false" => (text == "true").into(),
        _ => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
    }
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

impl Surroundings for NodeSurroundings {
    fn request_id(&self) -> String {
        Uuid::new_v4().simple().to_string()
    }

    fn information(&self) -> Value {
        json!({
            "version": KONG_LEVEL,
            "tollgate": env!("CARGO_PKG_VERSION"),
            "tagline": "Welcome to tollgate",
            "hostname": hostname(),
            "node_id": self.node.id.to_string(),
            "configuration": self.configuration,
        })
    }

    fn status(&self) -> Pending<'_, Value> {
        Box::pin(async move {
            let mut report = self.readiness.report().await;
            let total = |meter| self.node.meters.total(meter);
            report["server"]["total_requests"] =
                [Meter::Requests1xx, Meter::Requests2xx, Meter::Requests3xx, Meter::Requests4xx, Meter::Requests5xx]
                    .into_iter()
                    .map(total)
                    .sum::<u64>()
                    .into();
            report["cache"] = json!({
                "hits": total(Meter::TokenCacheHit),
                "unknown": total(Meter::TokenNegativeHit),
                "refused_by_stamp": total(Meter::TokenStampRefused),
                "database_reads": total(Meter::TokenLookup),
            });
            report
        })
    }

    fn ready(&self) -> Pending<'_, Result<(), String>> {
        Box::pin(async move { self.readiness.check().await.map_err(str::to_owned) })
    }

    fn metrics(&self) -> String {
        self.node.meters.render()
    }

    fn find_admin_token(&self, token: Secret) -> Pending<'_, Result<Option<AdminIdentity>, EngineError>> {
        Box::pin(async move {
            let digest = self.node.keyring.digest(token.reveal().as_bytes());
            let found = self.node.store.find_admin_token(digest).await?;
            Ok(found.map(|token| AdminIdentity {
                name: token.name,
                role: match token.role {
                    storage::AdminRole::Admin => AdminRole::Admin,
                    storage::AdminRole::ReadOnly => AdminRole::ReadOnly,
                },
            }))
        })
    }

    fn record(&self, entry: AuditEntry) -> Pending<'_, ()> {
        Box::pin(async move {
            let record = AuditRecord {
                id: Uuid::now_v7(),
                at: self.node.clock.now(),
                request_id: entry.request_id,
                actor: entry.actor,
                source: entry.source,
                method: entry.method,
                path: entry.path,
                status: entry.status,
            };
            // A failure is logged and counted by the recorder, which handles it.
            let _ = self.node.recorder.send(Record(record)).timeout(Recorder::PATIENCE).await;
        })
    }

    fn audit(&self, before: Option<Uuid>, size: usize) -> Pending<'_, Result<AuditPage, EngineError>> {
        Box::pin(async move {
            let page = self.node.store.list_audit(before, size).await?;
            Ok((page.data, page.next))
        })
    }
}
