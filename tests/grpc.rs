//! grpcio, a client that people use, calls a service of grpcio through the gateway: plain and over TLS.
//!
//! What it calls and expects is in `tests/grpc/client.py`.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::{Folder, Gateway, Start, client};

fn python() -> Command {
    let python = std::env::var("TOLLGATE_TEST_PYTHON")
        .expect("set TOLLGATE_TEST_PYTHON to a Python with grpcio; tests/run does");
    let mut command = Command::new(python);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/grpc"));
    command
}

/// The service, ended with the test.
struct Service {
    process: Child,
    port: u16,
}

impl Service {
    fn start() -> Self {
        let mut process = python().arg("server.py").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn make(gateway: &Gateway, path: &str, body: Value) -> Value {
    let made = client().post(gateway.admin(path)).json(&body).send().await.unwrap();
    let (status, text) = (made.status(), made.text().await.unwrap());
    assert_eq!(status, 201, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn grpcio_calls_a_protected_service() {
    let (folder, service) = (Folder::new(), Service::start());
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    make(&gateway, "/services", json!({ "name": "s", "url": format!("grpc://127.0.0.1:{}", service.port) })).await;
    let route = json!({ "paths": ["/test.Service"], "protocols": ["grpc", "grpcs"], "strip_path": false });
    make(&gateway, "/services/s/routes", route).await;
    let plugin =
        json!({ "name": "oauth2", "config": { "enable_client_credentials": true, "global_credentials": true } });
    make(&gateway, "/services/s/plugins", plugin).await;
    make(&gateway, "/consumers", json!({ "username": "shop" })).await;
    let credential =
        make(&gateway, "/consumers/shop/oauth2", json!({ "name": "app", "redirect_uris": ["app://x"] })).await;
    let token = json!({ "credential": { "id": credential["id"] }, "expires_in": 3600, "token_type": "bearer" });
    let token = make(&gateway, "/oauth2_tokens", token).await;
    let token = token["access_token"].as_str().unwrap();
    let certificate = folder.join("data/tls/cert.pem");
    for over_tls in [false, true] {
        let port = gateway.addresses[if over_tls { "proxy_tls" } else { "proxy" }].port();
        let mut calls = python();
        calls.arg("client.py").arg(format!("localhost:{port}")).arg(token);
        if over_tls {
            calls.arg(&certificate);
        }
        let done = calls.output().unwrap();
        assert!(done.status.success(), "over TLS: {over_tls}\n{}", String::from_utf8_lossy(&done.stderr));
    }
}
