//! `/developers` and one of them.

use serde_json::{Value, json};

use crate::admin::entities::{Ask, found, page};
use crate::admin::query::Asked;
use crate::admin::reply::Reply;
use crate::admin::state::AdminState;
use crate::engine::catalog::CatalogError;
use crate::schema::Verb;

pub(super) async fn many(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    if ask.verb == Verb::Post {
        return found(Some(state.registration.create_developer(ask.body).await?));
    }
    match Asked::read(ask.query, state.catalog.registry.entity("developers")) {
        Ok(asked) => {
            let listing = state.registration.developers(&asked.request).await?;
            Ok(Reply::json(200, page(listing, &asked, ask.path)))
        }
        Err(refusal) => Ok(refusal),
    }
}

pub(super) async fn one(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let key = ask.own_key("developer");
    match ask.verb {
        Verb::Patch => {
            let developer = state.registration.patch_developer(&key, ask.body).await?;
            Ok(Reply::json(200, json!({ "developer": Value::Object(developer) })))
        }
        Verb::Delete => {
            state.registration.delete_developer(&key).await?;
            Ok(Reply::empty(204))
        }
        Verb::Get | Verb::Post | Verb::Put => found(Some(state.registration.developer(&key).await?)),
    }
}
