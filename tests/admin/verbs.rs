//! Verbs (contract, section 2).

use serde_json::{Value, json};

use crate::desk::{Desk, NOBODY, header, id, read};

#[tokio::test]
async fn post_answers_201_with_the_entity_and_get_shows_the_same() {
    let desk = Desk::open();
    let made = desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    for path in ["/services/s".to_owned(), format!("/services/{}", id(&made)), "/services/s/".to_owned()] {
        assert_eq!(desk.get(&path).await, (200, made.clone()), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let desk = Desk::open();
    for path in ["/services/nope", &format!("/services/{NOBODY}"), "/nope", "/services/a/nope", "//services"] {
        assert_eq!(desk.get(path).await, (404, json!({ "message": "Not found" })), "{path}");
    }
}

#[tokio::test]
async fn put_creates_by_name_and_by_id() {
    let desk = Desk::open();
    let (status, named) = desk.put("/services/s", json!({ "host": "a.com" })).await;
    assert_eq!((status, &named["name"]), (200, &json!("s")));
    let (status, by_id) = desk.put(&format!("/services/{NOBODY}"), json!({ "host": "b.com" })).await;
    assert_eq!((status, id(&by_id)), (200, NOBODY));
}

#[tokio::test]
async fn put_replaces_and_what_is_missing_takes_its_default() {
    let desk = Desk::open();
    let made = desk.made("/services", json!({ "name": "s", "host": "a.com", "port": 81, "tags": ["a"] })).await;
    let (status, replaced) = desk.put("/services/s", json!({ "host": "b.com" })).await;
    assert_eq!(status, 200, "{replaced}");
    assert_eq!((&replaced["host"], &replaced["port"], &replaced["tags"]), (&json!("b.com"), &json!(80), &Value::Null));
    assert_eq!((id(&replaced), &replaced["created_at"]), (id(&made), &made["created_at"]));
    let (_, renamed) = desk.put("/services/s", json!({ "host": "b.com", "name": "t" })).await;
    assert_eq!((id(&renamed), &renamed["name"]), (id(&made), &json!("t")));
}

#[tokio::test]
async fn put_takes_a_whole_entity_as_it_was_read() {
    let desk = Desk::open();
    let made = desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    let mut body = made.clone();
    body["created_at"] = json!(100);
    body["updated_at"] = json!(100);
    let (status, put) = desk.put(&format!("/services/{}", id(&made)), body).await;
    assert_eq!((status, &put["created_at"]), (200, &json!(100)), "{put}");
    assert!(put["updated_at"].as_i64().unwrap() > 100, "the gateway says when it was written");
    let other = json!({ "host": "a.com", "id": NOBODY });
    let (status, refusal) = desk.put(&format!("/services/{}", id(&made)), other).await;
    assert_eq!((status, &refusal["fields"]), (400, &json!({ "id": "immutable field cannot be updated" })));
}

#[tokio::test]
async fn patch_merges_records_replaces_arrays_and_clears_by_null() {
    let desk = Desk::open();
    let route =
        json!({ "name": "r", "paths": ["/a", "/b"], "hosts": ["x.com"], "headers": { "a": ["1"], "b": ["2"] } });
    desk.made("/routes", route).await;
    let change = json!({ "paths": ["/c"], "hosts": null, "headers": { "c": ["3"] } });
    let (status, patched) = desk.patch("/routes/r", change).await;
    assert_eq!(status, 200, "{patched}");
    assert_eq!((&patched["paths"], &patched["hosts"]), (&json!(["/c"]), &Value::Null));
    assert_eq!(patched["headers"], json!({ "c": ["3"] }), "a map is replaced");
    let config = json!({ "scopes": ["a"], "enable_client_credentials": true });
    desk.made("/plugins", json!({ "name": "oauth2", "instance_name": "p", "config": config })).await;
    let (_, plugin) = desk.patch("/plugins/p", json!({ "config": { "realm": "r", "scopes": null } })).await;
    assert_eq!((&plugin["config"]["realm"], &plugin["config"]["scopes"]), (&json!("r"), &Value::Null));
    assert_eq!(plugin["config"]["enable_client_credentials"], true, "a record is merged");
}

#[tokio::test]
async fn patch_of_a_required_field_to_null_is_refused_and_of_nothing_is_404() {
    let desk = Desk::open();
    desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    for field in ["host", "port", "enabled"] {
        let (status, refusal) = desk.patch("/services/s", json!({ field: null })).await;
        assert_eq!((status, &refusal["fields"]), (400, &json!({ field: "required field missing" })));
    }
    assert_eq!(desk.patch("/services/t", json!({})).await, (404, json!({ "message": "Not found" })));
}

#[tokio::test]
async fn delete_is_204_also_the_second_time() {
    let desk = Desk::open();
    desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    for path in ["/services/s", "/services/s", &format!("/services/{NOBODY}")] {
        assert_eq!(desk.delete(path).await, (204, Value::Null), "{path}");
    }
}

#[tokio::test]
async fn delete_of_nothing_below_another_entity_is_404() {
    let desk = Desk::open();
    desk.made("/consumers", json!({ "username": "bob" })).await;
    for path in ["/consumers/bob/oauth2/y", "/consumers/x/oauth2/y", "/consumers/bob/plugins/y"] {
        assert_eq!(desk.delete(path).await, (404, json!({ "message": "Not found" })), "{path}");
    }
}

#[tokio::test]
async fn another_verb_is_405_and_says_which_are_allowed() {
    let desk = Desk::open();
    for (method, path, allowed) in [
        ("DELETE", "/services", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/routes/r", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("LINK", "/services/s", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ("DELETE", "/routes/r/service", "GET, HEAD, OPTIONS, PATCH, PUT"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("GET", "/schemas/plugins/validate", "OPTIONS, POST"),
        ("LINK", "/services", "GET, HEAD, OPTIONS, POST"),
    ] {
        let response = desk.ask(method, path).await;
        assert_eq!(header(&response, "allow"), allowed, "{method} {path}");
        assert_eq!(read(response).await, (405, json!({ "message": "Method not allowed" })));
    }
}

#[tokio::test]
async fn options_is_204_with_allow_and_head_is_get_without_body() {
    let desk = Desk::open();
    let options = desk.ask("OPTIONS", "/services").await;
    assert_eq!((options.status().as_u16(), header(&options, "allow")), (204, "GET, HEAD, OPTIONS, POST".to_owned()));
    for path in ["/services", "/services/nope", "/", "/tags", "/openapi.json"] {
        let (head, get) = (desk.ask("HEAD", path).await, desk.ask("GET", path).await);
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(header(&head, "content-type"), header(&get, "content-type"));
        assert_eq!(head.text().await.unwrap(), "");
    }
}

#[tokio::test]
async fn keys_are_decoded_and_may_be_any_utf8() {
    let desk = Desk::open();
    for name in ["día ñ/ü", "a%2Fb", "日本", "x y&z=1"] {
        let made = desk.made("/consumers", json!({ "username": name })).await;
        let mut url: reqwest::Url = desk.gateway.admin("/consumers").parse().unwrap();
        url.path_segments_mut().unwrap().push(name);
        let found = read(desk.client.get(url).send().await.unwrap()).await;
        assert_eq!(found, (200, made), "{name}");
    }
}

#[tokio::test]
async fn every_answer_names_the_server_and_the_request() {
    let desk = Desk::open();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/services"),
        ("GET", "/nope"),
        ("DELETE", "/services"),
        ("OPTIONS", "/services"),
        ("HEAD", "/services"),
        ("POST", "/consumers"),
        ("DELETE", "/services/nope"),
        ("GET", "/metrics"),
    ] {
        let response = desk.ask(method, path).await;
        assert_eq!(header(&response, "server"), concat!("tollgate/", env!("CARGO_PKG_VERSION")), "{method} {path}");
        assert_eq!(header(&response, "x-request-id").len(), 32, "{method} {path}");
    }
}
