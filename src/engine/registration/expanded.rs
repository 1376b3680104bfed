//! Contracts with whom they bind: the application, and in it the developer.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::contracts::Side;
use super::rows::reference;
use super::{Application, Registration};
use crate::engine::catalog::{CatalogError, ListRequest, Listing};
use crate::schema::Entity;

impl Registration {
    /// Puts the application, and in it the developer, in the place of their ids. What has just gone stays an id.
    ///
    /// # Errors
    /// The store failed.
    pub async fn expand(&self, contracts: &mut [Entity]) -> Result<(), CatalogError> {
        let mut applications = self.all("applications", &distinct(contracts.iter(), "application")).await?;
        let owners = distinct(applications.values(), "developer");
        let developers = self.all("developers", &owners).await?;
        applications.values_mut().for_each(|application| put(application, "developer", &developers));
        contracts.iter_mut().for_each(|contract| put(contract, "application", &applications));
        Ok(())
    }

    /// Adds their contracts to applications, as `application_instances`; at most a thousand each.
    ///
    /// # Errors
    /// The store failed.
    pub async fn with_contracts(&self, applications: &mut [Application]) -> Result<(), CatalogError> {
        let request = ListRequest { size: Some("1000".to_owned()), ..ListRequest::default() };
        for application in applications {
            let contracts = self.contracts(Side::Application(application), &request).await?.data;
            let contracts = contracts.into_iter().map(Value::Object).collect();
            application.entity.insert("application_instances".to_owned(), contracts);
        }
        Ok(())
    }

    /// The applications that have a contract with a service, in the order of those; filters are those of contracts.
    ///
    /// # Errors
    /// As [`Catalog::list`](crate::engine::catalog::Catalog::list).
    pub async fn applications_of_service(&self, service: Uuid, request: &ListRequest) -> Result<Listing, CatalogError> {
        let mut listing = self.contracts(Side::Service(service), request).await?;
        let mut applications = self.all("applications", &distinct(&listing.data, "application")).await?;
        let of = |contract: Entity| applications.remove(&reference(&contract, "application").ok()?);
        listing.data = std::mem::take(&mut listing.data).into_iter().filter_map(of).collect();
        Ok(listing)
    }

    /// The entities of these ids that there are, as clients see them.
    async fn all(&self, name: &str, ids: &[Uuid]) -> Result<HashMap<Uuid, Entity>, CatalogError> {
        let schema = self.catalog.schema(name)?;
        let found = self.catalog.store.find_all(schema, ids).await?;
        Ok(found.into_iter().map(|(id, entity)| (id, schema.public(&entity))).collect())
    }
}

/// The ids that entities refer to, each once.
fn distinct<'e>(entities: impl IntoIterator<Item = &'e Entity>, field: &str) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = entities.into_iter().filter_map(|entity| reference(entity, field).ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn put(entity: &mut Entity, field: &str, from: &HashMap<Uuid, Entity>) {
    if let Some(whole) = reference(entity, field).ok().and_then(|id| from.get(&id)) {
        entity.insert(field.to_owned(), Value::Object(whole.clone()));
    }
}
