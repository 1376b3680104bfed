//! Contracts: their statuses in queries.

use super::CatalogError;
use crate::domain::ContractStatus;
use crate::engine::catalog::list::wrong_option;

/// A status as a number or as its word.
pub(in crate::engine) fn status(text: &str) -> Result<ContractStatus, CatalogError> {
    let known = text.parse().ok().and_then(ContractStatus::of_code).or_else(|| ContractStatus::of_word(text));
    let unknown = || wrong_option("status", "expected one of: 0, 1, 2, 3, approved, requested, rejected, revoked");
    known.ok_or_else(unknown)
}
