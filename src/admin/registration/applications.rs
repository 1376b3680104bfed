//! Applications and their contracts.

use serde_json::Value;
use uuid::Uuid;

use super::{application, scope, service};
use crate::admin::entities::{Ask, found, page};
use crate::admin::query::Asked;
use crate::admin::reply::Reply;
use crate::admin::state::AdminState;
use crate::engine::catalog::CatalogError;
use crate::engine::registration::{Application, Keeping, Scope, Side};
use crate::schema::Verb;

pub(super) async fn many(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    if ask.key("service").is_some() {
        return of_service(state, ask).await;
    }
    let scope = scope(state, &ask).await?;
    if ask.verb == Verb::Post {
        let developer = match scope {
            Scope::All => None,
            Scope::Developer(id) => Some(id),
        };
        let created = state.registration.create_application(developer, ask.body, Keeping::Sealed).await?;
        return Ok(Reply::json(201, Value::Object(created.application)));
    }
    match Asked::read(ask.query, state.catalog.registry.entity("applications")) {
        Ok(asked) => {
            let listing = state.registration.applications(scope, &asked.request).await?;
            Ok(Reply::json(200, page(listing, &asked, ask.path)))
        }
        Err(refusal) => Ok(refusal),
    }
}

pub(super) async fn one(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    if ask.verb == Verb::Delete {
        let scope = scope(state, &ask).await?;
        state.registration.delete_application(scope, &ask.own_key("application")).await?;
        return Ok(Reply::empty(204));
    }
    let application = application(state, &ask).await?;
    match ask.verb {
        Verb::Patch => found(Some(state.registration.patch_application(&application, ask.body).await?)),
        _ => found(Some(application.entity)),
    }
}

/// The applications that have a contract with a service; of a status, where the query names one.
async fn of_service(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let service = service(state, &ask).await?;
    match Asked::read(ask.query, state.catalog.registry.entity("application_instances")) {
        Ok(asked) => {
            let listing = state.registration.applications_of_service(service, &asked.request).await?;
            Ok(Reply::json(200, page(listing, &asked, ask.path)))
        }
        Err(refusal) => Ok(refusal),
    }
}

/// From where a path looks at contracts.
enum Viewed {
    Application(Box<Application>),
    Service(Uuid),
}

impl Viewed {
    async fn at(state: &AdminState, ask: &Ask<'_>) -> Result<Self, CatalogError> {
        match ask.key("application") {
            Some(_) => Ok(Self::Application(Box::new(application(state, ask).await?))),
            None => Ok(Self::Service(service(state, ask).await?)),
        }
    }

    fn side(&self) -> Side<'_> {
        match self {
            Self::Application(application) => Side::Application(application),
            Self::Service(id) => Side::Service(*id),
        }
    }
}

pub(super) async fn contracts(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let viewed = Viewed::at(state, &ask).await?;
    if let (Viewed::Application(application), Verb::Post) = (&viewed, ask.verb) {
        let made = state.registration.create_contract(application, ask.body).await?;
        return Ok(Reply::json(201, Value::Object(made)));
    }
    match Asked::read(ask.query, state.catalog.registry.entity("application_instances")) {
        Ok(asked) => {
            let mut listing = state.registration.contracts(viewed.side(), &asked.request).await?;
            state.registration.expand(&mut listing.data).await?;
            Ok(Reply::json(200, page(listing, &asked, ask.path)))
        }
        Err(refusal) => Ok(refusal),
    }
}

pub(super) async fn contract(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let viewed = Viewed::at(state, &ask).await?;
    let key = ask.own_key("application_instance");
    let mut contract = match ask.verb {
        Verb::Patch => state.registration.patch_contract(viewed.side(), &key, ask.body).await?,
        Verb::Delete => {
            state.registration.delete_contract(viewed.side(), &key).await?;
            return Ok(Reply::empty(204));
        }
        Verb::Get | Verb::Post | Verb::Put => state.registration.contract(viewed.side(), &key).await?,
    };
    if let Viewed::Service(_) = viewed {
        state.registration.expand(std::slice::from_mut(&mut contract)).await?;
    }
    found(Some(contract))
}
