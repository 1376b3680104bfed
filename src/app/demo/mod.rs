//! The demo of `tollgate dev`: a service, a route, the oauth2 plugin, a consumer, an application, and an upstream that
//! shows what reached it; beside it a service that the developer portal offers, with its documentation.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Map, Value, json};

use super::error::Failure;
use crate::engine::catalog::{Catalog, CatalogError, Key};
use crate::schema::{Body, Entity};

const NAME: &str = "demo";
/// The service that the portal offers.
const OFFERED: &str = "demo-orders";
/// What the echo reads of a body; more is cut off.
const BODY_SHOWN: usize = 64 * 1024;

/// A running echo upstream.
pub(super) struct Echo {
    pub address: SocketAddr,
    pub handle: ServerHandle,
}

/// Starts the upstream on a free port of loopback.
pub(super) fn start_echo() -> Result<Echo, Failure> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Failure::failed)?;
    let address = socket.local_addr().map_err(Failure::failed)?;
    let server =
        HttpServer::new(|| App::new().app_data(web::PayloadConfig::new(BODY_SHOWN)).default_service(web::to(echo)));
    let server = server.workers(1).disable_signals().listen(socket).map_err(Failure::failed)?.run();
    let handle = server.handle();
    actix_rt::spawn(server);
    Ok(Echo { address, handle })
}

/// Answers with the request as it arrived: method, path, header fields, body.
async fn echo(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        headers.insert(name.to_string(), String::from_utf8_lossy(value.as_bytes()).into());
    }
    HttpResponse::Ok().json(json!({
        "method": request.method().as_str(),
        "path": request.uri().to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

/// Makes the demo on the first start, and points its service at today's upstream on every one. `None`: someone deleted
/// a part of it, so there is nothing to show.
pub(super) async fn ensure(catalog: &Catalog, first_start: bool, echo: SocketAddr) -> Result<Option<Entity>, Failure> {
    if first_start {
        create(catalog, echo).await.map_err(|error| Failure::Failed(format!("cannot make the demo: {error}")))?;
    }
    point_at(catalog, OFFERED, echo).await?;
    let service = point_at(catalog, NAME, echo).await?;
    let application = find(catalog, "oauth2_credentials", NAME).await?;
    Ok(service.and(application))
}

/// A service of the demo, pointed at today's upstream.
async fn point_at(catalog: &Catalog, name: &str, echo: SocketAddr) -> Result<Option<Entity>, Failure> {
    let service = find(catalog, "services", name).await?;
    if let Some(service) = &service
        && service["host"] == "127.0.0.1"
        && service["port"] != echo.port()
    {
        let schema = catalog.schema("services").map_err(Failure::failed)?;
        let body = body(json!({ "port": echo.port() }));
        catalog.patch(schema, &Key::parse(name), body, None).await.map_err(Failure::failed)?;
    }
    Ok(service)
}

async fn find(catalog: &Catalog, entity: &str, name: &str) -> Result<Option<Entity>, Failure> {
    let schema = catalog.schema(entity).map_err(Failure::failed)?;
    catalog.find(schema, &Key::parse(name), None).await.map_err(Failure::failed)
}

async fn create(catalog: &Catalog, echo: SocketAddr) -> Result<(), CatalogError> {
    // The code grant is for `examples/authorization-page`, which plays the login backend.
    let config = json!({ "scopes": ["email", "profile"], "enable_client_credentials": true,
        "enable_authorization_code": true });
    for (entity, fields) in [
        ("services", json!({ "name": NAME, "url": format!("http://{echo}"), "tags": [NAME] })),
        ("routes", json!({ "name": NAME, "paths": ["/demo"], "service": { "name": NAME }, "tags": [NAME] })),
        ("plugins", json!({ "name": "oauth2", "service": { "name": NAME }, "config": config, "tags": [NAME] })),
        ("consumers", json!({ "username": NAME, "tags": [NAME] })),
        (
            "oauth2_credentials",
            json!({ "name": "Demo application", "client_id": NAME, "consumer": { "username": NAME },
                    "redirect_uris": ["http://localhost/"], "tags": [NAME] }),
        ),
    ] {
        catalog.create(catalog.schema(entity)?, body(fields), None).await?;
    }
    offer(catalog, echo).await
}

/// A service that developers find in the portal, where an administrator decides who may call it.
async fn offer(catalog: &Catalog, echo: SocketAddr) -> Result<(), CatalogError> {
    let on = json!({ "name": OFFERED });
    let grants = json!({ "scopes": ["orders:read", "orders:write"], "enable_client_credentials": true });
    let offer = json!({ "display_name": "Demo orders", "description":
        "What was bought, by whom, and when. A made-up service, to try the portal with." });
    for (entity, fields) in [
        ("services", json!({ "name": OFFERED, "url": format!("http://{echo}"), "tags": [NAME] })),
        ("routes", json!({ "name": OFFERED, "paths": ["/demo-orders"], "service": on, "tags": [NAME] })),
        ("plugins", json!({ "name": "oauth2", "service": on, "config": grants, "tags": [NAME] })),
        ("plugins", json!({ "name": "application-registration", "service": on, "config": offer, "tags": [NAME] })),
        (
            "document_objects",
            json!({ "path": "specs/demo-orders.yaml", "contents": include_str!("orders.yaml"), "service": on }),
        ),
    ] {
        catalog.create(catalog.schema(entity)?, body(fields), None).await?;
    }
    Ok(())
}

fn body(fields: Value) -> Body {
    match fields {
        Value::Object(fields) => Body::json(fields),
        _ => Body::default(),
    }
}

/// The lines to paste: a token, and a call with it.
pub(super) fn lines(application: &Entity, proxy: SocketAddr, proxy_tls: SocketAddr) -> String {
    let text = |field: &str| application.get(field).and_then(Value::as_str).unwrap_or_default();
    format!(
        "Get a token and call the demo with it:\n\n\
         TOKEN=$(curl -sk https://{proxy_tls}/demo/oauth2/token -d grant_type=client_credentials \
         -d client_id={} -d client_secret={} | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -s http://{proxy}/demo/hello -H \"Authorization: Bearer $TOKEN\"\n",
        text("client_id"),
        text("client_secret"),
    )
}
