//! Errors by code (contract, section 3).

use serde_json::json;

use crate::desk::{Desk, NOBODY, id};

#[tokio::test]
async fn code_1_an_entity_without_a_key_is_asked_for_by_id_only() {
    let desk = Desk::open();
    let wanted = json!({
        "code": 1, "name": "invalid primary key",
        "message": "invalid primary key: '{id=\"expected a valid UUID\"}'",
        "fields": { "id": "expected a valid UUID" },
    });
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        assert_eq!(desk.send(method, "/ca_certificates/x", json!({})).await, (400, wanted.clone()), "{method}");
    }
}

#[tokio::test]
async fn code_3_an_id_that_is_taken() {
    let desk = Desk::open();
    desk.made("/services", json!({ "id": NOBODY, "host": "a.com" })).await;
    let refusal = desk.post("/services", json!({ "id": NOBODY, "host": "a.com" })).await;
    let wanted = json!({
        "code": 3, "name": "primary key violation",
        "message": format!("primary key violation on key '{{id=\"{NOBODY}\"}}'"), "fields": { "id": NOBODY },
    });
    assert_eq!(refusal, (400, wanted));
}

#[tokio::test]
async fn code_4_a_reference_to_nothing() {
    let desk = Desk::open();
    let message = |entity: &str| {
        format!("the foreign key '{{id=\"{NOBODY}\"}}' does not reference an existing '{entity}' entity.")
    };
    for (path, body, field, entity) in [
        ("/routes", json!({ "paths": ["/"], "service": { "id": NOBODY } }), "service", "services"),
        ("/oauth2", json!({ "name": "a", "consumer": { "id": NOBODY } }), "consumer", "consumers"),
        (
            "/oauth2_tokens",
            json!({ "expires_in": 1, "credential": { "id": NOBODY } }),
            "credential",
            "oauth2_credentials",
        ),
        ("/snis", json!({ "name": "a.com", "certificate": { "id": NOBODY } }), "certificate", "certificates"),
    ] {
        let wanted = json!({ "code": 4, "name": "foreign key violation", "message": message(entity),
                             "fields": { field: { "id": NOBODY } } });
        assert_eq!(desk.post(path, body).await, (400, wanted), "{path}");
    }
}

#[tokio::test]
async fn code_4_deleting_what_is_referenced() {
    let desk = Desk::open();
    desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    desk.made("/services/s/routes", json!({ "name": "r", "paths": ["/"] })).await;
    let wanted = json!({
        "code": 4, "name": "foreign key violation",
        "message": "an existing 'routes' entity references this 'services' entity",
        "fields": { "@referenced_by": "routes" },
    });
    assert_eq!(desk.delete("/services/s").await, (400, wanted));
    assert_eq!(desk.delete("/routes/r").await.0, 204);
    assert_eq!(desk.delete("/services/s").await.0, 204);
}

#[tokio::test]
async fn code_5_a_value_that_is_taken() {
    let desk = Desk::open();
    for (path, body, field) in [
        ("/services", json!({ "host": "a.com", "name": "x" }), "name"),
        ("/routes", json!({ "paths": ["/"], "name": "x" }), "name"),
        ("/consumers", json!({ "username": "x" }), "username"),
        ("/consumers", json!({ "custom_id": "x" }), "custom_id"),
    ] {
        desk.made(path, body.clone()).await;
        let wanted = json!({
            "code": 5, "name": "unique constraint violation",
            "message": format!("UNIQUE violation detected on '{{{field}=\"x\"}}'"), "fields": { field: "x" },
        });
        assert_eq!(desk.post(path, body).await, (409, wanted), "{path}");
    }
}

#[tokio::test]
async fn code_5_a_second_plugin_of_a_name_in_one_place() {
    let desk = Desk::open();
    let service = desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    let plugin = json!({ "name": "oauth2", "config": { "enable_client_credentials": true } });
    desk.made("/plugins", plugin.clone()).await;
    desk.made("/services/s/plugins", plugin.clone()).await;
    assert_eq!(desk.post("/plugins", plugin.clone()).await.0, 409);
    let (status, refusal) = desk.post("/services/s/plugins", plugin).await;
    let place = json!({ "consumer": null, "name": "oauth2", "route": null, "service": { "id": id(&service) } });
    assert_eq!((status, &refusal["fields"]), (409, &place));
    let text = format!("{{consumer=null,name=\"oauth2\",route=null,service={{id=\"{}\"}}}}", id(&service));
    assert_eq!(refusal["message"], format!("UNIQUE violation detected on '{text}'"));
}

#[tokio::test]
async fn codes_7_9_and_11_what_a_list_cannot_read() {
    let desk = Desk::open();
    for (query, code, name) in [
        ("offset=zzz", 7, "invalid offset"),
        ("size=0", 9, "invalid size"),
        ("size=1001", 9, "invalid size"),
        ("size=x", 9, "invalid size"),
        ("tags=a,b/c", 11, "invalid options"),
        ("tags=", 11, "invalid options"),
    ] {
        let (status, refusal) = desk.get(&format!("/services?{query}")).await;
        assert_eq!((status, &refusal["code"], &refusal["name"]), (400, &json!(code), &json!(name)), "{query}");
        assert!(refusal["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    let (status, refusal) = desk.get("/oauth2_tokens?wat=1").await;
    assert_eq!((status, &refusal["code"]), (400, &json!(11)), "an unknown filter of tokens is refused");
}

#[tokio::test]
async fn a_reference_by_a_name_that_nothing_has() {
    let desk = Desk::open();
    let (status, refusal) = desk.post("/routes", json!({ "paths": ["/"], "service": { "name": "nope" } })).await;
    let text = "the foreign key cannot be resolved with '{name=\"nope\"}' for an existing 'services' entity";
    assert_eq!((status, &refusal["fields"]), (400, &json!({ "service": { "name": text } })), "{refusal}");
}
