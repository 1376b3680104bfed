//! Section 5: tokens and codes in the Admin API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, id};

#[tokio::test]
async fn an_import_keeps_every_value_it_gives() {
    let api = Api::with(json!({})).await;
    let row = api
        .imported(json!({ "access_token": "a b/ü", "refresh_token": "r", "created_at": 1_500_000_000, "scope": "read",
            "authenticated_userid": "u", "token_type": "bearer" }))
        .await;
    for (name, value) in [
        ("access_token", json!("a b/ü")),
        ("refresh_token", json!("r")),
        ("scope", json!("read")),
        ("created_at", json!(1_500_000_000)),
        ("expires_at", json!(1_500_003_600)),
        ("token_type", json!("bearer")),
        ("credential_id", json!(api.credential)),
        ("service_id", json!(api.service)),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    let found = api.admin(Method::GET, "/oauth2_tokens/a%20b%2F%C3%BC", Value::Null).await;
    assert_eq!((found.status, &found.body["id"]), (200, &row["id"]));
}

#[tokio::test]
async fn a_missing_access_token_is_made_and_a_refresh_token_is_not() {
    let api = Api::with(json!({})).await;
    let row = api.imported(json!({})).await;
    let token = row["access_token"].as_str().unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!((&row["refresh_token"], api.call(token).await.status), (&Value::Null, 200));
}

#[tokio::test]
async fn expires_in_and_a_credential_are_required() {
    let api = Api::with(json!({})).await;
    let reply = api.admin(Method::POST, "/oauth2_tokens", json!({})).await;
    let missing = json!("required field missing");
    assert_eq!(
        (reply.status, &reply.body["fields"]["expires_in"], &reply.body["fields"]["credential"]),
        (400, &missing, &missing)
    );
}

#[tokio::test]
async fn lists_are_filtered_by_what_tokens_are_asked_for() {
    let api = Api::with(json!({})).await;
    let wanted = api.imported(json!({ "access_token": "w", "refresh_token": "wr", "authenticated_userid": "u" })).await;
    api.imported(json!({ "access_token": "o", "service": null })).await;
    let found = async |filter: &str| {
        let page = api.admin(Method::GET, &format!("/oauth2_tokens?{filter}"), Value::Null).await.body;
        (page["total"].clone(), page["data"][0]["id"].clone())
    };
    for filter in [format!("service.id={}", api.service), "authenticated_userid=u".into(), "refresh_token=wr".into()] {
        assert_eq!(found(&filter).await, (json!(1), wanted["id"].clone()), "{filter}");
    }
    assert_eq!(found(&format!("credential.id={}", api.credential)).await.0, 2);
    assert_eq!(api.admin(Method::GET, "/oauth2_tokens?scope=x", Value::Null).await.status, 400);
}

#[tokio::test]
async fn a_change_of_a_token_is_in_force_at_the_next_call() {
    let api = Api::with(json!({})).await;
    let token = api.access().await;
    assert_eq!(api.call(&token).await.status, 200);
    let path = format!("/oauth2_tokens/{token}");
    assert_eq!(api.admin(Method::PATCH, &path, json!({ "scope": "write" })).await.status, 200);
    assert_eq!(api.call(&token).await.upstream("x-authenticated-scope"), Some("write"));
    assert_eq!(api.admin(Method::PATCH, &path, json!({ "access_token": "other" })).await.status, 200);
    assert_eq!((api.call(&token).await.status, api.call("other").await.status), (401, 200));
    let put = json!({ "credential": { "id": api.credential }, "service": { "id": api.service }, "expires_in": 60 });
    assert_eq!(api.admin(Method::PUT, "/oauth2_tokens/made-by-put", put).await.status, 200);
    assert_eq!(api.call("made-by-put").await.status, 200);
}

#[tokio::test]
async fn a_credential_of_another_consumer_is_not_found_below_this_one() {
    let api = Api::with(json!({})).await;
    api.made("/consumers", json!({ "username": "other" })).await;
    for method in [Method::GET, Method::PATCH, Method::DELETE, Method::PUT] {
        let reply = api.admin(method.clone(), "/consumers/other/oauth2/app", json!({ "name": "mine" })).await;
        assert_eq!(reply.status, 404, "{method}");
    }
    let owner = api.admin(Method::GET, "/oauth2/app/consumer", Value::Null).await;
    assert_eq!((owner.status, owner.text("username")), (200, "shop"));
    let without = api.admin(Method::POST, "/oauth2", json!({ "name": "x" })).await;
    assert_eq!((without.status, &without.body["fields"]["consumer"]), (400, &json!("required field missing")));
}

#[tokio::test]
async fn redirect_uris_are_judged_one_by_one() {
    let api = Api::with(json!({})).await;
    let body = json!({ "name": "x", "redirect_uris": ["https://good", "not-a-uri", "https://a/#b"] });
    let reply = api.admin(Method::POST, "/consumers/shop/oauth2", body).await;
    let told = json!([null, "cannot parse 'not-a-uri'", "fragment not allowed in 'https://a/#b'"]);
    assert_eq!((reply.status, &reply.body["fields"]["redirect_uris"]), (400, &told));
}

#[tokio::test]
async fn tokens_and_codes_can_be_judged_without_being_stored() {
    let api = Api::with(json!({})).await;
    let good = json!({ "credential": { "id": api.credential }, "expires_in": 1 });
    for (entity, extra) in [("oauth2_tokens", json!({})), ("oauth2_authorization_codes", json!({ "expires_in": null }))]
    {
        let mut body = good.clone();
        if extra.get("expires_in").is_some() {
            body.as_object_mut().unwrap().remove("expires_in");
        }
        let reply = api.admin(Method::POST, &format!("/schemas/{entity}/validate"), body).await;
        assert_eq!((reply.status, reply.text("message")), (200, "schema validation successful"), "{entity}");
        let reply = api.admin(Method::POST, &format!("/schemas/{entity}/validate"), json!({ "x": 1 })).await;
        let fields = &reply.body["fields"];
        let expected = (json!("unknown field"), json!("required field missing"));
        assert_eq!((reply.status, (fields["x"].clone(), fields["credential"].clone())), (400, expected), "{entity}");
        assert_eq!(api.admin(Method::GET, &format!("/schemas/{entity}"), Value::Null).await.status, 200);
    }
    assert_eq!(api.admin(Method::GET, "/oauth2_tokens", Value::Null).await.body["total"], 0);
    assert_eq!(api.admin(Method::GET, "/oauth2_authorization_codes", Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_provision_key_belongs_to_one_plugin() {
    let api = Api::with(json!({})).await;
    let other = id(&api.made("/services", json!({ "name": "other", "url": "http://x.y" })).await);
    let config = json!({ "provision_key": "provision-api", "enable_password_grant": true });
    let body = json!({ "name": "oauth2", "service": { "id": other }, "config": config });
    assert_eq!(api.admin(Method::POST, "/plugins", body).await.status, 409);
}
