//! What the Admin API shows of the node around it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::vitals::Vitals;
use crate::actors::{Record, Recorder};
use crate::admin::{AdminIdentity, AdminRole, AuditEntry, AuditPage, Surroundings};
use crate::config::{Layers, SETTINGS, SetToken};
use crate::domain::{Secret, TokenDigest};
use crate::engine::catalog::Pending;
use crate::engine::{AuditRecord, EngineError, Node};
use crate::storage;
use crate::telemetry::Owner;

/// The level of Kong's Admin API that this one has: what tools written for Kong judge by (docs/decisions/0006).
const KONG_LEVEL: &str = "3.9.0";

/// The node, as the Admin API sees it.
pub(super) struct NodeSurroundings {
    node: Node,
    vitals: Vitals,
    configuration: Value,
    tokens: ArcSwap<Vec<(TokenDigest, AdminIdentity)>>,
}

impl NodeSurroundings {
    pub(super) fn new(node: Node, vitals: Vitals, layers: &Layers) -> Self {
        Self { node, vitals, configuration: configuration(layers), tokens: ArcSwap::default() }
    }

    /// Takes the tokens of the settings, instead of those taken before.
    pub(super) fn take_tokens(&self, tokens: &[SetToken]) {
        let digested = tokens.iter().map(|set| {
            let role = if set.read_only { AdminRole::ReadOnly } else { AdminRole::Admin };
            let digest = self.node.keyring.digest(set.token.reveal().as_bytes());
            (digest, AdminIdentity { name: set.name.clone(), role })
        });
        self.tokens.store(Arc::new(digested.collect()));
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
    let list = name.contains(".listen") || name.ends_with("_ips") || name.ends_with("_servers");
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
        Box::pin(self.vitals.report())
    }

    fn ready(&self) -> Pending<'_, Result<(), String>> {
        Box::pin(async move { self.vitals.readiness.check().await.map_err(str::to_owned) })
    }

    fn metrics(&self) -> String {
        self.node.meters.render()
    }

    fn find_admin_token(&self, token: Secret) -> Pending<'_, Result<Option<AdminIdentity>, EngineError>> {
        self.find_admin_digest(self.node.keyring.digest(token.reveal().as_bytes()))
    }

    fn find_admin_digest(&self, digest: TokenDigest) -> Pending<'_, Result<Option<AdminIdentity>, EngineError>> {
        Box::pin(async move {
            let set = self.tokens.load().iter().find(|(known, _)| *known == digest).map(|(_, found)| found.clone());
            if set.is_some() {
                return Ok(set);
            }
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
            let _waiting = self.node.meters.node.waiting(Owner::Recorder);
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
