//! Credentials of applications, and their secrets.

use serde_json::{Value, json};

use super::application;
use crate::admin::entities::{Ask, found, page};
use crate::admin::query::Asked;
use crate::admin::reply::Reply;
use crate::admin::state::AdminState;
use crate::domain::Timestamp;
use crate::engine::catalog::CatalogError;
use crate::engine::registration::Keeping;
use crate::schema::Verb;

pub(super) async fn many(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let application = application(state, &ask).await?;
    if ask.verb == Verb::Post {
        let mut issued = state.registration.create_credential(&application, ask.body, Keeping::Sealed).await?;
        if let Some(secret) = issued.secret {
            issued.credential.insert("client_secret".to_owned(), secret.reveal().into());
        }
        return Ok(Reply::json(201, Value::Object(issued.credential)));
    }
    match Asked::read(ask.query, state.catalog.registry.entity("oauth2_credentials")) {
        Ok(asked) => {
            let listing = state.registration.credentials(&application, &asked.request).await?;
            Ok(Reply::json(200, page(listing, &asked, ask.path)))
        }
        Err(refusal) => Ok(refusal),
    }
}

pub(super) async fn one(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let application = application(state, &ask).await?;
    let key = ask.own_key("oauth2_credential");
    match ask.verb {
        Verb::Patch => found(Some(state.registration.patch_credential(&application, &key, ask.body).await?)),
        Verb::Delete => {
            state.registration.delete_credential(&application, &key).await?;
            Ok(Reply::empty(204))
        }
        Verb::Get | Verb::Post | Verb::Put => found(Some(state.registration.credential(&application, &key).await?)),
    }
}

pub(super) async fn secrets(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let application = application(state, &ask).await?;
    let key = ask.own_key("oauth2_credential");
    if ask.verb == Verb::Post {
        let made = state.registration.add_secret(&application, &key, ask.body).await?;
        let told = json!({
            "id": made.id.to_string(),
            "client_secret": made.secret.reveal(),
            "created_at": made.created_at.seconds(),
            "expires_at": made.expires_at.map(Timestamp::seconds),
        });
        return Ok(Reply::json(201, told));
    }
    let mut credential = state.registration.credential(&application, &key).await?;
    let secrets = credential.remove("secrets").unwrap_or_else(|| json!([]));
    let total = secrets.as_array().map_or(0, Vec::len);
    Ok(Reply::json(200, json!({ "data": secrets, "next": null, "total": total })))
}

pub(super) async fn secret(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let application = application(state, &ask).await?;
    let (key, secret) = (ask.own_key("oauth2_credential"), ask.own_key("secret"));
    state.registration.delete_secret(&application, &key, &secret).await?;
    Ok(Reply::empty(204))
}
