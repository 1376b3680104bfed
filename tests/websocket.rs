//! The set-up that Kong documents for WebSocket behind oauth2: a route for the WebSocket and one for tokens, with
//! `methods=POST`, the plugin on each with `global_credentials=true`. A client that people use speaks through it.

mod programs;
mod support;

use std::process::Stdio;

use programs::{Program, made, python};
use serde_json::json;
use support::{Folder, Start, client};

#[tokio::test]
async fn the_documented_set_up_works_as_written() {
    let (folder, service) = (Folder::new(), Program::start("websocket/server.py"));
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    made(&gateway, "/services", json!({ "name": "chat", "url": format!("http://127.0.0.1:{}", service.port) })).await;
    let tokens = json!({ "name": "tokens", "paths": ["/chat"], "methods": ["POST"] });
    made(
        &gateway,
        "/services/chat/routes",
        json!({ "name": "socket", "paths": ["/chat"], "protocols": ["ws", "wss"] }),
    )
    .await;
    made(&gateway, "/services/chat/routes", tokens).await;
    let config = json!({ "enable_client_credentials": true, "global_credentials": true });
    for (route, protocols) in [("socket", json!(["ws", "wss"])), ("tokens", json!(["http", "https"]))] {
        let plugin = json!({ "name": "oauth2", "protocols": protocols, "config": config });
        made(&gateway, &format!("/routes/{route}/plugins"), plugin).await;
    }
    made(&gateway, "/consumers", json!({ "username": "shop" })).await;
    let credential =
        json!({ "name": "app", "client_id": "app", "client_secret": "secret", "redirect_uris": ["app://x"] });
    made(&gateway, "/consumers/shop/oauth2", credential).await;
    let certificate = folder.join("data/tls/cert.pem");
    let form = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "secret")];
    let url = gateway.url("proxy_tls", "/chat/oauth2/token");
    let asked = support::trusting(&certificate).post(url).form(&form).send().await.unwrap();
    let answer: serde_json::Value = asked.json().await.unwrap();
    let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    for over_tls in [false, true] {
        let port = gateway.addresses[if over_tls { "proxy_tls" } else { "proxy" }].port();
        let mut calls = python();
        let scheme = if over_tls { "wss" } else { "ws" };
        calls.arg("websocket/client.py").arg(format!("{scheme}://localhost:{port}/chat")).arg(token);
        if over_tls {
            calls.arg(&certificate);
        }
        let done = calls.stderr(Stdio::piped()).output().unwrap();
        assert!(done.status.success(), "over TLS: {over_tls}\n{}", String::from_utf8_lossy(&done.stderr));
    }
    // What is no WebSocket finds no route there but the one for tokens.
    let plain = client().get(gateway.url("proxy", "/chat")).send().await.unwrap();
    assert_eq!(plain.status(), 426, "ask by WebSocket, or over TLS");
}
