//! The seeds' flow: what is made at one gateway is in force at the other, and what is revoked is so at both.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::json;

use crate::compose::file;
use crate::echo::field;
use crate::fleet::{CALLER, Fleet, caller, token};
use crate::fronts::{haproxy, nginx};
use crate::programs::{Program, made, python};
use crate::tools::said;

async fn call(client: &reqwest::Client, url: &str, token: &str) -> (u16, String) {
    let answer = client.get(url).bearer_auth(token).header("X-Forwarded-For", "6.6.6.6").send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_are_one() {
    let fleet = Fleet::start().await;
    fleet.protected().await;
    let (client, tls) = (caller(&fleet.certificate()), |number: usize| fleet.gateways[number].addresses["proxy_tls"]);
    let url = |number: usize| format!("https://127.0.0.1:{}/echo/orders", tls(number).port());
    let token = token(&client, tls(1)).await;
    for gateway in [0, 1] {
        let (status, head) = call(&client, &url(gateway), &token).await;
        assert_eq!(status, 200, "{head}");
        assert_eq!(field(&head, "X-Consumer-Username"), Some("shop"));
    }
    fleet.run("rotate");
    for gateway in [0, 1] {
        assert_eq!(call(&client, &url(gateway), &token).await.0, 200, "gateway {gateway} knows the new key");
    }
    let listed = client.get(fleet.gateways[1].admin("/oauth2_tokens")).header("Kong-Admin-Token", &fleet.admin_token);
    let tokens: serde_json::Value = listed.send().await.unwrap().json().await.unwrap();
    let id = tokens["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{tokens}"));
    let revoked = client
        .delete(fleet.gateways[1].admin(&format!("/oauth2_tokens/{id}")))
        .header("Kong-Admin-Token", &fleet.admin_token);
    assert_eq!(revoked.send().await.unwrap().status(), 204);
    for gateway in [0, 1] {
        assert_eq!(call(&client, &url(gateway), &token).await.0, 401, "gateway {gateway}");
    }
}

/// The service hears who called and how, and not what the caller claims.
async fn is_told_who_calls(fleet: &Fleet, at: SocketAddr, hops: &str) {
    let client = caller(&fleet.certificate());
    let url = format!("https://127.0.0.1:{}/echo", at.port());
    let token = token(&client, at).await;
    let (status, head) = call(&client, &url, &token).await;
    assert_eq!(status, 200, "{head}");
    assert_eq!(field(&head, "X-Real-IP"), Some(CALLER.to_string().as_str()), "{head}");
    assert_eq!(field(&head, "X-Forwarded-For"), Some(hops), "{head}");
    assert_eq!(field(&head, "X-Forwarded-Proto"), Some("https"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_tells_who_calls_and_leaves_out_who_is_gone() {
    let mut fleet = Fleet::start().await;
    fleet.protected().await;
    let (_haproxy, https) = haproxy(&fleet);
    is_told_who_calls(&fleet, https, "127.0.0.7").await;
    leaves_out_who_is_gone(&mut fleet, https).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_tells_who_calls_and_leaves_out_who_is_gone() {
    let mut fleet = Fleet::start().await;
    fleet.protected().await;
    let (_nginx, https) = nginx(&fleet);
    is_told_who_calls(&fleet, https, "127.0.0.7, 127.0.0.1").await;
    leaves_out_who_is_gone(&mut fleet, https).await;
}

/// No call fails of those that are made after a gateway was stopped in good order.
async fn leaves_out_who_is_gone(fleet: &mut Fleet, at: SocketAddr) {
    let client = caller(&fleet.certificate());
    let token = token(&client, at).await;
    assert_eq!(fleet.gateways[0].stop(), Some(0));
    let url = format!("https://127.0.0.1:{}/echo", at.port());
    for _ in 0..20 {
        let (status, text) = call(&client, &url, &token).await;
        assert_eq!(status, 200, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_and_websocket_pass_through_haproxy() {
    let fleet = Fleet::start().await;
    let (_haproxy, https) = haproxy(&fleet);
    streams_pass(&fleet, https).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_and_websocket_pass_through_nginx() {
    let fleet = Fleet::start().await;
    let (_nginx, https) = nginx(&fleet);
    streams_pass(&fleet, https).await;
}

/// The clients that people use, as they speak with one gateway in `tests/grpc.rs` and `tests/websocket.rs`.
async fn streams_pass(fleet: &Fleet, at: SocketAddr) {
    let (calls, socket) = (Program::start("grpc/server.py"), Program::start("websocket/server.py"));
    let config = json!({ "enable_client_credentials": true, "global_credentials": true });
    let grpc = json!({ "name": "grpc", "url": format!("grpc://127.0.0.1:{}", calls.port) });
    let chat = json!({ "name": "chat", "url": format!("http://127.0.0.1:{}", socket.port) });
    let grpc_route = json!({ "paths": ["/test.Service"], "protocols": ["grpc", "grpcs"], "strip_path": false });
    let chat_route = json!({ "paths": ["/chat"], "protocols": ["ws", "wss"] });
    for (service, route, protocols) in [(grpc, grpc_route, ["grpc", "grpcs"]), (chat, chat_route, ["ws", "wss"])] {
        let name = service["name"].as_str().unwrap().to_owned();
        fleet.made(0, "/services", service).await;
        fleet.made(0, &format!("/services/{name}/routes"), route).await;
        let plugin = json!({ "name": "oauth2", "protocols": protocols, "config": config });
        fleet.made(0, &format!("/services/{name}/plugins"), plugin).await;
    }
    made(&fleet.gateways[1], "/consumers", json!({ "username": "shop" })).await;
    let credential = json!({ "name": "app", "redirect_uris": ["app://x"] });
    let credential = fleet.made(0, "/consumers/shop/oauth2", credential).await;
    let token = json!({ "credential": { "id": credential["id"] }, "expires_in": 3600, "token_type": "bearer" });
    let token = fleet.made(1, "/oauth2_tokens", token).await;
    let token = token["access_token"].as_str().unwrap();
    for (client, url) in [
        ("grpc/client.py", format!("localhost:{}", at.port())),
        ("websocket/client.py", format!("wss://localhost:{}/chat", at.port())),
    ] {
        let mut calls = python();
        calls.arg(client).arg(url).arg(token).arg(fleet.certificate());
        said(&mut calls);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_calls_that_work() {
    let fleet = Fleet::start().await;
    let (_haproxy, https) = haproxy(&fleet);
    let page = std::fs::read_to_string(file("../docs/deploy.md")).unwrap();
    let block = page.split("```").find(|block| block.contains("admin()")).unwrap();
    let mut script = block.split_once('\n').unwrap().1.to_owned();
    for (there, here) in [
        ("127.0.0.1:8001", fleet.gateways[0].addresses["admin"].to_string()),
        ("127.0.0.1:8443", https.to_string()),
        ("http://echo:8080", format!("http://{}", fleet.echo.address)),
    ] {
        assert!(script.contains(there), "{there}");
        script = script.replace(there, &here);
    }
    let mut bash = Command::new("bash");
    let answer = said(bash.args(["-euo", "pipefail", "-c", &script]).env("ADMIN_TOKEN", &fleet.admin_token));
    assert!(answer.contains("X-Consumer-Username: shop"), "{answer}");
}
