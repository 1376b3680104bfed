//! `key-auth` alone.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Reply, sent};

/// An API behind `key-auth` and a key of `alice`.
async fn protected(config: Value) -> (Api, Value) {
    let api = Api::start().await;
    api.plugin("key-auth", config).await;
    let key = api.made("/consumers/alice/key-auth", json!({})).await;
    (api, key)
}

fn text(key: &Value) -> &str {
    key["key"].as_str().unwrap()
}

#[tokio::test]
async fn a_key_in_header_or_query_tells_who_calls() {
    let (api, key) = protected(json!({})).await;
    assert_eq!((text(&key).len(), &key["ttl"], &key["tags"]), (32, &Value::Null, &Value::Null));
    for reply in [
        api.call_with("/api", "apikey", text(&key)).await,
        api.call_with("/api", "APIKEY", text(&key)).await,
        api.call(&format!("/api?a=1&apikey={}", text(&key))).await,
    ] {
        assert_eq!((reply.consumer(), reply.upstream("x-consumer-custom-id")), (Some("alice"), Some("a-1")));
        assert_eq!(reply.upstream("x-credential-identifier"), key["id"].as_str());
        assert_eq!(reply.upstream("x-anonymous-consumer"), None);
        let shown = reply.upstream("apikey").or(reply.body["path"].as_str()).unwrap();
        assert!(shown.contains(text(&key)), "a key is not hidden unless asked: {shown}");
    }
}

#[tokio::test]
async fn refusals_are_kongs() {
    let (api, key) = protected(json!({ "realm": "the \"api\"" })).await;
    let missing = api.call("/api").await;
    missing.is_refused("No API key found in request");
    assert_eq!(missing.challenge.as_deref(), Some("Key realm=\"the \\\"api\\\"\""));
    api.call("/api?apikey=").await.is_refused("No API key found in request");
    for wrong in ["no", "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy", &"x".repeat(9000)] {
        api.call_with("/api", "apikey", wrong).await.is_refused("Unauthorized");
    }
    let twice = api.request("/api").header("apikey", text(&key)).header("apikey", "no");
    sent(twice).await.is_refused("Duplicate API key found");
    api.call(&format!("/api?apikey={0}&apikey={0}", text(&key))).await.is_refused("Duplicate API key found");
    let body = api.http.post(api.gateway.url("proxy", "/api")).form(&[("apikey", text(&key))]);
    sent(body).await.is_refused("No API key found in request");
}

#[tokio::test]
async fn without_a_realm_the_challenge_is_one_word() {
    let (api, _) = protected(json!({})).await;
    assert_eq!(api.call("/api").await.challenge.as_deref(), Some("Key"));
}

#[tokio::test]
async fn a_grpc_call_is_refused_in_its_own_words() {
    let (api, _) = protected(json!({})).await;
    let route = json!({ "name": "rpc", "protocols": ["grpc", "grpcs"], "paths": ["/rpc"] });
    api.made("/services/api/routes", route).await;
    let reply = api.call_with("/rpc/Method", "content-type", "application/grpc").await;
    assert_eq!((reply.status, reply.grpc.as_deref()), (200, Some("16")), "{reply:?}");
}

#[tokio::test]
async fn a_key_is_looked_for_only_where_the_configuration_says() {
    let config = json!({ "key_names": ["x-key", "api_key"], "key_in_header": false, "key_in_body": true });
    let (api, key) = protected(config).await;
    api.call_with("/api", "x-key", text(&key)).await.is_refused("No API key found in request");
    assert_eq!(api.call(&format!("/api?api_key={}", text(&key))).await.consumer(), Some("alice"));
    let post = || api.http.post(api.gateway.url("proxy", "/api"));
    for request in [post().form(&[("x-key", text(&key))]), post().json(&json!({ "x-key": text(&key), "n": 1 }))] {
        let reply = sent(request).await;
        assert_eq!(reply.consumer(), Some("alice"));
        assert!(reply.body["body"].as_str().unwrap().contains(text(&key)), "the body is passed on: {reply:?}");
    }
}

#[tokio::test]
async fn a_hidden_key_does_not_reach_the_upstream() {
    let (api, key) =
        protected(json!({ "hide_credentials": true, "key_in_body": true, "key_names": ["api_key"] })).await;
    let is_hidden = |reply: &Reply| {
        assert_eq!(reply.consumer(), Some("alice"));
        assert!(!reply.body.to_string().contains(text(&key)), "{reply:?}");
    };
    is_hidden(&api.call_with("/api", "api_key", text(&key)).await);
    is_hidden(&api.call_with("/api", "Api-Key", text(&key)).await);
    let query = api.call(&format!("/api/x?a=%20b&api_key={}&c=d", text(&key))).await;
    is_hidden(&query);
    assert_eq!(query.body["path"], "/x?a=%20b&c=d");
    let post = || api.http.post(api.gateway.url("proxy", "/api"));
    let form = sent(post().form(&[("a", "b"), ("api_key", text(&key))])).await;
    is_hidden(&form);
    assert_eq!(form.body["body"], "a=b");
    let json = sent(post().json(&json!({ "api_key": text(&key), "n": 1.5 }))).await;
    is_hidden(&json);
    assert_eq!(json.body["body"], r#"{"n":1.5}"#);
}

#[tokio::test]
async fn a_preflight_passes_where_it_may() {
    let (api, _) = protected(json!({ "run_on_preflight": false })).await;
    let options = || api.http.request(Method::OPTIONS, api.gateway.url("proxy", "/api"));
    let reply = sent(options().header("x-consumer-username", "root").header("x-credential-identifier", "root")).await;
    assert_eq!((reply.consumer(), reply.upstream("x-credential-identifier")), (None, None));
    api.call("/api").await.is_refused("No API key found in request");
    let strict = Api::start().await;
    strict.plugin("key-auth", json!({})).await;
    let refused = sent(strict.http.request(Method::OPTIONS, strict.gateway.url("proxy", "/api"))).await;
    assert_eq!(refused.status, 401);
}

#[tokio::test]
async fn keys_brought_from_elsewhere_work_and_changes_take_effect_on_the_next_call() {
    let (api, minted) = protected(json!({})).await;
    let with = |key: &str| {
        let key = key.to_owned();
        async { api.call_with("/api", "apikey", &{ key }).await }
    };
    with("my own key").await.is_refused("Unauthorized");
    let own = api.made("/consumers/alice/key-auth", json!({ "key": "my own key", "tags": ["old"] })).await;
    assert_eq!(with("my own key").await.consumer(), Some("alice"));
    let patched = api.admin(Method::PATCH, &format!("/key-auths/{}", text(&own)), json!({ "key": "a new key" })).await;
    assert_eq!((patched.0, &patched.1["tags"]), (200, &json!(["old"])));
    with("my own key").await.is_refused("Unauthorized");
    assert_eq!(with("a new key").await.consumer(), Some("alice"));
    api.deleted("/key-auths/a%20new%20key").await;
    with("a new key").await.is_refused("Unauthorized");
    assert_eq!(api.admin(Method::PUT, "/consumers/guest/key-auth/put", json!({})).await.0, 200);
    assert_eq!(with("put").await.consumer(), Some("guest"));
    assert_eq!(with(text(&minted)).await.consumer(), Some("alice"));
    assert_eq!(api.admin(Method::PATCH, "/consumers/alice", json!({ "username": "alison" })).await.0, 200);
    assert_eq!(with(text(&minted)).await.consumer(), Some("alison"));
    api.deleted("/consumers/alison").await;
    with(text(&minted)).await.is_refused("Unauthorized");
    assert_eq!(api.admin(Method::GET, "/key-auths", Value::Null).await.1["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_ends_with_its_time() {
    let (api, _) = protected(json!({})).await;
    let key = api.made("/consumers/alice/key-auth", json!({ "ttl": 3 })).await;
    assert!(key["ttl"].as_i64().is_some_and(|left| (2..=3).contains(&left)), "{key}");
    assert_eq!(api.call_with("/api", "apikey", text(&key)).await.consumer(), Some("alice"));
    tokio::time::sleep(Duration::from_millis(3100)).await;
    api.call_with("/api", "apikey", text(&key)).await.is_refused("Unauthorized");
    assert_eq!(api.admin(Method::GET, &format!("/key-auths/{}", text(&key)), Value::Null).await.0, 404);
}

#[tokio::test]
async fn the_admin_api_knows_keys() {
    let (api, key) = protected(json!({})).await;
    let get = |path: String| async { api.admin(Method::GET, &{ path }, Value::Null).await };
    assert_eq!(get(format!("/key-auths/{}", text(&key))).await.1["id"], key["id"]);
    assert_eq!(get(format!("/key-auths/{}/consumer", text(&key))).await.1["username"], "alice");
    assert_eq!(get(format!("/consumers/guest/key-auth/{}", text(&key))).await.0, 404);
    assert_eq!(get("/key-auths?key=nothing".into()).await.1["data"], json!([]));
    let (status, taken) = api.admin(Method::POST, "/consumers/guest/key-auth", json!({ "key": text(&key) })).await;
    assert_eq!((status, &taken["name"]), (409, &json!("unique constraint violation")));
    let (status, orphan) = api.admin(Method::POST, "/key-auths", json!({})).await;
    assert_eq!((status, &orphan["fields"]["consumer"]), (400, &json!("required field missing")));
    let names = json!({ "name": "key-auth", "config": { "key_names": ["a b"] } });
    let (status, bad) = api.admin(Method::POST, "/plugins", names).await;
    let text = "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'";
    assert_eq!((status, &bad["fields"]["config"]["key_names"]), (400, &json!([text])));
}
