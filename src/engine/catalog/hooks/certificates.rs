//! Certificates: the server names that come with them are entities of their own.

use serde_json::Value;
use uuid::Uuid;

use super::{Catalog, CatalogError, Draft};
use crate::engine::catalog::id_of;
use crate::engine::catalog::references::{reference_to, referred};
use crate::schema::{Auto, Body, Entity, Violations};
use crate::storage::{ListQuery, Lookup};

const MAX_NAMES: usize = 1000;

/// The given names, when the body has any say in them.
fn wanted(draft: &Draft) -> Option<Vec<String>> {
    let names = match draft.shorthands.get("snis")? {
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Some(names)
}

/// A name belongs to one certificate.
pub(super) async fn check_names(catalog: &Catalog, draft: &Draft) -> Result<(), CatalogError> {
    let Some(names) = wanted(draft) else { return Ok(()) };
    let schema = catalog.schema("snis")?;
    for name in names {
        let Some(found) = catalog.store.find(schema, &Lookup::Field("name", name.clone())).await? else { continue };
        let owner = referred(&found, "certificate").unwrap_or_default();
        if Some(owner) != draft.entity.get("id").and_then(Value::as_str) {
            let text = format!("{name} already associated with existing certificate '{owner}'");
            return Err(Violations::of("snis", text).into());
        }
    }
    Ok(())
}

/// Makes the stored names those of the body.
pub(super) async fn write_names(catalog: &Catalog, draft: &Draft) -> Result<(), CatalogError> {
    let (Some(wanted), Some(id)) = (wanted(draft), id_of(&draft.entity)) else { return Ok(()) };
    let schema = catalog.schema("snis")?;
    let mut missing = wanted;
    for sni in stored(catalog, id).await? {
        let name = sni.get("name").and_then(Value::as_str).unwrap_or_default();
        let before = missing.len();
        missing.retain(|wanted| wanted != name);
        if missing.len() == before
            && let Some(id) = id_of(&sni)
        {
            catalog.store.delete(schema, id).await?;
        }
    }
    for name in missing {
        let fields = [("name", Value::String(name)), ("certificate", reference_to(&id.to_string()))];
        let body = Body::json(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        let mut generate = |auto: Auto| catalog.generator()(auto);
        let sni = catalog.registry.insert(schema, body, &mut generate)?;
        catalog.store.insert(schema, &sni.entity).await?;
    }
    Ok(())
}

pub(super) async fn add_names(catalog: &Catalog, certificate: &Entity, shown: &mut Entity) -> Result<(), CatalogError> {
    let names: Vec<Value> = match id_of(certificate) {
        Some(id) => stored(catalog, id).await?.into_iter().filter_map(|mut sni| sni.remove("name")).collect(),
        None => Vec::new(),
    };
    shown.insert("snis".to_owned(), names.into());
    Ok(())
}

async fn stored(catalog: &Catalog, certificate: Uuid) -> Result<Vec<Entity>, CatalogError> {
    let schema = catalog.schema("snis")?;
    let filters = vec![("certificate".to_owned(), reference_to(&certificate.to_string()))];
    let query = ListQuery { filters, size: MAX_NAMES, ..ListQuery::default() };
    Ok(catalog.store.list(schema, &query).await?.data)
}
