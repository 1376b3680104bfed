//! Real OAuth clients get a token and call a service.

mod support;

use std::process::Command;

use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, Scope, TokenResponse, TokenUrl};
use serde_json::{Value, json};
use support::{Folder, Gateway, Start, client};

/// Characters that a client must encode, so that both readings of RFC 6749 section 2.3.1 are met.
const SECRET: &str = "p+ss w%rd:ü";

async fn protected(folder: &Folder) -> Gateway {
    let gateway = Start::dev(folder.path()).ready();
    let http = client();
    let upstream = gateway.url("status", "/status");
    let config = json!({ "enable_client_credentials": true, "scopes": ["read", "write"] });
    for (path, body) in [
        ("/services", json!({ "name": "orders", "url": upstream })),
        ("/services/orders/routes", json!({ "paths": ["/orders"] })),
        ("/services/orders/plugins", json!({ "name": "oauth2", "config": config })),
        ("/consumers", json!({ "username": "shop" })),
        (
            "/consumers/shop/oauth2",
            json!({ "name": "shop", "client_id": "shop app", "client_secret": SECRET,
            "redirect_uris": ["http://localhost/"] }),
        ),
        (
            "/consumers/shop/oauth2",
            json!({ "name": "plain", "client_id": "plain", "client_secret": "plain-secret",
            "redirect_uris": ["http://localhost/"], "hash_secret": true }),
        ),
    ] {
        let made = http.post(gateway.admin(path)).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201, "{path}: {}", made.text().await.unwrap());
    }
    gateway
}

async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = client()
        .request(request.method().clone(), request.uri().to_string())
        .headers(request.headers().clone())
        .body(request.body().clone())
        .send()
        .await?;
    let mut response = oauth2::http::Response::builder().status(answer.status());
    *response.headers_mut().unwrap() = answer.headers().clone();
    Ok(response.body(answer.bytes().await?.to_vec()).unwrap())
}

#[tokio::test]
async fn the_oauth2_crate_gets_a_token_and_calls() {
    let folder = Folder::new();
    let gateway = protected(&folder).await;
    for (id, secret) in [("shop app", SECRET), ("plain", "plain-secret")] {
        for auth in [AuthType::BasicAuth, AuthType::RequestBody] {
            let oauth = BasicClient::new(ClientId::new(id.into()))
                .set_client_secret(ClientSecret::new(secret.into()))
                .set_auth_type(auth.clone())
                .set_token_uri(TokenUrl::new(gateway.url("proxy_tls", "/orders/oauth2/token")).unwrap());
            let token =
                oauth.exchange_client_credentials().add_scope(Scope::new("read".into())).request_async(&send).await;
            let token = token.unwrap_or_else(|error| panic!("{id} {auth:?}: {error:?}"));
            let url = gateway.url("proxy_tls", "/orders");
            let answer = client().get(url).bearer_auth(token.access_token().secret()).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{id} {auth:?}");
        }
    }
}

#[tokio::test]
async fn authlib_gets_a_token_and_calls() {
    let folder = Folder::new();
    let gateway = protected(&folder).await;
    let python = std::env::var("TOLLGATE_TEST_PYTHON")
        .expect("set TOLLGATE_TEST_PYTHON to a Python with authlib and requests; tests/run does");
    for (id, secret) in [("shop app", SECRET), ("plain", "plain-secret")] {
        for method in ["client_secret_basic", "client_secret_post"] {
            let output = Command::new(&python)
                .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/authlib_client.py"))
                .args([&gateway.url("proxy_tls", "/orders"), id, secret, method])
                .arg(folder.join("data/tls/cert.pem"))
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{id} {method}: {errors}");
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((&told["status"], &told["expires_in"]), (&json!(200), &json!(7200)), "{method}");
        }
    }
}
