//! What deck and go-kong do, request by request (docs/decisions/0006).

use serde_json::{Value, json};

use crate::desk::{Desk, NOBODY, id};

#[tokio::test]
async fn the_root_decodes_as_go_kong_decodes_it() {
    let desk = Desk::open();
    let (_, root) = desk.get("/").await;
    let version: Vec<&str> = root["version"].as_str().unwrap().split('.').collect();
    assert!(version.len() == 3 && version[0] == "3" && version.iter().all(|part| part.parse::<u32>().is_ok()));
    assert!(root["configuration"]["database"].is_string() && root["configuration"]["database"] != "off");
    assert!(root["configuration"]["portal"].is_boolean());
    assert!(root["configuration"].get("rbac").is_none_or(Value::is_string));
}

#[tokio::test]
async fn a_dump_asks_for_every_collection_and_goes_on_where_one_is_not_built() {
    let desk = Desk::open();
    for path in
        ["services", "routes", "plugins", "certificates", "ca_certificates", "snis", "consumers", "upstreams", "oauth2"]
    {
        let (status, page) = desk.get(&format!("/{path}?size=1000")).await;
        assert_eq!((status, &page["data"], page.get("offset")), (200, &json!([]), None), "{path}");
        let (status, page) = desk.get(&format!("/{path}?size=1000&tags=team-a,team-b")).await;
        assert_eq!((status, &page["data"]), (200, &json!([])), "{path} by tags");
    }
    for path in
        ["hmac-auths", "basic-auths", "acls", "mtls-auths", "vaults", "consumer_groups", "filter-chains", "keys"]
    {
        assert_eq!(desk.get(&format!("/{path}?size=1000")).await, (404, json!({ "message": "Not found" })), "{path}");
    }
    assert_eq!(desk.ask("HEAD", "/tags").await.status(), 200, "whether tags are there");
}

#[tokio::test]
async fn defaults_are_read_from_the_schemas() {
    let desk = Desk::open();
    for (entity, field) in [("services", "retries"), ("routes", "strip_path")] {
        let (status, schema) = desk.get(&format!("/schemas/{entity}")).await;
        let fields = schema["fields"].as_array().unwrap();
        let found = fields.iter().find_map(|entry| entry.get(field)).unwrap();
        assert!(status == 200 && !found["default"].is_null(), "{entity}.{field}: {found}");
    }
    for entity in ["upstreams", "targets", "consumer_group_plugins"] {
        assert_eq!(desk.get(&format!("/schemas/{entity}")).await.0, 404, "{entity}");
    }
    let (_, plugin) = desk.get("/schemas/plugins/oauth2").await;
    let fields = plugin["fields"].as_array().unwrap();
    let config = fields.iter().find_map(|entry| entry.get("config")).unwrap();
    assert!(config["fields"].as_array().is_some_and(|fields| fields.iter().all(Value::is_object)), "{config}");
}

#[tokio::test]
async fn a_sync_puts_by_id_with_what_was_read_and_references_by_id_and_name() {
    let desk = Desk::open();
    let service = json!({ "id": NOBODY, "name": "s", "host": "a.com", "created_at": 100, "updated_at": 200 });
    let (status, put) = desk.put(&format!("/services/{NOBODY}"), service).await;
    assert_eq!((status, &put["created_at"]), (200, &json!(100)), "{put}");
    let route = json!({ "name": "r", "paths": ["/r"], "service": { "id": NOBODY, "name": "s" } });
    let (status, route) = desk.put("/routes/0191c5a4-0000-7000-8000-000000000001", route).await;
    assert_eq!((status, &route["service"]), (200, &json!({ "id": NOBODY })), "{route}");
    let (status, again) = desk.put(&format!("/routes/{}", id(&route)), route.clone()).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(again["created_at"], route["created_at"]);
}

#[tokio::test]
async fn what_is_read_can_be_written_back_unchanged() {
    let desk = Desk::open();
    desk.made("/services", json!({ "name": "s", "url": "https://a.com/x", "tags": ["t"] })).await;
    desk.made("/services/s/routes", json!({ "name": "r", "paths": ["/r"], "headers": { "x": ["1"] } })).await;
    desk.made("/consumers", json!({ "username": "bob", "custom_id": "c" })).await;
    let application = json!({ "name": "a", "client_id": "c", "redirect_uris": ["http://a.com"] });
    let application = desk.made("/consumers/bob/oauth2", application).await;
    let plugin = json!({ "name": "oauth2", "instance_name": "p", "config": { "enable_client_credentials": true } });
    desk.made("/routes/r/plugins", plugin).await;
    let token = json!({ "credential": { "id": id(&application) }, "expires_in": 10, "access_token": "t", "ttl": 500 });
    desk.made("/oauth2_tokens", token).await;
    for path in ["/services/s", "/routes/r", "/consumers/bob", "/oauth2/c", "/plugins/p", "/oauth2_tokens/t"] {
        let (_, before) = desk.get(path).await;
        for method in ["PUT", "PATCH"] {
            let (status, mut after) = desk.send(method, path, before.clone()).await;
            assert_eq!(status, 200, "{method} {path}: {after}");
            for moving in ["updated_at", "ttl"] {
                if before.get(moving).is_some() {
                    after[moving] = before[moving].clone();
                }
            }
            assert_eq!(after, before, "{method} {path}");
        }
    }
}
