//! Scopes per contract: tokens may have those of the plugin that the contract names too.

use serde_json::json;

use crate::stage::{Reply, Stage};

const PASSWORD: [(&str, &str); 3] =
    [("grant_type", "password"), ("provision_key", "provision"), ("authenticated_userid", "u")];

/// `api` with the scopes `read` and `write`.
async fn gated(config: serde_json::Value) -> Stage {
    let stage = Stage::start().await;
    stage.oauth2("api", config).await;
    stage.gate("api", json!({})).await;
    stage
}

fn is_invalid_scope(reply: &Reply) {
    assert_eq!(reply.error(), (400, "invalid_scope"), "{reply:?}");
}

#[tokio::test]
async fn a_contract_narrows_what_may_be_asked_for() {
    let stage = gated(json!({})).await;
    let (narrow, wide) = (stage.application("narrow").await, stage.approved("wide").await);
    stage.contract(&narrow, "api", json!({ "scopes": ["read", "admin"] })).await;
    for grant in [&[("grant_type", "client_credentials")][..], &PASSWORD] {
        let asked = |scope: &'static str| [grant, &[("scope", scope)]].concat();
        assert_eq!(stage.token(&narrow, "/api", &asked("read")).await.status, 200);
        for scope in ["write", "read write", "admin"] {
            is_invalid_scope(&stage.token(&narrow, "/api", &asked(scope)).await);
        }
        assert_eq!(stage.token(&wide, "/api", &asked("read write")).await.status, 200);
        assert_eq!(stage.token(&narrow, "/api", grant).await.status, 200, "none is asked for");
    }
    let told = stage.token(&narrow, "/api", &[("scope", "write")]).await;
    assert_eq!(told.text("error_description"), "\"write\" is an invalid scope");
    for response_type in ["code", "token"] {
        let refused = stage.authorize(&narrow, &[("scope", "write"), ("response_type", response_type)]).await;
        assert!(refused.text("redirect_uri").contains("error=invalid_scope"), "{refused:?}");
        let granted = stage.authorize(&narrow, &[("scope", "read"), ("response_type", response_type)]).await;
        assert_eq!(granted.status, 200, "{granted:?}");
    }
    let token = stage.token(&narrow, "/api", &[("scope", "read")]).await;
    let reply = stage.call("/api", token.text("access_token")).await;
    assert_eq!(reply.upstream("x-authenticated-scope"), Some("read"));
}

#[tokio::test]
async fn a_mandatory_scope_is_one_of_the_contracts() {
    let stage = gated(json!({ "mandatory_scope": true })).await;
    let (narrow, none) = (stage.application("narrow").await, stage.application("none").await);
    stage.contract(&narrow, "api", json!({ "scopes": ["read"] })).await;
    stage.contract(&none, "api", json!({ "scopes": [] })).await;
    for app in [&narrow, &none] {
        is_invalid_scope(&stage.token(app, "/api", &[]).await);
        is_invalid_scope(&stage.token(app, "/api", &[("scope", "write")]).await);
    }
    assert_eq!(stage.token(&narrow, "/api", &[("scope", "read")]).await.status, 200);
    is_invalid_scope(&stage.token(&none, "/api", &[("scope", "read")]).await);
}

#[tokio::test]
async fn a_contract_that_lost_a_scope_gives_it_no_more() {
    let stage = gated(json!({})).await;
    let app = stage.application("app").await;
    let contract = stage.contract(&app, "api", json!({ "scopes": ["read", "write"] })).await;
    let both = [&PASSWORD[..], &[("scope", "read write")]].concat();
    let pair = stage.token(&app, "/api", &both).await;
    let sent = stage.authorize(&app, &[("scope", "write")]).await;
    let code = sent.text("redirect_uri").split_once("code=").unwrap().1.to_owned();
    stage.set_contract(&app, &contract, json!({ "scopes": ["read"] })).await;
    is_invalid_scope(&stage.token(&app, "/api", &both).await);
    assert_eq!(stage.call("/api", pair.text("access_token")).await.error(), (401, "invalid_token"));
    for used in [
        [("grant_type", "refresh_token"), ("refresh_token", pair.text("refresh_token"))],
        [("grant_type", "authorization_code"), ("code", &code)],
    ] {
        assert_eq!(stage.token(&app, "/api", &used).await.error(), (400, "invalid_request"));
    }
    // A pair that an administrator brings along is judged when it is refreshed.
    let brought = json!({ "credential": { "id": app.credential }, "service": { "name": "api" }, "expires_in": 60,
        "refresh_token": "brought along", "scope": "write" });
    stage.made("/oauth2_tokens", brought).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "brought along")];
    is_invalid_scope(&stage.token(&app, "/api", &refresh).await);
}
