//! Credentials of one's own applications, and their secrets. A secret stands in the answer to the request that made it,
//! and nowhere else, whoever made the credential.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use serde_json::{Value, json};

use super::super::reply::Reply;
use super::super::state::PortalState;
use super::own::{Own, key};
use super::query::Asked;
use super::{at, fields, reading};
use crate::domain::{Secret, Timestamp};
use crate::engine::catalog::CatalogError;
use crate::schema::{Body, Entity, Violations};

pub(super) fn routes(config: &mut ServiceConfig) {
    let one = "/applications/{application}/credentials/{credential}";
    let all = at("/applications/{application}/credentials", "GET, HEAD, POST");
    config.service(all.route(reading().to(list)).route(web::post().to(create)));
    config.service(at(one, "DELETE, GET, HEAD").route(reading().to(show)).route(web::delete().to(delete)));
    config.service(at(&format!("{one}/regenerate-secret"), "POST").route(web::post().to(regenerate)));
    let secrets = at(&format!("{one}/secrets"), "GET, HEAD, POST");
    config.service(secrets.route(reading().to(list_secrets)).route(web::post().to(add_secret)));
    config.service(at(&format!("{one}/secrets/{{secret}}"), "DELETE").route(web::delete().to(delete_secret)));
}

/// A credential as its developer sees it; `secret` where it was just made. A public client has none.
pub(super) fn told(mut credential: Entity, secret: Option<&Secret>) -> Entity {
    credential.remove("client_secret");
    if credential.get("client_type").and_then(Value::as_str) == Some("public") {
        credential.insert("secrets".to_owned(), json!([]));
    } else if let Some(secret) = secret {
        credential.insert("client_secret".to_owned(), secret.reveal().into());
    }
    credential
}

async fn list(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let mut asked = Asked::read(&request, &["client_id"]);
    // They are in the order of their making, and in no other.
    asked.request.sort_by = None;
    let listing = state.registration.credentials(&own.application, &asked.request).await?;
    let data = listing.data.into_iter().map(|credential| Value::Object(told(credential, None))).collect();
    Ok(asked.page(data, listing.offset, listing.total))
}

async fn create(own: Own, request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    let issued = state.registration.create_own_credential(&own.application, body).await?;
    Ok(Reply::json(201, Value::Object(told(issued.credential, issued.secret.as_ref()))))
}

async fn show(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let key = key(&request, "credential")?;
    let credential = state.registration.credential(&own.application, &key).await?;
    Ok(Reply::json(200, Value::Object(told(credential, None))))
}

async fn delete(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let key = key(&request, "credential")?;
    state.registration.delete_credential(&own.application, &key).await?;
    Ok(Reply::empty(204))
}

/// A new secret in the place of those there are, which live on for `overlap_seconds`.
async fn regenerate(
    own: Own,
    request: HttpRequest,
    payload: Payload,
    state: Data<PortalState>,
) -> Result<Reply, Reply> {
    let key = key(&request, "credential")?;
    let overlap = overlap(&fields(&request, payload).await?)?;
    let registration = &state.registration;
    let made = registration.regenerate_secret(&own.application, &key, overlap).await?;
    let credential = registration.credential(&own.application, &key).await?;
    Ok(Reply::json(200, Value::Object(told(credential, Some(&made.secret)))))
}

/// Seconds, from a body that says nothing else; 0 where it says nothing.
fn overlap(body: &Body) -> Result<i64, Reply> {
    let mut violations = Violations::new();
    for field in body.fields.keys().filter(|field| *field != "overlap_seconds") {
        violations.add(field, "unknown field");
    }
    let seconds = match body.fields.get("overlap_seconds") {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(text)) if body.form => text.parse().ok(),
        Some(given) => given.as_i64(),
    };
    if seconds.is_none() {
        violations.add("overlap_seconds", "expected an integer");
    }
    match seconds {
        Some(seconds) if violations.is_empty() => Ok(seconds),
        _ => Err(CatalogError::Violations(violations).into()),
    }
}

async fn list_secrets(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let key = key(&request, "credential")?;
    let credential = state.registration.credential(&own.application, &key).await?;
    let secrets = told(credential, None).remove("secrets").unwrap_or_else(|| json!([]));
    let total = secrets.as_array().map_or(0, Vec::len);
    Ok(Reply::json(200, json!({ "data": secrets, "next": null, "total": total })))
}

async fn add_secret(
    own: Own,
    request: HttpRequest,
    payload: Payload,
    state: Data<PortalState>,
) -> Result<Reply, Reply> {
    let key = key(&request, "credential")?;
    let body = fields(&request, payload).await?;
    let made = state.registration.add_secret(&own.application, &key, body).await?;
    let told = json!({
        "id": made.id.to_string(),
        "client_secret": made.secret.reveal(),
        "created_at": made.created_at.seconds(),
        "expires_at": made.expires_at.map(Timestamp::seconds),
    });
    Ok(Reply::json(201, told))
}

async fn delete_secret(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let (credential, secret) = (key(&request, "credential")?, key(&request, "secret")?);
    state.registration.delete_secret(&own.application, &credential, &secret).await?;
    Ok(Reply::empty(204))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(value: Value) -> Entity {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_a_new_secret_is_told() {
        let stored = entity(json!({ "client_secret": "hunter2", "client_type": "confidential", "secrets": [1] }));
        assert!(!told(stored.clone(), None).contains_key("client_secret"));
        assert_eq!(told(stored, Some(&Secret::new("new")))["client_secret"], "new");
        let public = entity(json!({ "client_secret": "hunter2", "client_type": "public", "secrets": [1] }));
        assert_eq!(json!(told(public, Some(&Secret::new("x")))), json!({ "client_type": "public", "secrets": [] }));
    }

    #[test]
    fn an_overlap_is_a_whole_number_of_seconds() {
        let json = |value: Value| overlap(&Body::json(entity(value)));
        assert_eq!((json(json!({})).unwrap(), json(json!({ "overlap_seconds": 60 })).unwrap()), (0, 60));
        let form = |text: &str| overlap(&Body { fields: entity(json!({ "overlap_seconds": text })), form: true });
        assert_eq!(form("60").unwrap(), 60);
        for bad in [json!("60"), json!(1.5), json!([1]), json!(true)] {
            assert_eq!(json(json!({ "overlap_seconds": bad })).unwrap_err().status, 400);
        }
        assert_eq!((form("x").unwrap_err().status, json(json!({ "wat": 1 })).unwrap_err().status), (400, 400));
    }
}
