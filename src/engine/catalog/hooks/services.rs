//! Services: the authorities they verify by must exist.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{Catalog, CatalogError};
use crate::schema::{Entity, Fault, Violations};
use crate::storage::Lookup;

/// The store knows no references inside arrays.
pub(super) async fn check_authorities(catalog: &Catalog, service: &Entity) -> Result<(), CatalogError> {
    let Some(Value::Array(ids)) = service.get("ca_certificates") else { return Ok(()) };
    let schema = catalog.schema("ca_certificates")?;
    let mut faults = BTreeMap::new();
    for (place, id) in ids.iter().enumerate() {
        let Some(id) = id.as_str().and_then(|id| id.parse::<Uuid>().ok()) else { continue };
        if catalog.store.find(schema, &Lookup::Id(id)).await?.is_none() {
            let text =
                format!("the foreign key '{{id=\"{id}\"}}' does not reference an existing 'ca_certificates' entity.");
            faults.insert(place, Fault::Text(text));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let mut violations = Violations::new();
    violations.put("ca_certificates", Fault::Elements(faults));
    Err(violations.into())
}
