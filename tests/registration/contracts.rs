//! Contracts of applications with services, and what ends with them.

use serde_json::{Value, json};

use crate::desk::{Desk, NOBODY, id};

#[tokio::test]
async fn a_contract_is_requested_or_approved_as_its_service_says() {
    let desk = Desk::open();
    let (asking, open) = (desk.gated("asking", false).await, desk.gated("open", true).await);
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let requested = desk.contract(&application, &asking).await;
    assert_eq!((&requested["status"], &requested["suspended"]), (&json!(1), &json!(false)));
    assert_eq!(requested["composite_id"], format!("{}_{}", id(&application), id(&asking)));
    assert_eq!((&requested["scopes"], &requested["note"]), (&Value::Null, &Value::Null));
    let (status, refusal) = desk.ask_token(&application, "asking").await;
    assert_eq!((status, &refusal["error"]), (400, &json!("unauthorized_client")));
    let approved = desk.contract(&application, &open).await;
    assert_eq!(approved["status"], 0);
    let token = desk.token(&application, "open").await;
    assert_eq!(desk.call("open", &token).await, 200, "traffic passes on the next request");
    let (_, plugins) = desk.get("/services/asking/plugins").await;
    let plugin = format!("/plugins/{}", id(&plugins["data"][0]));
    assert_eq!(desk.patch(&plugin, json!({ "config": { "auto_approve": true } })).await.0, 200);
    let path = format!("/applications/{}/application_instances/{}", id(&application), id(&requested));
    assert_eq!(desk.get(&path).await.1["status"], 1, "what is pending stays so");
}

#[tokio::test]
async fn the_same_contract_is_made_once_and_begins_anew_after_a_withdrawal() {
    let desk = Desk::open();
    let service = desk.gated("orders", false).await;
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let contract = desk.contract(&application, &service).await;
    let path = format!("/developers/a@b.c/applications/{}/application_instances", id(&application));
    let form = format!("service.id={}", id(&service));
    let (status, refusal) = desk.form("POST", &path, &form).await;
    let composite = json!({ "composite_id": contract["composite_id"] });
    assert_eq!((status, &refusal["fields"]), (409, &composite), "{refusal}");
    let one = format!("{path}/{}", id(&contract));
    assert_eq!(desk.patch(&one, json!({ "status": "approved" })).await.1["status"], 0);
    let token = desk.token(&application, "orders").await;
    assert_eq!(desk.delete(&one).await.0, 204);
    assert_eq!(desk.call("orders", &token).await, 401, "its tokens went with it");
    assert_eq!(desk.delete(&one).await.0, 404);
    let (status, again) = desk.form("POST", &path, &form).await;
    assert_eq!((status, &again["status"]), (201, &json!(1)));
}

#[tokio::test]
async fn a_contract_needs_a_service_that_takes_applications() {
    let desk = Desk::open();
    let plain = desk.service("plain").await;
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let path = format!("/applications/{}/application_instances", id(&application));
    let text = "does not take applications: it has no application-registration plugin";
    assert_eq!(desk.faults(&path, json!({ "service": { "id": id(&plain) } })).await, json!({ "service": text }));
    assert_eq!(desk.faults(&path, json!({})).await, json!({ "service": "required field missing" }));
    let (status, refusal) = desk.post(&path, json!({ "service": { "id": NOBODY } })).await;
    assert_eq!((status, &refusal["name"]), (400, &json!("foreign key violation")));
    assert_eq!(refusal["fields"], json!({ "service": { "id": NOBODY } }));
    let (status, refusal) = desk.form("POST", &path, "service.name=nobody").await;
    assert_eq!((status, &refusal["name"]), (400, &json!("foreign keys unresolved")));
    let body = json!({ "service": { "id": id(&plain) }, "status": 0, "suspended": false, "note": "x", "wat": 1,
        "scopes": ["a b"] });
    let faults = desk.faults(&path, body).await;
    for field in ["status", "suspended", "note"] {
        assert_eq!(faults[field], "cannot be set", "{faults}");
    }
    assert_eq!((&faults["wat"], &faults["scopes"]), (&json!("unknown field"), &json!(["must be one word"])));
    assert_eq!(faults["service"], text);
    let service = desk.gated("orders", true).await;
    let plugin = desk.get("/services/orders/plugins").await.1["data"][0].clone();
    assert_eq!(desk.patch(&format!("/plugins/{}", id(&plugin)), json!({ "enabled": false })).await.0, 200);
    assert_eq!(desk.faults(&path, json!({ "service": { "id": id(&service) } })).await, json!({ "service": text }));
}

#[tokio::test]
async fn a_status_is_a_number_or_a_word_and_nothing_else() {
    let desk = Desk::open();
    let service = desk.gated("orders", false).await;
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let contract = desk.contract(&application, &service).await;
    let path = format!("/services/orders/application_instances/{}", id(&contract));
    for (said, code) in [
        (json!("approved"), 0),
        (json!("REVOKED"), 3),
        (json!("rejected"), 2),
        (json!("pending"), 1),
        (json!(3), 3),
        (json!(0), 0),
        (json!("requested"), 1),
    ] {
        let (status, changed) = desk.patch(&path, json!({ "status": said })).await;
        assert_eq!((status, &changed["status"]), (200, &json!(code)), "{changed}");
    }
    assert_eq!(desk.form("PATCH", &path, "status=0&suspended=true&note=soon").await.1["suspended"], true);
    for unknown in [json!(4), json!(5), json!(-1), json!("unverified"), Value::Null] {
        let (status, refusal) = desk.patch(&path, json!({ "status": unknown })).await;
        assert_eq!((status, &refusal["code"]), (400, &json!(2)), "{unknown}: {refusal}");
    }
    for (field, text) in [
        ("service", "immutable field cannot be updated"),
        ("application", "immutable field cannot be updated"),
        ("composite_id", "immutable field cannot be updated"),
        ("wat", "unknown field"),
    ] {
        let (status, refusal) = desk.patch(&path, json!({ field: "x" })).await;
        assert_eq!((status, &refusal["fields"][field]), (400, &json!(text)));
    }
    let other = format!("/services/{}/application_instances/{}", NOBODY, id(&contract));
    assert_eq!(desk.patch(&other, json!({ "status": 0 })).await.0, 404);
    assert_eq!(desk.patch(&path.replace(id(&contract), NOBODY), json!({ "status": 0 })).await.0, 404);
    assert_eq!(desk.delete(&path).await.0, 405, "withdrawing is the application's");
    assert_eq!(desk.put(&path, json!({})).await.0, 405);
}

#[tokio::test]
async fn revoking_ends_the_tokens_and_approving_again_does_not_bring_them_back() {
    let desk = Desk::open();
    let (orders, other) = (desk.gated("orders", true).await, desk.gated("other", true).await);
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let contract = desk.contract(&application, &orders).await;
    desk.contract(&application, &other).await;
    let (token, kept) = (desk.token(&application, "orders").await, desk.token(&application, "other").await);
    assert_eq!((desk.call("orders", &token).await, desk.call("other", &kept).await), (200, 200));
    let path = format!("/applications/{}/application_instances/{}", id(&application), id(&contract));
    for (close, open) in [
        (json!({ "status": 3 }), json!({ "status": 0 })),
        (json!({ "status": 1 }), json!({ "status": "approved" })),
        (json!({ "suspended": true }), json!({ "suspended": false })),
    ] {
        let token = desk.token(&application, "orders").await;
        assert_eq!(desk.call("orders", &token).await, 200);
        assert_eq!(desk.patch(&path, close.clone()).await.0, 200);
        assert_eq!(desk.call("orders", &token).await, 401, "{close}");
        let (status, refusal) = desk.ask_token(&application, "orders").await;
        assert_eq!((status, &refusal["error"]), (400, &json!("unauthorized_client")), "{close}");
        assert_eq!(desk.patch(&path, open.clone()).await.0, 200);
        assert_eq!(desk.call("orders", &token).await, 401, "{open}: a new one is needed");
    }
    assert_eq!(desk.call("orders", &token).await, 401);
    assert_eq!(desk.call("other", &kept).await, 200, "another contract is not touched");
    let token = desk.token(&application, "orders").await;
    assert_eq!(desk.patch(&path, json!({ "note": "welcome" })).await.0, 200);
    assert_eq!(desk.call("orders", &token).await, 200, "a note ends nothing");
    assert_eq!(desk.patch(&path, json!({ "scopes": ["read"] })).await.0, 200);
    assert_eq!(desk.call("orders", &token).await, 401, "other scopes, other tokens");
}

#[tokio::test]
async fn a_revoked_developer_has_no_tokens_and_all_data() {
    let desk = Desk::open();
    let service = desk.gated("orders", true).await;
    let (developer, other) = (desk.developer("a@b.c").await, desk.developer("b@b.c").await);
    let mut tokens = Vec::new();
    for name in ["one", "two"] {
        let application = desk.application(&developer, name).await;
        desk.contract(&application, &service).await;
        tokens.push(desk.token(&application, "orders").await);
    }
    let untouched = desk.application(&other, "app").await;
    desk.contract(&untouched, &service).await;
    let kept = desk.token(&untouched, "orders").await;
    for token in &tokens {
        assert_eq!(desk.call("orders", token).await, 200);
    }
    assert_eq!(desk.patch("/developers/a@b.c", json!({ "status": "revoked" })).await.0, 200);
    for token in &tokens {
        assert_eq!(desk.call("orders", token).await, 401);
    }
    let application = &desk.get("/developers/a@b.c/applications").await.1["data"][0].clone();
    let (status, refusal) = desk.ask_token(application, "orders").await;
    assert_eq!((status, &refusal["error"]), (400, &json!("unauthorized_client")));
    assert_eq!(desk.call("orders", &kept).await, 200);
    assert_eq!(desk.total("/services/orders/application_instances").await, 3, "data is kept");
    assert_eq!(desk.patch("/developers/a@b.c", json!({ "status": "approved" })).await.0, 200);
    assert_eq!(desk.call("orders", &tokens[0]).await, 401, "a new one is needed");
    let token = desk.token(application, "orders").await;
    assert_eq!(desk.call("orders", &token).await, 200);
}

#[tokio::test]
async fn lists_of_contracts_show_whom_they_bind() {
    let desk = Desk::open();
    let (orders, other) = (desk.gated("orders", false).await, desk.gated("other", true).await);
    let developer = desk.developer("a@b.c").await;
    let (one, two) = (desk.application(&developer, "one").await, desk.application(&developer, "two").await);
    let first = desk.contract(&one, &orders).await;
    desk.contract(&two, &orders).await;
    desk.contract(&one, &other).await;
    let mut whole = one.clone();
    whole["developer"] = developer.clone();
    for path in ["/applications", "/developers/a@b.c/applications"] {
        let (_, page) = desk.get(&format!("{path}/{}/application_instances", id(&one))).await;
        assert_eq!((&page["total"], &page["data"][0]["application"]), (&json!(2), &whole));
        let (_, bare) = desk.get(&format!("{path}/{}/application_instances/{}", id(&one), id(&first))).await;
        assert_eq!(bare["application"], json!({ "id": id(&one) }));
    }
    let (_, page) = desk.get("/services/orders/application_instances").await;
    assert_eq!((&page["total"], &page["data"][0]["application"]), (&json!(2), &whole));
    assert!(!page.to_string().contains("password"), "{page}");
    let path = format!("/services/{}/application_instances/{}", id(&orders), id(&first));
    assert_eq!(desk.get(&path).await.1["application"], whole);
    assert_eq!(desk.patch(&path, json!({ "status": "approved" })).await.1["application"], whole);
    assert_eq!(desk.total("/services/orders/application_instances?status=approved").await, 1);
    assert_eq!(desk.total("/services/orders/application_instances?status=1").await, 1);
    assert_eq!(desk.get("/services/orders/application_instances?status=9").await.0, 400);
    let (_, page) = desk.get("/services/orders/applications?status=0").await;
    assert_eq!((&page["total"], &page["data"]), (&json!(1), &json!([one])));
    assert_eq!(desk.total("/services/orders/applications").await, 2);
    let (_, page) = desk.get("/services/orders/applications?size=1&sort_desc=true").await;
    assert_eq!((&page["total"], &page["data"]), (&json!(2), &json!([two])));
    assert_eq!(desk.get(page["next"].as_str().unwrap()).await.1["data"], json!([one]));
    assert_eq!(desk.get("/services/nobody/applications").await.0, 404);
    assert_eq!(desk.post("/services/orders/applications", json!({})).await.0, 405);
}

#[tokio::test]
async fn without_the_plugin_contracts_rest_and_with_the_service_they_go() {
    let desk = Desk::open();
    let service = desk.gated("orders", true).await;
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let contract = desk.contract(&application, &service).await;
    desk.made("/services/orders/document_objects", json!({ "path": "orders.yaml" })).await;
    let plugin = desk.get("/services/orders/plugins").await.1["data"][0].clone();
    assert_eq!(desk.delete(&format!("/plugins/{}", id(&plugin))).await.0, 204);
    let path = format!("/applications/{}/application_instances/{}", id(&application), id(&contract));
    assert_eq!(desk.get(&path).await.1["status"], 0, "kept, though nobody asks for it");
    assert_eq!(desk.call("orders", "nothing").await, 200, "there is no gate any more");
    let config = json!({ "display_name": "Orders", "enable_client_credentials": true });
    let again = json!({ "name": "application-registration", "config": config });
    desk.made("/services/orders/plugins", again).await;
    let token = desk.token(&application, "orders").await;
    assert_eq!(desk.call("orders", &token).await, 200, "it counts again");
    let (_, routes) = desk.get("/services/orders/routes").await;
    assert_eq!(desk.delete(&format!("/routes/{}", id(&routes["data"][0]))).await.0, 204);
    assert_eq!(desk.delete("/services/orders").await.0, 204);
    assert_eq!(desk.get(&path).await.0, 404);
    assert_eq!(desk.total("/oauth2_tokens").await, 0);
}
