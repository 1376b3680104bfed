//! Registering, verifying, passwords, and the developer's own account.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use serde_json::{Value, json};

use super::super::reply::Reply;
use super::super::session::Member;
use super::super::state::PortalState;
use super::super::{body, client};
use super::{at, fields, reading};
use crate::engine::accounts::{META_FIELDS, Mailed};
use crate::schema::Entity;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(at("/register", "POST").route(web::post().to(register)));
    config.service(at("/verify-account", "POST").route(web::post().to(verify)));
    config.service(at("/invalidate-account-verification", "POST").route(web::post().to(invalidate)));
    config.service(at("/resend-account-verification", "POST").route(web::post().to(resend)));
    config.service(at("/forgot-password", "POST").route(web::post().to(forgot)));
    config.service(at("/validate-reset", "POST").route(web::post().to(validate_reset)));
    config.service(at("/reset-password", "POST").route(web::post().to(reset)));
    config.service(at("/developer", "DELETE, GET, HEAD").route(reading().to(show)).route(web::delete().to(delete)));
    config.service(at("/developer/meta_fields", "GET, HEAD").route(reading().to(meta_fields)));
    config.service(at("/developer/password", "PATCH").route(web::patch().to(change_password)));
    config.service(at("/developer/email", "PATCH").route(web::patch().to(change_email)));
    config.service(
        at("/developer/meta", "PATCH, PUT").route(web::patch().to(change_meta)).route(web::put().to(change_meta)),
    );
    config.service(at("/config", "GET, HEAD").route(reading().to(configuration)));
}

async fn register(request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    let client = client::address(&request, &state.face.trusted);
    let registered = state.accounts.register(body, client).await?;
    let email = match registered.mailed {
        Mailed::Nothing => json!({ "sent": false, "error": null }),
        Mailed::Kept => json!({ "sent": true, "error": null }),
        Mailed::Failed => json!({ "sent": false, "error": "the mail could not be sent, ask for it again" }),
    };
    Ok(Reply::json(200, json!({ "email": email, "developer": registered.developer })))
}

async fn verify(request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let token = body::needed_secret(&fields(&request, payload).await?, "token")?;
    let status = state.accounts.verify(&token).await?;
    Ok(Reply::json(200, json!({ "status": status.code() })))
}

async fn invalidate(request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let token = body::needed_secret(&fields(&request, payload).await?, "token")?;
    state.accounts.invalidate_verification(&token).await?;
    Ok(Reply::empty(204))
}

/// The same answer whether there is such an account or not.
async fn resend(request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let email = body::needed(&fields(&request, payload).await?, "email")?;
    state.accounts.resend_verification(&email, client::address(&request, &state.face.trusted)).await?;
    Ok(Reply::empty(204))
}

/// The same answer whether there is such an account or not.
async fn forgot(request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let email = body::needed(&fields(&request, payload).await?, "email")?;
    state.accounts.forgot_password(&email, client::address(&request, &state.face.trusted)).await?;
    Ok(Reply::empty(200))
}

async fn validate_reset(request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let token = body::needed_secret(&fields(&request, payload).await?, "token")?;
    state.accounts.validate_reset(&token).await?;
    Ok(Reply::empty(200))
}

async fn reset(request: HttpRequest, payload: Payload, state: Data<PortalState>) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    let token = body::needed_secret(&body, "token")?;
    let password = body::needed_secret(&body, "password")?;
    state.accounts.reset_password(&token, &password).await?;
    Ok(Reply::empty(200))
}

async fn show(member: Member) -> Reply {
    developer(member.0.developer.shown)
}

fn developer(shown: Entity) -> Reply {
    Reply::json(200, Value::Object(shown))
}

async fn delete(member: Member, state: Data<PortalState>) -> Result<Reply, Reply> {
    state.accounts.delete_account(&member.0.developer).await?;
    Ok(Reply::empty(204).header("Set-Cookie", state.cookie().clear()))
}

/// What the registration form asks for; everybody may know.
async fn meta_fields() -> Reply {
    let shown = META_FIELDS.iter().map(|field| {
        let validator = json!({ "type": "string", "required": field.required });
        json!({ "title": field.title, "label": field.label, "is_email": field.is_email, "validator": validator })
    });
    Reply::json(200, shown.collect())
}

async fn change_password(
    member: Member,
    request: HttpRequest,
    payload: Payload,
    state: Data<PortalState>,
) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    let old = body::needed_secret(&body, "old_password")?;
    let new = body::needed_secret(&body, "password")?;
    let client = client::address(&request, &state.face.trusted);
    state.accounts.change_password(&member.0, old, &new, client).await?;
    Ok(Reply::empty(204))
}

async fn change_email(
    member: Member,
    request: HttpRequest,
    payload: Payload,
    state: Data<PortalState>,
) -> Result<Reply, Reply> {
    let email = body::needed(&fields(&request, payload).await?, "email")?;
    let client = client::address(&request, &state.face.trusted);
    Ok(developer(state.accounts.change_email(&member.0.developer, email.into(), client).await?))
}

async fn change_meta(
    member: Member,
    request: HttpRequest,
    payload: Payload,
    state: Data<PortalState>,
) -> Result<Reply, Reply> {
    let body = fields(&request, payload).await?;
    Ok(developer(state.accounts.change_meta(&member.0.developer, body.fields.get("meta")).await?))
}

/// Which plugins are in use, and who keeps the credentials; everybody may know.
async fn configuration(state: Data<PortalState>) -> Result<Reply, Reply> {
    let enabled = state.accounts.plugins_in_use().await?;
    let plugins = json!({ "enabled_in_cluster": enabled });
    Ok(Reply::json(200, json!({ "plugins": plugins, "portal_app_auth": state.face.app_auth })))
}
