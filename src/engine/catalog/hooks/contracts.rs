//! Contracts: their statuses in queries.

use serde_json::Value;

use super::CatalogError;
use crate::domain::ContractStatus;
use crate::engine::catalog::list::invalid;

/// A status as a number or as its word.
pub(super) fn status(given: &Value) -> Result<Value, CatalogError> {
    let text = given.as_str().unwrap_or_default();
    let known = text.parse().ok().and_then(ContractStatus::of_code).or_else(|| ContractStatus::of_word(text));
    let unknown = || invalid("status", "expected one of: 0, 1, 2, 3, approved, requested, rejected, revoked");
    known.map(|status| status.code().into()).ok_or_else(unknown)
}
