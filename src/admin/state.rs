//! What the Admin API holds.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::routing::Paths;
use crate::domain::{Secret, TokenDigest};
use crate::engine::catalog::{Catalog, Pending};
use crate::engine::registration::Registration;
use crate::engine::{AuditRecord, EngineError};

/// The catalog, the paths, and the surroundings. One per listener, shared by its workers.
pub struct AdminState {
    pub catalog: Catalog,
    pub registration: Registration,
    /// Who may call this listener.
    pub exposure: Exposure,
    /// Bytes a body may have.
    pub body_limit: usize,
    /// `0.1.0`: what stands in `Server` and in the description.
    pub version: &'static str,
    pub surroundings: Arc<dyn Surroundings>,
    pub(super) paths: Paths,
}

impl AdminState {
    pub const DEFAULT_BODY_LIMIT: usize = 8 * 1024 * 1024;

    pub fn new(registration: Registration, exposure: Exposure, surroundings: Arc<dyn Surroundings>) -> Self {
        let catalog = registration.catalog.clone();
        let paths = Paths::new(catalog.registry.endpoints());
        let version = env!("CARGO_PKG_VERSION");
        Self { catalog, registration, exposure, body_limit: Self::DEFAULT_BODY_LIMIT, version, surroundings, paths }
    }
}

/// Who can reach a listener, and what they must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Loopback only: open, but a `Host` that is not loopback is a rebound name and refused.
    Loopback,
    /// Any other address: a token is demanded.
    Tokens,
    /// Any other address and `admin.allow_insecure` written out: open.
    Insecure,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminIdentity {
    pub name: String,
    pub role: AdminRole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminRole {
    Admin,
    ReadOnly,
}

/// One write, as the audit log keeps it. Keys that are secrets are masked in `path`; there is no query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub request_id: String,
    /// The token's name, or what stood in for one.
    pub actor: String,
    /// The peer's address.
    pub source: String,
    pub method: String,
    pub path: String,
    pub status: u16,
}

/// What the Admin API shows or uses of the node around it.
pub trait Surroundings: Send + Sync {
    /// A fresh request id.
    fn request_id(&self) -> String;

    /// `GET /` without `plugins`: Kong's level as `version`, our own as `tollgate`, tagline, hostname, `node_id`, configuration without secrets.
    fn information(&self) -> Value;

    /// `GET /status`: database.reachable, server connections, memory, cache.
    fn status(&self) -> Pending<'_, Value>;

    /// Whether this node can serve; the text says why not.
    fn ready(&self) -> Pending<'_, Result<(), String>>;

    /// Prometheus' text format.
    fn metrics(&self) -> String;

    /// Whose admin token this is, by its digest.
    fn find_admin_token(&self, token: Secret) -> Pending<'_, Result<Option<AdminIdentity>, EngineError>>;

    /// Whose admin token has this digest: a session of the console ends with its token.
    fn find_admin_digest(&self, digest: TokenDigest) -> Pending<'_, Result<Option<AdminIdentity>, EngineError>>;

    /// Stores a record of a write; returns when it is stored or known to have failed (and logged as that).
    fn record(&self, entry: AuditEntry) -> Pending<'_, ()>;

    /// Records before the given one, newest first.
    fn audit(&self, before: Option<Uuid>, size: usize) -> Pending<'_, Result<AuditPage, EngineError>>;
}

/// Records, and the id to give for the next page.
pub type AuditPage = (Vec<AuditRecord>, Option<Uuid>);
