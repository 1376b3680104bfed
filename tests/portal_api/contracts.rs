//! `/applications/{a}/application_instances`, and clauses 1 to 4, 6 and 8 of 6.3 from the developer's side.

use serde_json::{Value, json};

use crate::stage::{NOBODY, Stage, below, id};
use crate::support::client;

#[tokio::test]
async fn a_contract_is_told_with_its_service() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", false).await);
    let shop = ana.application("Shop").await;
    let path = below(&shop, "application_instances");
    let made = ana.form("POST", &path, &format!("service.id={service}")).await.is(201);
    assert_eq!(
        (&made["status"], &made["suspended"], &made["service"]["id"]),
        (&json!(1), &json!(false), &json!(service))
    );
    assert_eq!(made["application"]["id"], shop["id"]);
    assert_eq!(
        (&made["name"], &made["app_registration_config"]["display_name"]),
        (&json!("orders"), &json!("The orders"))
    );
    assert_eq!(made["auth_plugin_config"]["name"], "oauth2");
    assert_eq!(made["instance"], json!({ "id": made["id"], "status": 1 }));
    stage.decide(&shop, &made, json!({ "status": 2, "note": "Tell us more first." })).await;
    let rejected = ana.get(&format!("{path}/{}", id(&made))).await.is(200);
    assert_eq!((&rejected["status"], &rejected["note"]), (&json!(2), &json!("Tell us more first.")));
    assert_eq!(rejected["instance"]["status"], 2);
    assert_eq!(ana.get(&path).await.is(200), json!({ "data": [rejected], "next": null, "total": 1 }));
    assert_eq!(
        (ana.total(&format!("{path}?status=rejected")).await, ana.total(&format!("{path}?status=1")).await),
        (json!(1), json!(0))
    );
    ana.get(&format!("{path}?status=wat")).await.must_be_wrong_option("status");
    assert_eq!(ana.delete(&format!("{path}/{}", id(&made))).await.is(204), Value::Null);
    ana.get(&format!("{path}/{}", id(&made))).await.must_be_nothing();
    ana.delete(&format!("{path}/{}", id(&made))).await.must_be_nothing();
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", true).await);
    let hidden = stage.service("hidden").await;
    let shop = ana.application("Shop").await;
    let path = below(&shop, "application_instances");
    assert_eq!(ana.post(&path, json!({})).await.faults(), json!({ "service": "required field missing" }));
    ana.post(&path, json!({ "service": { "id": NOBODY } })).await.must_be_nothing();
    assert!(ana.post(&path, json!({ "service": { "id": hidden } })).await.faults()["service"].is_string());
    for service in
        [json!({ "id": "wat" }), json!({ "name": "orders" }), json!({ "name": "hidden" }), json!([1]), json!(7)]
    {
        let faults = ana.post(&path, json!({ "service": service })).await.faults();
        assert!(!faults["service"].is_null(), "{service}: {faults}");
    }
    let own = json!({ "service": { "id": service }, "status": 0, "suspended": false, "scopes": ["x"], "wat": 1 });
    let faults = ana.post(&path, own).await.faults();
    for field in ["status", "suspended", "scopes"] {
        assert_eq!(faults[field], "cannot be set", "{faults}");
    }
    assert_eq!(faults["wat"], "unknown field");
    assert_eq!(ana.total(&path).await, 0);
}

/// Clause 1.
#[tokio::test]
async fn where_contracts_are_approved_at_once_the_next_call_passes() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.gated("orders", json!({})).await);
    stage.plugin("orders", "oauth2", crate::stage::oauth2()).await;
    let (early, late) = (ana.application("Early").await, ana.application("Late").await);
    let pending = ana.contract(&early, &service).await;
    let plugins = stage.admin("GET", "/services/orders/plugins", Value::Null).await.is(200);
    let gate = plugins["data"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "application-registration");
    let auto = json!({ "config": { "auto_approve": true } });
    stage.admin("PATCH", &format!("/plugins/{}", id(gate.unwrap())), auto).await.is(200);
    assert_eq!(ana.contract(&late, &service).await["status"], 0);
    assert_eq!(stage.call("orders", &stage.access("orders", &late["credential"]).await).await, 200);
    let path = format!("{}/{}", below(&early, "application_instances"), id(&pending));
    assert_eq!(ana.get(&path).await.is(200)["status"], 1, "what waits goes on waiting");
    assert_eq!(stage.token("orders", &early["credential"]).await.is(400)["error"], "unauthorized_client");
}

/// Clause 2.
#[tokio::test]
async fn a_contract_is_asked_for_once_and_after_its_withdrawal_from_the_beginning() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", false).await);
    let shop = ana.application("Shop").await;
    let contract = ana.contract(&shop, &service).await;
    stage.decide(&shop, &contract, json!({ "status": "approved" })).await;
    let token = stage.access("orders", &shop["credential"]).await;
    assert_eq!(stage.call("orders", &token).await, 200);
    let path = below(&shop, "application_instances");
    let twice = ana.post(&path, json!({ "service": { "id": service } })).await.is(409);
    assert_eq!((&twice["code"], &twice["name"]), (&json!(5), &json!("unique constraint violation")));
    assert!(twice["fields"]["composite_id"].is_string(), "{twice}");
    ana.delete(&format!("{path}/{}", id(&contract))).await.is(204);
    assert_eq!(stage.call("orders", &token).await, 401, "its tokens went with it");
    let again = ana.contract(&shop, &service).await;
    assert_eq!(again["status"], 1);
    assert_ne!(again["id"], contract["id"]);
    assert_eq!(stage.token("orders", &shop["credential"]).await.is(400)["error"], "unauthorized_client");
}

/// Clause 3.
#[tokio::test]
async fn a_revoked_contract_ends_calls_and_a_new_approval_needs_a_new_token() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", true).await);
    let shop = ana.application("Shop").await;
    let contract = ana.contract(&shop, &service).await;
    let token = stage.access("orders", &shop["credential"]).await;
    assert_eq!(stage.call("orders", &token).await, 200);
    stage.decide(&shop, &contract, json!({ "status": 3 })).await;
    assert_eq!(stage.call("orders", &token).await, 401);
    let row = ana.get(&format!("/application_services?app_id={}", id(&shop))).await.is(200);
    assert_eq!(row["data"][0]["instance"], json!({ "id": contract["id"], "status": 3 }));
    assert_eq!(stage.token("orders", &shop["credential"]).await.is(400)["error"], "unauthorized_client");
    stage.decide(&shop, &contract, json!({ "status": 0 })).await;
    assert_eq!(stage.call("orders", &token).await, 401);
    let token = stage.access("orders", &shop["credential"]).await;
    assert_eq!(stage.call("orders", &token).await, 200);
    // The developer as a whole.
    stage.admin("PATCH", &format!("/developers/{}", ana.id), json!({ "status": 3 })).await.is(200);
    assert_ne!(stage.call("orders", &token).await, 200);
    ana.get("/applications").await.is(401);
    assert_eq!(stage.log_in("ana@b.test").await.is(403)["status"], 3);
    let kept = stage.admin("GET", &format!("/applications/{}", id(&shop)), Value::Null).await.is(200);
    assert_eq!(kept["name"], "Shop", "the data are kept");
}

/// Clause 4.
#[tokio::test]
async fn an_approval_counts_for_its_service_only_even_with_global_credentials() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let mut services = Vec::new();
    for name in ["orders", "invoices"] {
        services.push(stage.gated(name, json!({ "auto_approve": true })).await);
        let config = json!({ "enable_client_credentials": true, "global_credentials": true });
        stage.plugin(name, "oauth2", config).await;
    }
    let shop = ana.application("Shop").await;
    ana.contract(&shop, &services[0]).await;
    let token = stage.access("orders", &shop["credential"]).await;
    assert_eq!((stage.call("orders", &token).await, stage.call("invoices", &token).await), (200, 403));
    ana.contract(&shop, &services[1]).await;
    assert_eq!(stage.call("invoices", &token).await, 200);
}

/// Clause 6.
#[tokio::test]
async fn without_its_plugin_a_service_leaves_the_catalogue_and_contracts_sleep() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.gated("orders", json!({})).await);
    let shop = ana.application("Shop").await;
    let contract = ana.contract(&shop, &service).await;
    let plugins = stage.admin("GET", "/services/orders/plugins", Value::Null).await.is(200);
    stage.admin("DELETE", &format!("/plugins/{}", id(&plugins["data"][0])), Value::Null).await.is(204);
    assert_eq!(ana.total("/application_services").await, 0);
    let path = format!("{}/{}", below(&shop, "application_instances"), id(&contract));
    let told = ana.get(&path).await.is(200);
    assert_eq!(
        (&told["status"], &told["name"], &told["app_registration_config"]),
        (&json!(1), &Value::Null, &Value::Null)
    );
    stage.admin("DELETE", "/services/orders", Value::Null).await;
    stage.admin("DELETE", "/routes/orders", Value::Null).await;
    stage.admin("DELETE", "/services/orders", Value::Null).await.is(204);
    ana.get(&path).await.must_be_nothing();
}

/// Clause 8, and 3 for keys.
#[tokio::test]
async fn a_client_id_is_an_api_key_under_the_same_gate() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.gated("orders", json!({})).await);
    stage.plugin("orders", "key-auth", json!({})).await;
    let shop = ana.application("Shop").await;
    let key = shop["credential"]["client_id"].as_str().unwrap();
    assert_eq!((stage.key_call("orders", key).await, stage.key_call("orders", "wat").await), (403, 401));
    let contract = ana.contract(&shop, &service).await;
    assert_eq!(contract["auth_plugin_config"]["key_names"], json!(["apikey"]));
    assert_eq!(stage.key_call("orders", key).await, 403, "not before it is approved");
    stage.decide(&shop, &contract, json!({ "status": 0 })).await;
    assert_eq!(stage.key_call("orders", key).await, 200);
    stage.decide(&shop, &contract, json!({ "status": 3 })).await;
    assert_eq!(stage.key_call("orders", key).await, 403);
}

#[tokio::test]
async fn whoever_is_concerned_is_mailed_once() {
    let stage = Stage::open_with(&[("SMTP_ADMIN_EMAILS", "ops@b.test")]);
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", false).await);
    let shop = ana.application("Shop").await;
    let mails = async || {
        let page = client().get(stage.gateway.url("portal", "/mails")).send().await.unwrap().text().await.unwrap();
        let to = |address: &str| page.matches(&format!("to {address},")).count();
        (to("ana@b.test"), to("ops@b.test"), page)
    };
    let contract = ana.contract(&shop, &service).await;
    let (developer, administrators, page) = mails().await;
    assert_eq!((developer, administrators), (1, 1), "{page}");
    stage.decide(&shop, &contract, json!({ "status": 0 })).await;
    stage.decide(&shop, &contract, json!({ "status": 0 })).await;
    stage.decide(&shop, &contract, json!({ "status": 3, "note": "Too many calls at night." })).await;
    let (developer, administrators, page) = mails().await;
    assert_eq!((developer, administrators), (3, 1), "{page}");
    assert!(page.contains("Too many calls at night."), "{page}");
}
