//! The plugin as an entity of the Admin API (application-registration.md 1.2, 1.3 and clause 12).

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Reply, Stage, id};

const NAME: &str = "application-registration";

fn violates(reply: &Reply, fields: &Value) {
    assert_eq!((reply.status, &reply.body["name"], &reply.body["fields"]), (400, &json!("schema violation"), fields));
}

#[tokio::test]
async fn it_stands_on_a_service_and_has_a_display_name() {
    let stage = Stage::start().await;
    let consumer = id(&stage.made("/consumers", json!({ "username": "c" })).await);
    let config = json!({ "display_name": "d" });
    let post = async |path: &str, body: Value| stage.admin(Method::POST, path, body).await;
    let body = json!({ "name": NAME, "config": config });
    violates(&post("/plugins", body.clone()).await, &json!({ "service": "required field missing" }));
    let null = json!({ "name": NAME, "config": config, "service": null });
    violates(&post("/plugins", null).await, &json!({ "service": "required field missing" }));
    let on_consumer = json!({ "name": NAME, "config": config, "consumer": { "id": consumer } });
    violates(&post("/services/api/plugins", on_consumer).await, &json!({ "consumer": "value must be null" }));
    let on_route = json!({ "name": NAME, "config": config, "route": { "name": "api" } });
    violates(&post("/services/api/plugins", on_route).await, &json!({ "route": "value must be null" }));
    let nameless = json!({ "name": NAME, "config": {} });
    let missing = json!({ "config": { "display_name": "required field missing" } });
    violates(&post("/services/api/plugins", nameless).await, &missing);
    let ws = json!({ "name": NAME, "config": config, "protocols": ["ws"] });
    let protocols = json!({ "protocols": ["expected one of: grpc, grpcs, http, https"] });
    violates(&post("/services/api/plugins", ws).await, &protocols);
    let flowless = json!({ "name": NAME, "config": { "display_name": "d", "token_expiration": 60 } });
    let refused = post("/services/api/plugins", flowless).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body["fields"]["config"].as_str().unwrap().starts_with("at least one of these fields must be true:")
    );
    let made = stage.made("/services/api/plugins", body).await;
    assert_eq!(made["protocols"], json!(["grpc", "grpcs", "http", "https"]));
}

#[tokio::test]
async fn a_display_name_is_one_services_only() {
    let stage = Stage::start().await;
    let first = stage.gate("api", json!({ "display_name": "One name" })).await;
    let body = json!({ "name": NAME, "config": { "display_name": "One name" } });
    let taken = stage.admin(Method::POST, "/services/other/plugins", body.clone()).await;
    let message = "UNIQUE violation detected on '{display_name=\"One name\"}'";
    assert_eq!(
        (taken.status, taken.text("name"), taken.text("message")),
        (409, "unique constraint violation", message)
    );
    assert_eq!(taken.body["fields"], json!({ "display_name": "One name" }));
    let twice = json!({ "name": NAME, "config": { "display_name": "Another" } });
    assert_eq!(stage.admin(Method::POST, "/services/api/plugins", twice).await.status, 409, "one per service");
    let second = stage.gate("other", json!({ "display_name": "Another" })).await;
    let path = format!("/plugins/{}", id(&second));
    assert_eq!(stage.admin(Method::PATCH, &path, json!({ "config": body["config"] })).await.status, 409);
    stage.patched(&path, json!({ "config": { "auto_approve": true } })).await;
    // The name is free with the plugin that had it.
    stage.patched(&format!("/plugins/{}", id(&first)), json!({ "config": { "display_name": "New" } })).await;
    let renamed = stage.patched(&path, json!({ "config": { "display_name": "One name" } })).await;
    assert_eq!(
        (&renamed["config"]["display_name"], &renamed["config"]["auto_approve"]),
        (&json!("One name"), &json!(true))
    );
    assert_eq!(stage.admin(Method::DELETE, &path, Value::Null).await.status, 204);
    stage.gate("other", json!({ "display_name": "One name" })).await;
}

#[tokio::test]
async fn generations_are_kept_by_changes_and_chosen_by_replacements() {
    let stage = Stage::start().await;
    let second = stage.gate("api", json!({})).await;
    let path = format!("/plugins/{}", id(&second));
    assert_eq!(
        (&second["config"]["token_expiration"], &second["config"]["provision_key"]),
        (&Value::Null, &Value::Null)
    );
    let changed = stage.patched(&path, json!({ "config": { "auto_approve": true } })).await;
    assert_eq!((&changed["config"]["provision_key"], &changed["config"]["auto_approve"]), (&Value::Null, &json!(true)));
    let first = stage.patched(&path, json!({ "config": { "enable_client_credentials": true } })).await;
    let key = first["config"]["provision_key"].clone();
    assert_eq!((key.as_str().map(str::len), &first["config"]["refresh_token_ttl"]), (Some(32), &json!(1_209_600)));
    let changed = stage.patched(&path, json!({ "config": { "auto_approve": false } })).await;
    assert_eq!((&changed["config"]["provision_key"], &changed["config"]["token_expiration"]), (&key, &json!(7200)));
    let put = async |config: Value| {
        let reply =
            stage.admin(Method::PUT, &path, json!({ "name": NAME, "service": { "name": "api" }, "config": config }));
        reply.await
    };
    let back = put(json!({ "display_name": "api" })).await;
    assert_eq!(
        (back.status, &back.body["config"]["provision_key"], &back.body["config"]["scopes"]),
        (200, &Value::Null, &Value::Null)
    );
    let again = put(changed["config"].clone()).await;
    assert_eq!((again.status, &again.body["config"]), (200, &changed["config"]));
    let read = stage.admin(Method::GET, &path, Value::Null).await;
    assert_eq!(read.body["config"], changed["config"]);
}

#[tokio::test]
async fn its_schema_is_described_with_every_default() {
    let stage = Stage::start().await;
    let described = stage.admin(Method::GET, &format!("/schemas/plugins/{NAME}"), Value::Null).await.body;
    let named = |fields: &Value, name: &str| {
        fields.as_array().unwrap().iter().find_map(|field| field.get(name)).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let service = named(&described["fields"], "service");
    assert_eq!((&service["required"], &service["reference"]), (&json!(true), &json!("services")));
    for refused in ["route", "consumer"] {
        assert!(named(&described["fields"], refused).as_object().unwrap().contains_key("eq"));
    }
    let config = named(&described["fields"], "config")["fields"].clone();
    for (name, default) in [
        ("auth_header_name", json!("authorization")),
        ("auto_approve", json!(false)),
        ("enable_authorization_code", json!(false)),
        ("enable_client_credentials", json!(false)),
        ("enable_implicit_grant", json!(false)),
        ("enable_password_grant", json!(false)),
        ("mandatory_scope", json!(false)),
        ("refresh_token_ttl", json!(1_209_600)),
        ("token_expiration", json!(7200)),
        ("show_issuer", json!(false)),
        ("enable_proxy_with_consumer_credential", json!(false)),
        ("show_refusal_reason", json!(false)),
    ] {
        assert_eq!(named(&config, name)["default"], default, "{name}");
    }
    assert_eq!(named(&config, "provision_key")["auto"], true);
    assert_eq!(
        (&named(&config, "display_name")["required"], &named(&config, "display_name")["unique"]),
        (&json!(true), &json!(true))
    );
    // A tool that fills in what the schema says (deck does) does not turn one generation into the other.
    let mut filled = json!({ "display_name": "d" });
    for field in config.as_array().unwrap().iter().flat_map(|field| field.as_object().unwrap()) {
        let (name, field) = field;
        if name != "display_name" {
            filled[name] = field["default"].clone();
        }
    }
    let made = stage.made("/services/api/plugins", json!({ "name": NAME, "config": filled })).await;
    assert_eq!(made["config"], filled);
}
