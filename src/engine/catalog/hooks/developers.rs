//! Developers: passwords are kept hashed, roles must exist.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Catalog, CatalogError, Draft};
use crate::domain::{DeveloperStatus, Secret};
use crate::engine::catalog::list::wrong_option;
use crate::schema::{Fault, Violations};
use crate::storage::Lookup;

/// Addresses differ in no letter's case.
pub(super) fn as_written(email: &Value) -> Value {
    email.as_str().map_or(Value::Null, |email| email.trim().to_lowercase().into())
}

/// A status as a number or as its word.
pub(super) fn status(given: &Value) -> Result<Value, CatalogError> {
    let text = given.as_str().unwrap_or_default();
    let known = text.parse().ok().and_then(DeveloperStatus::of_code).or_else(|| DeveloperStatus::of_word(text));
    let unknown =
        || wrong_option("status", "expected one of: 0, 1, 2, 3, 5, approved, requested, rejected, revoked, unverified");
    known.map(|status| status.code().into()).ok_or_else(unknown)
}

pub(super) async fn complete(catalog: &Catalog, draft: &mut Draft) -> Result<(), CatalogError> {
    check_roles(catalog, draft).await?;
    if let Some(Value::String(password)) = draft.shorthands.get("password") {
        let phc = catalog.ports.hash(Secret::new(password)).await?;
        draft.entity.insert("password_hash".to_owned(), phc.reveal().into());
    }
    Ok(())
}

/// The store knows no references inside arrays.
async fn check_roles(catalog: &Catalog, draft: &Draft) -> Result<(), CatalogError> {
    let Some(Value::Array(roles)) = draft.entity.get("roles") else { return Ok(()) };
    let schema = catalog.schema("developer_roles")?;
    let mut faults = BTreeMap::new();
    for (place, role) in roles.iter().enumerate() {
        let name = role.as_str().unwrap_or_default();
        if catalog.store.find(schema, &Lookup::Field("name", name.to_owned())).await?.is_none() {
            faults.insert(place, Fault::text(format!("no role is called '{name}'")));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let mut violations = Violations::new();
    violations.put("roles", Fault::Elements(faults));
    Err(violations.into())
}
