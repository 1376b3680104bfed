//! Questions and pages.

use serde_json::Value;
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::schema::Entity;

/// How one entity is found.
#[derive(Clone, Debug)]
pub enum Lookup {
    Id(Uuid),
    /// By a unique field; a field of `Seal::Lookup` is found by the digest of the value given.
    Field(&'static str, String),
}

/// Which tags an entity must carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TagFilter {
    #[default]
    None,
    All(Vec<String>),
    Any(Vec<String>),
}

/// In which order rows are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Of ids, which is that of creation.
    #[default]
    Oldest,
    Newest,
    /// Of a text field that is never null, byte by byte; rows of the same text in the order of ids.
    By {
        field: &'static str,
        descending: bool,
        /// The text of the row that [`ListQuery::after`] names.
        after: Option<String>,
    },
}

/// A question for one page of a table.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Field and value, all of which must hold. A foreign field takes `{"id": …}` or the id itself; null means unset;
    /// `field[]`: the set of texts holds the value; `field_from`, `field_to`: the instant is not before, not after it.
    pub filters: Vec<(String, Value)>,
    pub tags: TagFilter,
    pub order: Order,
    /// Rows after this one; `None` begins at the start.
    pub after: Option<Uuid>,
    pub size: usize,
}

/// One page. `next` is the id to give as `after`; `None` when nothing follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T = Entity> {
    pub data: Vec<T>,
    pub next: Option<Uuid>,
}

/// One tag on one entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tagged {
    /// Name of the schema.
    pub entity: String,
    pub id: Uuid,
    pub tag: String,
}

/// What an admin token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminRole {
    Admin,
    ReadOnly,
}

/// A named token of the Admin API; of the token itself only a digest is kept, and never handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken {
    pub id: Uuid,
    pub name: String,
    pub role: AdminRole,
    pub created_at: Timestamp,
}

/// One write through the Admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// UUID v7, so that the order of ids is the order of time.
    pub id: Uuid,
    pub at: Timestamp,
    pub request_id: String,
    /// Name of the admin token, or of what stood in for one.
    pub actor: String,
    /// Address the request came from.
    pub source: String,
    pub method: String,
    pub path: String,
    pub status: u16,
}
