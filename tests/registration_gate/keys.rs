//! `key-auth` before a gate: the `client_id` of an application is a key (application-registration.md 1.5, clause 8).

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Stage, sent};

async fn gated(config: Value) -> Stage {
    let stage = Stage::start().await;
    stage.plugin("api", "key-auth", config).await;
    stage.gate("api", json!({})).await;
    stage
}

#[tokio::test]
async fn a_client_id_is_a_key_wherever_a_key_may_stand() {
    let stage = gated(json!({ "key_names": ["apikey", "x-app"], "key_in_body": true, "hide_credentials": true })).await;
    let app = stage.approved("app").await;
    let key = app.client_id.as_str();
    let post = || stage.http.post(stage.gateway.url("proxy", "/api"));
    for request in [
        stage.get("/api").header("apikey", key),
        stage.get("/api").header("X-App", key),
        stage.get("/api").query(&[("apikey", key)]),
        post().form(&[("x-app", key)]),
        post().json(&json!({ "apikey": key })),
    ] {
        let reply = sent(request).await;
        assert_eq!(reply.upstream("x-application-id"), Some(app.id.as_str()));
        assert_eq!(reply.upstream("x-consumer-id"), Some(app.consumer.as_str()));
        assert_eq!(reply.upstream("x-credential-identifier"), Some(key));
        let hidden = ["apikey", "x-app"].iter().all(|name| reply.upstream(name).is_none());
        assert!(
            hidden && !reply.body["path"].to_string().contains(key) && !reply.body["body"].to_string().contains(key)
        );
    }
}

#[tokio::test]
async fn a_client_id_obeys_the_gate() {
    let stage = gated(json!({})).await;
    let app = stage.application("app").await;
    let ask = |key: &str| sent(stage.get("/api").header("apikey", key));
    ask(&app.client_id).await.is_forbidden();
    let contract = stage.contract(&app, "api", json!({ "status": 1 })).await;
    ask(&app.client_id).await.is_forbidden();
    stage.set_contract(&app, &contract, json!({ "status": 0 })).await;
    assert_eq!(ask(&app.client_id).await.status, 200);
    stage.set_contract(&app, &contract, json!({ "status": 3 })).await;
    ask(&app.client_id).await.is_forbidden();
}

#[tokio::test]
async fn only_applications_have_keys_of_this_kind_and_only_before_a_gate() {
    let stage = gated(json!({})).await;
    stage.plugin("other", "key-auth", json!({})).await;
    let (app, plain) = (stage.approved("app").await, stage.consumer("plain").await);
    let key = stage.made("/consumers/plain/key-auth", json!({})).await;
    let ask = |path: &str, key: &str| sent(stage.get(path).header("apikey", key));
    ask("/api", &plain.client_id).await.is_refused(401, "Unauthorized");
    ask("/other", &app.client_id).await.is_refused(401, "Unauthorized");
    let own = key["key"].as_str().unwrap();
    assert_eq!(ask("/other", own).await.upstream("x-consumer-username"), Some("plain"));
    let refused = ask("/api", own).await;
    refused.is_refused(401, "Unauthorized");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "the key is good, its owner is no application");
    let of_app = stage.made(&format!("/consumers/{}/key-auth", app.consumer), json!({})).await;
    assert_eq!(ask("/api", of_app["key"].as_str().unwrap()).await.upstream("x-application-name"), Some("app"));
}

#[tokio::test]
async fn a_client_id_that_was_brought_along_works_and_ends_with_its_credential() {
    let mut stage = gated(json!({})).await;
    let app = stage.approved("app").await;
    let credentials = format!("/consumers/{}/oauth2", app.consumer);
    let own = json!({ "name": "own", "client_id": "my own id", "redirect_uris": ["https://a.test"] });
    let ask = async |stage: &Stage| sent(stage.get("/api").header("apikey", "my own id")).await;
    ask(&stage).await.is_refused(401, "Unauthorized");
    stage.made(&credentials, own).await;
    assert_eq!(ask(&stage).await.upstream("x-credential-identifier"), Some("my own id"));
    // What a node learns of such ids when it starts is enough, too.
    stage.restart().await;
    assert_eq!(ask(&stage).await.upstream("x-application-name"), Some("app"));
    let gone = stage.admin(Method::DELETE, &format!("{credentials}/my%20own%20id"), Value::Null).await;
    assert_eq!(gone.status, 204);
    ask(&stage).await.is_refused(401, "Unauthorized");
}

#[tokio::test]
async fn guesses_cost_the_database_nothing() {
    let stage = gated(json!({})).await;
    let app = stage.approved("app").await;
    assert_eq!(sent(stage.get("/api").header("apikey", &app.client_id)).await.status, 200);
    let before = (stage.meter("client_checks").await, stage.meter("key_checks").await);
    for number in 0..200 {
        let reply = sent(stage.get("/api").header("apikey", format!("{number:032}"))).await;
        reply.is_refused(401, "Unauthorized");
    }
    let after = (stage.meter("client_checks").await, stage.meter("key_checks").await);
    assert!(after.0 - before.0 < 5 && after.1 - before.1 < 5, "{before:?} {after:?}");
}
