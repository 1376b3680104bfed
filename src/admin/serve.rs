//! One request, from the first check to the audit log.

use std::time::Instant;

use actix_web::rt::time::timeout;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::entities::Ask;
use super::reply::Reply;
use super::routing::{Found, allow, verb};
use super::state::{AdminIdentity, AdminState, AuditEntry};
use super::{access, audit, body, entities, information, registration};
use crate::schema::{Body, Shape, Verb};

/// Makes an App the Admin API: every path goes to one handler.
pub fn configure(config: &mut ServiceConfig, state: Data<AdminState>) {
    config.app_data(state).default_service(web::to(serve));
}

async fn serve(request: HttpRequest, payload: Payload, state: Data<AdminState>) -> HttpResponse {
    let request_id = state.surroundings.request_id();
    let reply = answer(&request, payload, &state, &request_id).await;
    reply.unwrap_or_else(|refusal| refusal).into_http(state.version, &request_id)
}

/// Either way it is the answer: `Err` is one that ends the request early.
async fn answer(request: &HttpRequest, payload: Payload, state: &Data<AdminState>, id: &str) -> Result<Reply, Reply> {
    access::refuse_foreign_pages(request, state.exposure)?;
    let identity = access::identify(request, state).await?;
    let found = state.paths.find(request.uri().path()).ok_or_else(Reply::not_found)?;
    let allowed = || allow(found.endpoint.verbs);
    if request.method() == "OPTIONS" {
        return Ok(Reply::empty(204).header("Allow", allowed()));
    }
    let verb = verb(request.method().as_str()).filter(|verb| found.endpoint.verbs.contains(verb));
    let verb = verb.ok_or_else(|| Reply::message(405, "Method not allowed").header("Allow", allowed()))?;
    let stores = verb != Verb::Get && !information::only_judges(&found.endpoint.path, verb);
    access::permit(&identity, verb, stores)?;
    let body = body_of(request, payload, state, verb).await;
    if !stores {
        return Ok(act(request, state, &found, verb, body).await);
    }
    let task = store(request.clone(), state.clone(), verb, body, identity, id.to_owned());
    // A task of its own, so that a client that goes away does not leave behind a change that is stored and not in force.
    let done = actix_web::rt::spawn(task).await;
    Ok(done.unwrap_or_else(|_| Reply::message(500, "An unexpected error occurred")))
}

/// A write, from its body to the audit log.
async fn store(
    request: HttpRequest,
    state: Data<AdminState>,
    verb: Verb,
    body: Result<Body, Reply>,
    identity: AdminIdentity,
    id: String,
) -> Reply {
    let began = Instant::now();
    let Some(found) = state.paths.find(request.uri().path()) else { return Reply::not_found() };
    let reply = act(&request, &state, &found, verb, body).await;
    // Of what the change was given; the record is on its way, also when its end is not waited for.
    let left = state.catalog.patience().saturating_sub(began.elapsed());
    let record = state.surroundings.record(entry(&request, &state, &found, identity, &id, reply.status));
    let _ = timeout(left, record).await;
    reply
}

async fn act(
    request: &HttpRequest,
    state: &AdminState,
    found: &Found<'_>,
    verb: Verb,
    body: Result<Body, Reply>,
) -> Reply {
    match body {
        Ok(body) => dispatch(request, state, found, verb, body).await,
        Err(refusal) => refusal,
    }
}

async fn body_of(request: &HttpRequest, payload: Payload, state: &AdminState, verb: Verb) -> Result<Body, Reply> {
    match verb {
        Verb::Get | Verb::Delete => Ok(Body::default()),
        Verb::Post | Verb::Put | Verb::Patch => body::read(request, payload, state.body_limit).await,
    }
}

async fn dispatch(request: &HttpRequest, state: &AdminState, found: &Found<'_>, verb: Verb, body: Body) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let path = request.uri().path();
    let ask = Ask { verb, found, path, query, body };
    match &found.endpoint.shape {
        Shape::Registration(resource) => registration::answer(state, *resource, ask).await,
        Shape::Info { .. } => information::answer(state, &found.endpoint.path, ask).await,
        shape => entities::answer(state, shape, ask).await,
    }
}

fn entry(
    request: &HttpRequest,
    state: &AdminState,
    found: &Found<'_>,
    identity: AdminIdentity,
    id: &str,
    status: u16,
) -> AuditEntry {
    AuditEntry {
        request_id: id.to_owned(),
        actor: identity.name,
        source: request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default(),
        method: request.method().to_string(),
        path: audit::masked(&state.catalog.registry, found, request.uri().path()),
        status,
    }
}
