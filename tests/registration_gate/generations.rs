//! The first generation (application-registration.md 1.1 and 1.3): the plugin issues and checks tokens itself.

use serde_json::{Value, json};

use crate::stage::{Reply, Stage, oauth2_config, sent};

/// `api` behind a gate of the first generation.
async fn first(config: Value) -> Stage {
    let stage = Stage::start().await;
    let mut whole = oauth2_config(config);
    // Its provision key is generated as well; here it must be known.
    whole["provision_key"] = json!("provision");
    stage.gate("api", whole).await;
    stage
}

fn is_let_through(reply: &Reply, application: &str) {
    assert_eq!(reply.upstream("x-application-id"), Some(application));
}

fn code_of(reply: &Reply) -> String {
    reply.text("redirect_uri").split_once("code=").unwrap().1.to_owned()
}

#[tokio::test]
async fn each_grant_gives_a_token_that_passes() {
    let stage = first(json!({})).await;
    let app = stage.approved("app").await;
    let granted = stage.token(&app, "/api", &[("scope", "read")]).await;
    assert_eq!(
        (granted.status, &granted.body["expires_in"], &granted.body["token_type"]),
        (200, &json!(7200), &json!("bearer"))
    );
    is_let_through(&stage.call("/api", granted.text("access_token")).await, &app.id);
    let user = [("provision_key", "provision"), ("authenticated_userid", "ulla")];
    let pair = stage.token(&app, "/api", &[&[("grant_type", "password")][..], &user].concat()).await;
    let reply = stage.call("/api", pair.text("access_token")).await;
    assert_eq!(reply.upstream("x-authenticated-userid"), Some("ulla"));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", pair.text("refresh_token"))];
    let renewed = stage.token(&app, "/api", &refresh).await;
    is_let_through(&stage.call("/api", renewed.text("access_token")).await, &app.id);
    let code = code_of(&stage.authorize(&app, &[("scope", "write")]).await);
    let exchanged = stage.token(&app, "/api", &[("grant_type", "authorization_code"), ("code", &code)]).await;
    let reply = stage.call("/api", exchanged.text("access_token")).await;
    assert_eq!(reply.upstream("x-authenticated-scope"), Some("write"));
    let implicit = stage.authorize(&app, &[("response_type", "token")]).await;
    let token =
        implicit.text("redirect_uri").split_once("access_token=").unwrap().1.split('&').next().unwrap().to_owned();
    is_let_through(&stage.call("/api", &token).await, &app.id);
}

#[tokio::test]
async fn it_refuses_bad_tokens_as_the_oauth2_plugin_does_and_then_gates() {
    let stage = first(json!({ "auth_header_name": "x-token" })).await;
    let (app, pending, plain) =
        (stage.approved("app").await, stage.application("pending").await, stage.consumer("plain").await);
    let missing = sent(stage.get("/api")).await;
    assert_eq!((missing.error(), missing.header("www-authenticate")), ((401, "invalid_request"), Some("Bearer")));
    let wrong = sent(stage.get("/api").header("x-token", "Bearer no")).await;
    assert_eq!(wrong.error(), (401, "invalid_token"));
    for client in [&pending, &plain] {
        stage.token(client, "/api", &[]).await.is_unauthorized_client();
        stage.authorize(client, &[]).await.is_unauthorized_client();
    }
    let token = stage.access(&app).await;
    is_let_through(&sent(stage.get("/api").header("X-Token", format!("Bearer {token}"))).await, &app.id);
    assert_eq!(stage.call("/api", &token).await.status, 401, "the other header is nobody's");
    let of_pending = stage.imported(&pending).await;
    sent(stage.get("/api").header("x-token", &of_pending)).await.is_forbidden();
    let of_plain = stage.imported(&plain).await;
    sent(stage.get("/api").header("x-token", &of_plain)).await.is_refused(401, "Unauthorized");
    stage.set_developer(&app, 3).await;
    assert_eq!(sent(stage.get("/api").header("x-token", &token)).await.error(), (401, "invalid_token"));
}

#[tokio::test]
async fn its_life_times_and_switches_are_its_own() {
    let config = json!({ "token_expiration": 60, "refresh_token_ttl": 0, "enable_password_grant": false,
        "enable_authorization_code": false, "enable_implicit_grant": false, "mandatory_scope": true });
    let stage = first(config).await;
    let app = stage.approved("app").await;
    assert_eq!(stage.token(&app, "/api", &[]).await.error(), (400, "invalid_scope"));
    assert_eq!(stage.token(&app, "/api", &[("scope", "read")]).await.body["expires_in"], 60);
    assert_eq!(stage.token(&app, "/api", &[("grant_type", "password")]).await.error(), (400, "unsupported_grant_type"));
    let refused = stage.authorize(&app, &[("scope", "read")]).await;
    assert!(refused.text("redirect_uri").contains("unsupported_response_type"), "{refused:?}");
    let over_http = sent(stage.http.post(stage.gateway.url("proxy", "/api/oauth2/token")).form(&[("a", "b")])).await;
    assert_eq!(over_http.error(), (400, "access_denied"));
}

/// Kong's advice for TLS that ends in front of the gateway: `oauth2` beside the plugin, with the setting there.
#[tokio::test]
async fn beside_the_oauth2_plugin_that_one_answers_and_it_gates() {
    let stage = first(json!({ "token_expiration": 60 })).await;
    stage
        .oauth2("api", json!({ "provision_key": "of oauth2", "token_expiration": 1234, "hide_credentials": true }))
        .await;
    let (app, pending) = (stage.approved("app").await, stage.application("pending").await);
    let granted = stage.token(&app, "/api", &[]).await;
    assert_eq!(granted.body["expires_in"], 1234, "oauth2 runs first");
    let reply = stage.call("/api", granted.text("access_token")).await;
    is_let_through(&reply, &app.id);
    assert_eq!(reply.upstream("authorization"), None, "it was hidden by the one that checked it");
    stage.token(&pending, "/api", &[]).await.is_unauthorized_client();
    let own = stage.authorize(&app, &[("provision_key", "provision")]).await;
    assert_eq!(own.error(), (400, "invalid_provision_key"));
    assert_eq!(stage.authorize(&app, &[("provision_key", "of oauth2")]).await.status, 200);
    let of_pending = stage.imported(&pending).await;
    stage.call("/api", &of_pending).await.is_forbidden();
    assert_eq!(stage.call("/api", "no").await.error(), (401, "invalid_token"));
}

#[tokio::test]
async fn behind_another_plugin_that_knows_who_calls_it_only_gates() {
    let stage = first(json!({})).await;
    stage.plugin("api", "key-auth", json!({})).await;
    let (app, plain) = (stage.approved("app").await, stage.consumer("plain").await);
    is_let_through(&sent(stage.get("/api").header("apikey", &app.client_id)).await, &app.id);
    let key = stage.made(&format!("/consumers/{}/key-auth", plain.name), json!({})).await;
    let refused = sent(stage.get("/api").header("apikey", key["key"].as_str().unwrap())).await;
    refused.is_refused(401, "Unauthorized");
}

/// Kong's form: one value, parted by spaces.
#[tokio::test]
async fn the_form_of_the_documentation_works() {
    let stage = Stage::start().await;
    let form = [
        ("name", "application-registration"),
        ("config.display_name", "my service"),
        ("config.scopes[]", "read write"),
        ("config.enable_client_credentials", "true"),
        ("config.mandatory_scope", "true"),
    ];
    let made = sent(stage.http.post(stage.gateway.admin("/services/api/plugins")).form(&form)).await;
    assert_eq!((made.status, &made.body["config"]["scopes"]), (201, &json!(["read", "write"])), "{made:?}");
    assert_eq!(made.body["config"]["provision_key"].as_str().map(str::len), Some(32));
    let app = stage.approved("app").await;
    let granted = stage.token(&app, "/api", &[("scope", "write read")]).await;
    assert_eq!(
        stage.call("/api", granted.text("access_token")).await.upstream("x-authenticated-scope"),
        Some("write read")
    );
}
