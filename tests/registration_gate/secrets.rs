//! Several secrets of one client, each with an end of its own.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tollgate::domain::{Clock, Secret, Timestamp};
use tollgate::storage::Removal;
use uuid::Uuid;

use crate::stage::{App, Stage};

/// Seconds between adding a secret and its end.
const SOON: i64 = 2;

async fn gated() -> (Stage, App) {
    let stage = Stage::start().await;
    stage.oauth2("api", json!({})).await;
    stage.gate("api", json!({})).await;
    let app = stage.approved("app").await;
    (stage, app)
}

/// The hash of a secret, as the gateway makes it.
async fn hashed(stage: &Stage, secret: &str) -> Secret {
    let hashed = json!({ "name": "n", "client_secret": secret, "hash_secret": true, "redirect_uris": [] });
    stage.made("/consumers", json!({ "username": secret })).await;
    let made = stage.made(&format!("/consumers/{secret}/oauth2"), hashed).await;
    Secret::new(made["client_secret"].as_str().unwrap())
}

async fn add(stage: &Stage, app: &App, secret: &str, ends: Option<Timestamp>) -> Uuid {
    let (phc, credential) = (hashed(stage, secret).await, Uuid::parse_str(&app.credential).unwrap());
    let added = stage.store.add_client_secret(credential, &phc, ends, 5).await.unwrap().unwrap();
    stage.changed(app).await;
    added
}

/// Which of these secrets authenticate the application.
async fn good<'s>(stage: &Stage, app: &App, secrets: &[&'s str]) -> Vec<&'s str> {
    let mut good = Vec::new();
    for secret in secrets {
        match stage.token(app, "/api", &[("client_secret", secret)]).await {
            reply if reply.status == 200 => good.push(*secret),
            reply => assert_eq!(reply.error(), (400, "invalid_client")),
        }
    }
    good
}

#[tokio::test]
async fn each_live_secret_is_as_good_as_the_others() {
    let (stage, app) = gated().await;
    let own = app.secret.as_str();
    let all = [own, "second", "third", ""];
    assert_eq!(good(&stage, &app, &all).await, [own]);
    let second = add(&stage, &app, "second", None).await;
    add(&stage, &app, "third", None).await;
    assert_eq!(good(&stage, &app, &all).await, [own, "second", "third"]);
    let credential = Uuid::parse_str(&app.credential).unwrap();
    assert_eq!(stage.store.delete_client_secret(credential, second).await, Ok(Removal::Removed));
    stage.changed(&app).await;
    assert_eq!(good(&stage, &app, &all).await, [own, "third"]);
    assert_eq!(stage.store.delete_client_secret(credential, credential).await, Ok(Removal::Removed));
    stage.changed(&app).await;
    assert_eq!(good(&stage, &app, &all).await, ["third"], "an own secret that was removed is not the empty one");
    let path = format!("/consumers/{}/oauth2/{}", app.consumer, app.credential);
    let row = stage.patched(&path, json!({ "redirect_uris": ["https://other.test"] })).await;
    assert_eq!(row["client_secret"], "", "what else it has may change");
    let given = json!({ "name": "n", "client_secret": "" });
    let refused = stage.admin(Method::POST, &format!("/consumers/{}/oauth2", app.consumer), given).await;
    assert_eq!((refused.status, &refused.body["fields"]["client_secret"]), (400, &json!("length must be at least 1")));
}

#[tokio::test]
async fn a_secret_ends_while_it_is_remembered() {
    let (stage, app) = gated().await;
    let now = Clock::System.now();
    add(&stage, &app, "second", Some(now.plus_seconds(SOON))).await;
    // Everything of it is in the worker's memory now: the client, and that the hash fits.
    while good(&stage, &app, &["second"]).await == ["second"] {
        assert!(Clock::System.now() < now.plus_seconds(SOON + 20), "it does not end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(Clock::System.now() >= now.plus_seconds(SOON), "it ended too early");
    assert_eq!(good(&stage, &app, &[&app.secret]).await.len(), 1);
}

#[tokio::test]
async fn a_new_secret_leaves_the_old_one_for_a_while() {
    let (stage, app) = gated().await;
    let credential = Uuid::parse_str(&app.credential).unwrap();
    let (old, own) = (hashed(&stage, "old").await, app.secret.as_str());
    let later = Clock::System.now().plus_seconds(3600);
    stage.store.replace_client_secret(credential, &old, later).await.unwrap().unwrap();
    stage.changed(&app).await;
    assert_eq!(good(&stage, &app, &[own, "old"]).await, [own, "old"]);
    let new = hashed(&stage, "new").await;
    stage.store.replace_client_secret(credential, &new, Clock::System.now()).await.unwrap().unwrap();
    stage.changed(&app).await;
    assert_eq!(good(&stage, &app, &[own, "old", "new"]).await, ["new"]);
    // An administrator gives it another one, which does not end with the one before.
    let path = format!("/consumers/{}/oauth2/{}", app.consumer, app.credential);
    stage.patched(&path, json!({ "client_secret": "of the administrator", "hash_secret": true })).await;
    assert_eq!(good(&stage, &app, &[own, "of the administrator", "new"]).await, ["of the administrator", "new"]);
}
