//! grpcio, a client that people use, calls a service of grpcio through the gateway: plain and over TLS.
//!
//! What it calls and expects is in `tests/grpc/client.py`.

mod programs;
mod support;

use programs::{Program, made, python};
use serde_json::json;
use support::{Folder, Start};

#[tokio::test]
async fn grpcio_calls_a_protected_service() {
    let (folder, service) = (Folder::new(), Program::start("grpc/server.py"));
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    made(&gateway, "/services", json!({ "name": "s", "url": format!("grpc://127.0.0.1:{}", service.port) })).await;
    let route = json!({ "paths": ["/test.Service"], "protocols": ["grpc", "grpcs"], "strip_path": false });
    made(&gateway, "/services/s/routes", route).await;
    let plugin =
        json!({ "name": "oauth2", "config": { "enable_client_credentials": true, "global_credentials": true } });
    made(&gateway, "/services/s/plugins", plugin).await;
    made(&gateway, "/consumers", json!({ "username": "shop" })).await;
    let credential =
        made(&gateway, "/consumers/shop/oauth2", json!({ "name": "app", "redirect_uris": ["app://x"] })).await;
    let token = json!({ "credential": { "id": credential["id"] }, "expires_in": 3600, "token_type": "bearer" });
    let token = made(&gateway, "/oauth2_tokens", token).await;
    let token = token["access_token"].as_str().unwrap();
    let certificate = folder.join("data/tls/cert.pem");
    for over_tls in [false, true] {
        let port = gateway.addresses[if over_tls { "proxy_tls" } else { "proxy" }].port();
        let mut calls = python();
        calls.arg("grpc/client.py").arg(format!("localhost:{port}")).arg(token);
        if over_tls {
            calls.arg(&certificate);
        }
        let done = calls.output().unwrap();
        assert!(done.status.success(), "over TLS: {over_tls}\n{}", String::from_utf8_lossy(&done.stderr));
    }
}
