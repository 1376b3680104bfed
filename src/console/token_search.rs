//! From what people know of an application or a service to the ids that tokens carry.

use uuid::Uuid;

use super::facts::{reference, text};
use super::refusal::Refusal;
use super::views::TokenSearch;
use super::visit::Visit;
use crate::engine::catalog::{CatalogError, Key, ListRequest};
use crate::engine::registration::{Scope, TokenFilter};
use crate::schema::Entity;

/// Applications of one name that are looked at.
const MOST: &str = "20";

/// What was looked for, as ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub filter: TokenFilter,
    /// Client ids with what they are called, where a name has several credentials.
    pub choices: Vec<(String, String)>,
    pub application_fault: String,
    pub service_fault: String,
}

impl Found {
    /// Whether everything that was looked for was found, and is one.
    pub(super) fn is_clear(&self) -> bool {
        self.choices.is_empty() && self.application_fault.is_empty() && self.service_fault.is_empty()
    }
}

pub(super) async fn found(visit: &Visit, search: &TokenSearch) -> Result<Found, Refusal> {
    let mut found = Found::default();
    found.filter.authenticated_userid = Some(search.user.clone()).filter(|user| !user.is_empty());
    if !search.application.is_empty() {
        let credentials = credentials(visit, &search.application).await?;
        match credentials.as_slice() {
            [] => "No application has this client id or name.".clone_into(&mut found.application_fault),
            [one] => found.filter.credential = id(one),
            many => found.choices = many.iter().map(choice).collect(),
        }
    }
    if !search.service.is_empty() {
        let schema = visit.schema("services")?;
        let service = visit.catalog().find(schema, &Key::parse(&search.service), None).await?;
        match service.as_ref().and_then(id) {
            None => "No service has this name or id.".clone_into(&mut found.service_fault),
            some => found.filter.service = some,
        }
    }
    Ok(found)
}

fn id(entity: &Entity) -> Option<Uuid> {
    text(entity, "id").parse().ok()
}

fn choice(credential: &Entity) -> (String, String) {
    let client_id = text(credential, "client_id");
    (client_id.to_owned(), format!("{}, client id {client_id}", text(credential, "name")))
}

/// The credential with this client id; else those of the applications of this name.
async fn credentials(visit: &Visit, wanted: &str) -> Result<Vec<Entity>, Refusal> {
    let schema = visit.schema("oauth2_credentials")?;
    match visit.catalog().find(schema, &Key::parse(wanted), None).await {
        Ok(Some(credential)) => return Ok(vec![credential]),
        Ok(None) | Err(CatalogError::NoUuid) => {}
        Err(error) => return Err(error.into()),
    }
    let named = ListRequest {
        filters: vec![("name".to_owned(), wanted.into())],
        size: Some(MOST.to_owned()),
        ..ListRequest::default()
    };
    let mut found = Vec::new();
    for application in visit.registration().applications(Scope::All, &named).await?.data {
        let consumer = reference(&application, "consumer");
        let filters = vec![("consumer.id".to_owned(), consumer.into())];
        let request = ListRequest { filters, size: Some(MOST.to_owned()), ..ListRequest::default() };
        found.extend(visit.catalog().list(schema, &request).await?.data);
    }
    Ok(found)
}
