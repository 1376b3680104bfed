//! The entities' fields and defaults (contract, section 4).

use serde_json::{Value, json};

use crate::desk::{Desk, id};

/// Compares an entity with what it must be, but for its id and times, which it must have.
fn is_whole(entity: &Value, wanted: Value) {
    let mut entity = entity.clone();
    let object = entity.as_object_mut().unwrap();
    assert_eq!(object.remove("id").unwrap().as_str().unwrap().len(), 36);
    for name in ["created_at", "updated_at"] {
        let seconds = object.remove(name).unwrap().as_i64().unwrap();
        assert!((1_700_000_000..10_000_000_000).contains(&seconds), "{name} is in seconds: {seconds}");
    }
    assert_eq!(entity, wanted);
}

#[tokio::test]
async fn a_service_has_its_defaults() {
    let desk = Desk::open();
    let service = desk.made("/services", json!({ "host": "a.com" })).await;
    is_whole(
        &service,
        json!({
            "name": null, "retries": 5, "protocol": "http", "host": "a.com", "port": 80, "path": null,
            "connect_timeout": 60000, "write_timeout": 60000, "read_timeout": 60000, "client_certificate": null,
            "tls_verify": null, "tls_verify_depth": null, "ca_certificates": null, "enabled": true, "tags": null,
        }),
    );
}

#[tokio::test]
async fn a_url_stands_for_four_fields_and_is_not_shown() {
    let desk = Desk::open();
    for (url, protocol, host, port, path) in [
        ("http://a.com", "http", "a.com", 80, Value::Null),
        ("https://a.com", "https", "a.com", 443, Value::Null),
        ("https://a.com:8443/x/y", "https", "a.com", 8443, json!("/x/y")),
        ("grpcs://a.com", "grpcs", "a.com", 443, Value::Null),
    ] {
        let service = desk.made("/services", json!({ "url": url })).await;
        assert_eq!((&service["protocol"], &service["host"]), (&json!(protocol), &json!(host)), "{url}");
        assert_eq!((&service["port"], &service["path"]), (&json!(port), &path), "{url}");
        assert!(service.get("url").is_none());
        let (_, patched) = desk.patch(&format!("/services/{}", id(&service)), json!({ "url": "http://b.com/z" })).await;
        assert_eq!((&patched["host"], &patched["port"], &patched["path"]), (&json!("b.com"), &json!(80), &json!("/z")));
    }
}

#[tokio::test]
async fn a_route_has_its_defaults() {
    let desk = Desk::open();
    let route = desk.made("/routes", json!({ "paths": ["/x"] })).await;
    is_whole(
        &route,
        json!({
            "name": null, "protocols": ["http", "https"], "methods": null, "hosts": null, "paths": ["/x"],
            "headers": null, "snis": null, "https_redirect_status_code": 426, "regex_priority": 0, "strip_path": true,
            "path_handling": "v0", "preserve_host": false, "request_buffering": true, "response_buffering": true,
            "service": null, "tags": null,
        }),
    );
    let grpc = desk.made("/routes", json!({ "paths": ["/x"], "protocols": ["grpc"] })).await;
    assert_eq!(grpc["strip_path"], false, "a gRPC call's path is its method");
}

#[tokio::test]
async fn a_consumer_needs_one_of_its_names() {
    let desk = Desk::open();
    let consumer = desk.made("/consumers", json!({ "custom_id": "c" })).await;
    is_whole(&consumer, json!({ "username": null, "custom_id": "c", "tags": null }));
    let consumer = desk.made("/consumers", json!({ "username": "bob" })).await;
    is_whole(&consumer, json!({ "username": "bob", "custom_id": null, "tags": null }));
}

#[tokio::test]
async fn a_plugin_has_its_whole_configuration() {
    let desk = Desk::open();
    let body = json!({ "name": "oauth2", "config": { "enable_client_credentials": true } });
    let mut plugin = desk.made("/plugins", body).await;
    let config = plugin["config"].as_object_mut().unwrap();
    let key = config.remove("provision_key").unwrap();
    let key = key.as_str().unwrap();
    assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    is_whole(
        &plugin,
        json!({
            "name": "oauth2", "instance_name": null, "service": null, "route": null, "consumer": null,
            "config": {
                "scopes": null, "mandatory_scope": false, "token_expiration": 7200, "enable_authorization_code": false,
                "enable_implicit_grant": false, "enable_client_credentials": true, "enable_password_grant": false,
                "hide_credentials": false, "accept_http_if_already_terminated": false, "anonymous": null,
                "global_credentials": false, "auth_header_name": "authorization", "refresh_token_ttl": 1_209_600,
                "persistent_refresh_token": false, "reuse_refresh_token": false, "pkce": "lax", "realm": null,
                "scope_header_separator": " ", "refresh_grace": 10, "profile": "kong",
            },
            "protocols": ["grpc", "grpcs", "http", "https"], "enabled": true, "tags": null,
        }),
    );
}

#[tokio::test]
async fn times_and_ids_are_the_gateways() {
    let desk = Desk::open();
    let made = desk.made("/consumers", json!({ "username": "bob", "created_at": 100, "updated_at": 100 })).await;
    assert_eq!(made["created_at"], 100, "a restore keeps when it was made");
    assert!(made["updated_at"].as_i64().unwrap() > 100);
    let (_, patched) = desk.patch("/consumers/bob", json!({ "custom_id": "x" })).await;
    assert_eq!((&patched["id"], &patched["created_at"]), (&made["id"], &json!(100)));
}

#[tokio::test]
async fn a_set_drops_repetitions_and_keeps_the_order() {
    let desk = Desk::open();
    let consumer = desk.made("/consumers", json!({ "username": "bob", "tags": ["b", "a", "b"] })).await;
    assert_eq!(consumer["tags"], json!(["b", "a"]));
    let consumer = desk.made("/consumers", json!({ "username": "eve", "tags": [] })).await;
    assert_eq!(desk.get("/consumers/eve").await.1["tags"], json!([]), "empty stays empty: {consumer}");
}

#[tokio::test]
async fn deleting_an_entity_takes_what_hangs_on_it() {
    let desk = Desk::open();
    desk.made("/consumers", json!({ "username": "bob" })).await;
    let credential = desk.made("/consumers/bob/oauth2", json!({ "name": "a", "client_id": "c" })).await;
    let token = json!({ "credential": { "id": id(&credential) }, "expires_in": 10, "access_token": "t" });
    desk.made("/oauth2_tokens", token).await;
    desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    let plugin = json!({ "name": "oauth2", "instance_name": "p", "config": { "enable_client_credentials": true } });
    desk.made("/services/s/plugins", plugin).await;
    assert_eq!(desk.delete("/consumers/bob").await.0, 204);
    assert_eq!(desk.delete("/services/s").await.0, 204);
    for path in ["/oauth2/c", "/oauth2_tokens/t", "/plugins/p"] {
        assert_eq!(desk.get(path).await.0, 404, "{path}");
    }
}
