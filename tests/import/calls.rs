//! What is imported behaves as what was made by hand.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::house::{House, On, ask_token, call, file, upstream};
use crate::support::{Gateway, client};

async fn made(gateway: &Gateway, path: &str, body: Value) {
    let answer = client().post(gateway.admin(path)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{path}: {}", answer.text().await.unwrap());
}

/// What `nested-3.0.yaml` says, by the Admin API.
async fn by_hand(gateway: &Gateway, upstream: SocketAddr) {
    let url = format!("http://{upstream}");
    made(gateway, "/services", json!({"name": "orders", "url": format!("{url}/base"), "retries": 1})).await;
    made(gateway, "/services", json!({"name": "health", "url": url, "retries": 1})).await;
    made(gateway, "/services/orders/routes", json!({"name": "orders", "paths": ["/orders", "~/o/(?<id>\\d+)$"]})).await;
    made(gateway, "/services/orders/routes", json!({"name": "orders-keys", "paths": ["/keys"], "strip_path": false}))
        .await;
    let health = json!({"paths": ["/health"], "methods": ["GET"], "hosts": ["health.example"]});
    made(gateway, "/services/health/routes", health).await;
    let config = json!({"scopes": ["read", "write"], "enable_client_credentials": true, "mandatory_scope": true,
        "accept_http_if_already_terminated": true, "provision_key": "provision-of-orders"});
    made(gateway, "/services/orders/plugins", json!({"name": "oauth2", "config": config})).await;
    made(
        gateway,
        "/routes/orders-keys/plugins",
        json!({"name": "oauth2", "enabled": false, "config": {"enable_client_credentials": true}}),
    )
    .await;
    let config = json!({"key_names": ["apikey", "x-api-key"], "hide_credentials": true});
    made(gateway, "/routes/orders-keys/plugins", json!({"name": "key-auth", "config": config})).await;
    made(gateway, "/consumers", json!({"username": "kim", "custom_id": "4711"})).await;
    made(gateway, "/consumers", json!({"username": "lee"})).await;
    let web = json!({"name": "web", "client_id": "web", "client_secret": "secret-of-web",
        "redirect_uris": ["https://shop.example/callback"]});
    made(gateway, "/consumers/kim/oauth2", web).await;
    let batch = json!({"name": "batch", "client_id": "batch", "client_secret": "secret-of-batch", "hash_secret": true});
    made(gateway, "/consumers/kim/oauth2", batch).await;
    made(gateway, "/consumers/kim/key-auth", json!({"key": "key-of-kim"})).await;
    made(gateway, "/consumers/lee/key-auth", json!({"key": "key-of-lee"})).await;
}

/// Ids and tokens differ between two gateways; nothing else may.
fn leveled(mut answer: Value) -> Value {
    let is_own = |header: &Value| {
        let header = header.as_str().unwrap();
        ["x-consumer-id", "x-forwarded-", "x-real-ip"].iter().any(|own| header.starts_with(own))
    };
    if let Some(headers) = answer["headers"].as_array_mut() {
        headers.retain(|header| !is_own(header));
    }
    for field in ["access_token", "request_id", "expires_in"] {
        if let Some(value) = answer.get_mut(field) {
            *value = "…".into();
        }
    }
    answer
}

/// Every call of the table, with what came of it.
async fn journey(gateway: &Gateway) -> Vec<(String, u16, Value)> {
    let mut seen = Vec::new();
    let calls: &[(&str, &[(&str, &str)])] = &[
        ("/orders/1", &[]),
        ("/orders/1", &[("Authorization", "Bearer nothing")]),
        ("/keys/a?x=1", &[]),
        ("/keys/a", &[("apikey", "key-of-kim")]),
        ("/keys/a", &[("x-api-key", "key-of-lee")]),
        ("/keys/a?apikey=key-of-lee", &[]),
        ("/keys/a", &[("apikey", "nobody's")]),
        ("/o/12", &[]),
        ("/o/twelve", &[]),
        ("/health/x", &[("Host", "health.example")]),
        ("/health/x", &[]),
        ("/nowhere", &[]),
    ];
    for (path, headers) in calls {
        let (status, answer) = call(gateway, path, headers).await;
        seen.push((format!("{path} {headers:?}"), status, leveled(answer)));
    }
    let path = "/orders/oauth2/token";
    for (client, secret, scope) in [
        ("web", "secret-of-web", "read"),
        ("web", "wrong", "read"),
        ("web", "secret-of-web", "admin"),
        ("web", "secret-of-web", ""),
        ("batch", "secret-of-batch", "read write"),
        ("batch", "secret-of-web", "read"),
        ("nobody", "x", "read"),
    ] {
        let form =
            [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret), ("scope", scope)];
        let (status, answer) = ask_token(gateway, path, &form).await;
        let token = answer["access_token"].as_str().map(str::to_owned);
        seen.push((format!("token {client} {scope}"), status, leveled(answer)));
        if let Some(token) = token {
            for path in ["/orders/1", "/o/12", "/keys/a"] {
                let (status, answer) = call(gateway, path, &[("Authorization", &format!("Bearer {token}"))]).await;
                seen.push((format!("{path} by {client}"), status, leveled(answer)));
            }
        }
    }
    seen
}

async fn same_calls(on: On) {
    let (imported, made) = (House::new(On::Sqlite).await, House::new(on).await);
    let upstream = upstream().await;
    let (port, host) = (upstream.port().to_string(), upstream.ip().to_string());
    let mut command = imported.command(&["import", &file("nested-3.0.yaml")]);
    command.env("DECK_UPSTREAM", format!("http://{upstream}")).env("DECK_UPSTREAM_HOST", host);
    let said = crate::house::Said::of(command.env("DECK_UPSTREAM_PORT", port).output().unwrap());
    assert_eq!(said.summary(), "14 created, 0 changed, 0 unchanged", "{said:?}");
    let (theirs, ours) = (imported.gateway(&[]).await, made.gateway(&[]).await);
    by_hand(&ours, upstream).await;
    let (imported_calls, made_calls) = (journey(&theirs).await, journey(&ours).await);
    for (imported, made) in imported_calls.iter().zip(&made_calls) {
        assert_eq!(imported, made);
    }
    let statuses: Vec<u16> = made_calls.iter().map(|(_, status, _)| *status).collect();
    assert!(
        [200, 400, 401, 404].iter().all(|status| statuses.contains(status)),
        "the table says little: {made_calls:?}"
    );
    assert_eq!(imported_calls.len(), made_calls.len());
    drop((theirs, ours));
    made.clear().await;
}

#[tokio::test]
async fn what_is_imported_answers_as_what_was_made_by_hand_on_sqlite() {
    same_calls(On::Sqlite).await;
}

#[tokio::test]
async fn what_is_imported_answers_as_what_was_made_by_hand_on_postgres() {
    same_calls(On::Postgres).await;
}
