//! Services: the authorities they verify by must exist, and stay.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{Catalog, CatalogError};
use crate::schema::{Entity, Fault, Violations};
use crate::storage::{ListQuery, Lookup};

/// Services read at once when looking for those that trust an authority.
const PAGE: usize = 1000;

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

/// An authority goes only when no service verifies by it any more.
pub(super) async fn refuse_where_trusted(catalog: &Catalog, authority: Uuid) -> Result<(), CatalogError> {
    let schema = catalog.schema("services")?;
    let authority = Value::String(authority.to_string());
    let mut query = ListQuery { size: PAGE, ..ListQuery::default() };
    loop {
        let page = catalog.store.list(schema, &query).await?;
        let trusts = |service: &Entity| matches!(service.get("ca_certificates"), Some(Value::Array(ids)) if ids.contains(&authority));
        if page.data.iter().any(trusts) {
            return Err(CatalogError::Referenced { by: schema.name.to_owned(), entity: "ca_certificates" });
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}
