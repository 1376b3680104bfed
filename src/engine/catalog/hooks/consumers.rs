//! Consumers: those that stand for developers and applications are not seen among the others, and change with whom they
//! stand for.

use serde_json::Value;

use super::CatalogError;
use crate::domain::ConsumerType;
use crate::engine::catalog::write::across;
use crate::schema::Entity;

/// Consumers of their own.
pub(super) fn parties() -> (String, Value) {
    ("type".to_owned(), ConsumerType::Party.code().into())
}

/// A hidden consumer is called `developer_<id>` or `application_<id>`.
pub(super) fn refuse_hidden(consumer: &Entity) -> Result<(), CatalogError> {
    let kind = consumer.get("type").and_then(Value::as_i64).unwrap_or_default();
    if kind == ConsumerType::Party.code() {
        return Ok(());
    }
    let name = consumer.get("username").and_then(Value::as_str).unwrap_or_default();
    let (owner, id) = name.split_once('_').unwrap_or(("application", name));
    Err(across(format!("this consumer stands for {owner} {id} and changes with it: use /{owner}s/{id}")))
}
