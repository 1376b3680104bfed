//! Developers, applications and contracts over HTTP. The same resource stands below several parents; who they are is read
//! from the path, so that one function answers in all places.
//!
//! **Invariants:** what stands below a parent is only found there.
//!
//! **Absent on purpose:** rules (the engine's `registration`), the list of paths (`schema::Resource`).

mod applications;
mod credentials;
mod developers;
mod documents;
mod export;
mod invite;
mod roles;

use uuid::Uuid;

use super::entities::{Ask, found, item, many};
use super::errors;
use super::reply::Reply;
use super::state::AdminState;
use crate::engine::catalog::{CatalogError, Key, Parent};
use crate::engine::registration::{Application, Scope};
use crate::schema::{Resource, Verb};

pub(super) async fn answer(state: &AdminState, resource: Resource, ask: Ask<'_>) -> Reply {
    let answered = match resource {
        Resource::Developers => developers::many(state, ask).await,
        Resource::Developer => developers::one(state, ask).await,
        Resource::Roles => roles::many(state, ask).await,
        Resource::Role => roles::one(state, ask).await,
        Resource::Applications => applications::many(state, ask).await,
        Resource::Application => applications::one(state, ask).await,
        Resource::Contracts => applications::contracts(state, ask).await,
        Resource::Contract => applications::contract(state, ask).await,
        Resource::Owner => owner(state, &ask).await,
        Resource::HiddenConsumer => hidden_consumer(state, ask).await,
        Resource::Belongings { entity } => match below_developer(state, &ask).await {
            Ok(parent) => many(state, entity, Some(parent), ask).await,
            Err(error) => Err(error),
        },
        Resource::Belonging { entity } => belonging(state, entity, ask).await,
        Resource::Invitation => invite::invite(state, ask).await,
        Resource::Export => export::developers(state).await,
        Resource::Credentials => credentials::many(state, ask).await,
        Resource::Credential => credentials::one(state, ask).await,
        Resource::Secrets => credentials::secrets(state, ask).await,
        Resource::Secret => credentials::secret(state, ask).await,
        Resource::Documents => documents::many(state, ask).await,
        Resource::Document => documents::one(state, ask).await,
    };
    answered.unwrap_or_else(|error| errors::reply(&error))
}

impl Ask<'_> {
    /// The key at `{name}` in the path, where the path has that.
    fn key(&self, name: &str) -> Option<Key> {
        self.found.parameter(name).map(Key::parse)
    }

    /// The key of what the path is about; every path of it has one.
    fn own_key(&self, name: &str) -> Key {
        self.key(name).unwrap_or_else(|| Key::parse(""))
    }
}

/// Whose applications are asked for.
async fn scope(state: &AdminState, ask: &Ask<'_>) -> Result<Scope, CatalogError> {
    Ok(match ask.key("developer") {
        Some(developer) => Scope::Developer(state.registration.developer_id(&developer).await?),
        None => Scope::All,
    })
}

/// The application in the path.
async fn application(state: &AdminState, ask: &Ask<'_>) -> Result<Application, CatalogError> {
    let scope = scope(state, ask).await?;
    state.registration.application(scope, &ask.own_key("application")).await
}

/// The id of the service in the path.
async fn service(state: &AdminState, ask: &Ask<'_>) -> Result<Uuid, CatalogError> {
    state.catalog.locate(state.catalog.schema("services")?, &ask.own_key("service")).await
}

async fn owner(state: &AdminState, ask: &Ask<'_>) -> Result<Reply, CatalogError> {
    let owner = application(state, ask).await?.developer;
    found(Some(state.registration.developer(&Key::Id(owner)).await?))
}

async fn hidden_consumer(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let id = match ask.key("application") {
        Some(_) => application(state, &ask).await?.consumer,
        None => state.registration.developers_consumer(&ask.own_key("developer")).await?,
    };
    let schema = state.catalog.schema("consumers")?;
    item(&state.catalog, schema, &Key::Id(id), None, Verb::Get, ask.body).await
}

async fn below_developer(state: &AdminState, ask: &Ask<'_>) -> Result<Parent, CatalogError> {
    let id = state.registration.developers_consumer(&ask.own_key("developer")).await?;
    Ok(Parent { field: "consumer", id })
}

async fn belonging(state: &AdminState, entity: &str, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let parent = below_developer(state, &ask).await?;
    let schema = state.catalog.schema(entity)?;
    let key = Key::parse(ask.found.parameters.last().map(String::as_str).unwrap_or_default());
    item(&state.catalog, schema, &key, Some(&parent), ask.verb, ask.body).await
}
