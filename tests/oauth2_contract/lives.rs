//! Sections 4 and 5: how long tokens live, how they end, and what ends them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, id, pause, sent};

async fn total(api: &Api) -> Value {
    api.admin(Method::GET, "/oauth2_tokens", Value::Null).await.body["total"].clone()
}

#[tokio::test]
async fn a_row_past_its_ttl_is_gone_for_every_reader() {
    let api = Api::with(json!({})).await;
    let row = api.imported(json!({ "access_token": "brief", "refresh_token": "brief-r", "ttl": 1 })).await;
    assert_eq!((&row["ttl"], &row["expires_in"]), (&json!(1), &json!(3600)));
    assert_eq!((api.call("brief").await.status, total(&api).await), (200, json!(1)));
    pause(1100).await;
    assert_eq!(api.call("brief").await.status, 401);
    assert_eq!(total(&api).await, 0);
    for path in ["/oauth2_tokens/brief", &format!("/oauth2_tokens/{}", id(&row))] {
        assert_eq!(api.admin(Method::GET, path, Value::Null).await.status, 404, "{path}");
    }
    assert_eq!(api.refresh("brief-r").await.refusal().2, "Invalid refresh_token");
}

#[tokio::test]
async fn the_name_of_a_row_that_ended_can_be_taken_at_once() {
    let api = Api::with(json!({})).await;
    api.imported(json!({ "access_token": "again", "refresh_token": "again-r", "ttl": 1 })).await;
    pause(1100).await;
    api.imported(json!({ "access_token": "again", "refresh_token": "again-r" })).await;
    assert_eq!(api.call("again").await.status, 200);
}

#[tokio::test]
async fn refresh_token_ttl_ends_the_row_and_its_refresh_token() {
    let api = Api::with(json!({ "refresh_token_ttl": 1 })).await;
    let (access, refresh) = api.pair().await;
    pause(1100).await;
    assert_eq!(api.call(&access).await.status, 401);
    assert_eq!(api.refresh(&refresh).await.refusal(), (400, "invalid_request", "Invalid refresh_token"));
}

#[tokio::test]
async fn a_refresh_token_ttl_of_zero_never_ends_the_row() {
    let api = Api::with(json!({ "refresh_token_ttl": 0 })).await;
    let (access, _) = api.pair().await;
    let row = api.admin(Method::GET, &format!("/oauth2_tokens/{access}"), Value::Null).await.body;
    assert_eq!(row["ttl"], Value::Null);
}

#[tokio::test]
async fn an_expired_access_token_can_still_be_refreshed() {
    let api = Api::with(json!({ "token_expiration": 1 })).await;
    let (access, refresh) = api.pair().await;
    pause(1100).await;
    assert_eq!(api.call(&access).await.refusal().1, "invalid_token");
    let renewed = api.refresh(&refresh).await;
    assert_eq!((renewed.status, &renewed.body["expires_in"]), (200, &json!(1)));
    assert_eq!(api.call(renewed.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn an_imported_refresh_token_is_a_refresh_token() {
    let api = Api::with(json!({})).await;
    let row = json!({ "access_token": "kongs", "refresh_token": "kongs-r", "created_at": 1_500_000_000, "scope": "read",
        "authenticated_userid": "bob" });
    api.imported(row).await;
    assert_eq!(api.call("kongs").await.refusal().1, "invalid_token", "it expired long ago");
    let renewed = api.refresh("kongs-r").await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let reply = api.call(renewed.text("access_token")).await;
    assert_eq!(reply.upstream("x-authenticated-userid"), Some("bob"));
    assert_eq!(reply.upstream("x-authenticated-scope"), Some("read"));
    assert_eq!(total(&api).await, 1, "the old row is gone");
}

#[tokio::test]
async fn a_token_that_never_expires_says_so() {
    let api = Api::with(json!({})).await;
    let row = api.imported(json!({ "access_token": "ever", "expires_in": 0, "created_at": 1 })).await;
    assert_eq!((&row["expires_at"], &row["ttl"]), (&Value::Null, &Value::Null));
    assert_eq!(api.call("ever").await.status, 200);
}

#[tokio::test]
async fn what_hangs_on_a_deleted_entity_goes_with_it_at_once() {
    for path in ["/consumers/shop", "/oauth2/app"] {
        let api = Api::with(json!({})).await;
        let (access, refresh) = api.pair().await;
        let code = api.authorize(&[("response_type", "code")]).await.parameter("code");
        assert_eq!(api.call(&access).await.status, 200);
        api.deleted(path).await;
        assert_eq!((api.call(&access).await.status, total(&api).await), (401, json!(0)), "{path}");
        assert_eq!(api.refresh(&refresh).await.refusal().1, "invalid_client", "{path}");
        let exchange = [("grant_type", "authorization_code"), ("code", code.as_str())];
        assert_eq!(api.token(&exchange).await.refusal().1, "invalid_client", "{path}");
    }
}

#[tokio::test]
async fn a_deleted_service_takes_its_tokens() {
    let api = Api::with(json!({})).await;
    let (access, _) = api.pair().await;
    let route = api.admin(Method::GET, "/routes/api", Value::Null).await.body;
    api.deleted(&format!("/routes/{}", id(&route))).await;
    api.deleted("/services/api").await;
    assert_eq!(total(&api).await, 0);
    assert_eq!(api.admin(Method::GET, &format!("/oauth2_tokens/{access}"), Value::Null).await.status, 404);
    assert_eq!(sent(api.get("/api").bearer_auth(&access)).await.status, 404, "its route went before");
}

#[tokio::test]
async fn a_deleted_plugin_takes_its_codes_and_leaves_the_tokens() {
    let api = Api::with(json!({})).await;
    let (access, _) = api.pair().await;
    let code = api.authorize(&[("response_type", "code")]).await.parameter("code");
    api.deleted(&format!("/plugins/{}", api.plugin)).await;
    api.protect("api", json!({})).await;
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str())];
    assert_eq!(api.token(&exchange).await.refusal(), (400, "invalid_request", "Invalid code"));
    assert_eq!(api.call(&access).await.status, 200);
}
