//! Where an identity provider keeps credentials (`external-oauth2`; clause 8).

use serde_json::{Value, json};

use crate::stage::{NOBODY, Stage, below, id};

#[tokio::test]
async fn an_application_has_the_providers_id_and_no_credentials() {
    let stage = Stage::open_with(&[("PORTAL_APP_AUTH", "external-oauth2")]);
    let (ana, bob) = (stage.developer("ana@b.test").await, stage.developer("bob@b.test").await);
    let faults = ana.post("/applications", json!({ "name": "Shop" })).await.faults();
    assert_eq!(faults, json!({ "custom_id": "required field missing" }));
    let body = json!({ "name": "Shop", "custom_id": "okta-1", "redirect_uri": "https://a.test" });
    assert_eq!(ana.post("/applications", body).await.faults(), json!({ "redirect_uri": "cannot be set" }));
    let made = ana.form("POST", "/applications", "name=Shop&custom_id=okta-1").await.is(201);
    assert_eq!(
        (&made["custom_id"], &made["redirect_uri"], made.get("credential")),
        (&json!("okta-1"), &Value::Null, None)
    );
    let consumer = async || stage.admin("GET", &below(&made, "consumer"), Value::Null).await.is(200);
    assert_eq!(consumer().await["custom_id"], "okta-1", "its consumer has it, too");
    let taken = bob.post("/applications", json!({ "name": "Mine", "custom_id": "okta-1" })).await.is(409);
    assert_eq!(taken["fields"], json!({ "custom_id": "okta-1" }));
    assert_eq!(bob.total("/applications").await, 0);
    let path = format!("/applications/{}", id(&made));
    assert_eq!(ana.patch(&path, json!({ "custom_id": "okta-2" })).await.is(200)["custom_id"], "okta-2");
    assert_eq!(consumer().await["custom_id"], "okta-2");
    assert_eq!(ana.patch(&path, json!({ "custom_id": null })).await.faults()["custom_id"], "required field missing");
    let credentials = below(&made, "credentials");
    ana.get(&credentials).await.must_be_nothing();
    ana.post(&credentials, json!({})).await.must_be_nothing();
    for rest in ["", "/secrets"] {
        ana.get(&format!("{credentials}/{NOBODY}{rest}")).await.must_be_nothing();
    }
    for rest in ["regenerate-secret", "secrets"] {
        ana.post(&format!("{credentials}/{NOBODY}/{rest}"), json!({})).await.must_be_nothing();
    }
    ana.delete(&format!("{credentials}/{NOBODY}")).await.must_be_nothing();
    let service = stage.gated("orders", json!({ "auto_approve": true })).await;
    assert_eq!(ana.contract(&made, &service).await["status"], 0);
}
