//! Entities below other entities (contract, section 2).

use serde_json::{Value, json};

use crate::desk::{Desk, id};

async fn desk_with_things() -> Desk {
    let desk = Desk::open();
    desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    desk.made("/services", json!({ "name": "other", "host": "b.com" })).await;
    desk.made("/services/s/routes", json!({ "name": "r", "paths": ["/r"] })).await;
    desk.made("/consumers", json!({ "username": "bob" })).await;
    desk
}

#[tokio::test]
async fn what_is_made_below_an_entity_refers_to_it() {
    let desk = desk_with_things().await;
    let (_, service) = desk.get("/services/s").await;
    let (_, route) = desk.get("/routes/r").await;
    assert_eq!(route["service"], json!({ "id": id(&service) }));
    let config = json!({ "enable_client_credentials": true });
    for (path, field, of) in
        [("/services/s/plugins", "service", "/services/s"), ("/routes/r/plugins", "route", "/routes/r")]
    {
        let plugin = desk.made(path, json!({ "name": "oauth2", "config": config })).await;
        assert_eq!(plugin[field], json!({ "id": id(&desk.get(of).await.1) }), "{path}");
        let (_, page) = desk.get(path).await;
        assert_eq!((&page["data"][0]["id"], &page["total"]), (&plugin["id"], &json!(1)), "{path}");
    }
    assert_eq!(desk.get("/consumers/bob/plugins").await, (200, json!({ "data": [], "next": null, "total": 0 })));
}

#[tokio::test]
async fn below_an_entity_that_is_not_there_everything_is_404() {
    let desk = desk_with_things().await;
    for path in ["/services/nope/routes", "/services/nope/plugins", "/consumers/nope/oauth2"] {
        assert_eq!(desk.get(path).await, (404, json!({ "message": "Not found" })), "{path}");
        assert_eq!(desk.post(path, json!({ "paths": ["/"] })).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn another_entitys_child_is_404_for_every_verb() {
    let desk = desk_with_things().await;
    for (method, body) in
        [("GET", None), ("PATCH", Some(json!({}))), ("PUT", Some(json!({ "paths": ["/"] }))), ("DELETE", None)]
    {
        let answer = desk.send(method, "/services/other/routes/r", body.unwrap_or(Value::Null)).await;
        assert_eq!(answer, (404, json!({ "message": "Not found" })), "{method}");
    }
    assert_eq!(desk.get("/services/s/routes/r").await.0, 200);
}

#[tokio::test]
async fn a_child_is_put_changed_and_deleted_below_its_parent() {
    let desk = desk_with_things().await;
    let (status, put) = desk.put("/services/s/routes/new", json!({ "paths": ["/n"] })).await;
    assert_eq!((status, &put["name"]), (200, &json!("new")));
    assert_eq!(put["service"]["id"], desk.get("/services/s").await.1["id"]);
    let (status, patched) = desk.patch("/services/s/routes/new", json!({ "paths": ["/m"] })).await;
    assert_eq!((status, &patched["paths"]), (200, &json!(["/m"])));
    assert_eq!(desk.delete("/services/s/routes/new").await.0, 204);
    assert_eq!(desk.delete("/services/s/routes/new").await.0, 404);
}

#[tokio::test]
async fn what_an_entity_refers_to_stands_at_the_fields_name() {
    let desk = desk_with_things().await;
    let config = json!({ "enable_client_credentials": true });
    let body = json!({ "name": "oauth2", "instance_name": "p", "config": config });
    desk.made("/routes/r/plugins", body).await;
    let (_, service) = desk.get("/services/s").await;
    assert_eq!(desk.get("/routes/r/service").await, (200, service));
    assert_eq!(desk.get("/plugins/p/route").await.1["name"], "r");
    for path in ["/plugins/p/service", "/plugins/p/consumer"] {
        assert_eq!(desk.get(path).await, (404, json!({ "message": "Not found" })), "{path} refers to nothing");
    }
    let (status, patched) = desk.patch("/routes/r/service", json!({ "retries": 1 })).await;
    assert_eq!((status, &patched["retries"]), (200, &json!(1)));
    let (status, put) = desk.put("/routes/r/service", json!({ "host": "c.com", "name": "s" })).await;
    assert_eq!((status, &put["retries"], &put["host"]), (200, &json!(5), &json!("c.com")));
}

#[tokio::test]
async fn references_are_given_by_id_or_by_name() {
    let desk = desk_with_things().await;
    let (_, service) = desk.get("/services/s").await;
    for reference in [json!({ "id": id(&service) }), json!({ "name": "s" }), json!({ "id": id(&service), "name": "s" })]
    {
        let route = desk.made("/routes", json!({ "paths": ["/"], "service": reference })).await;
        assert_eq!(route["service"], json!({ "id": id(&service) }));
    }
    let (_, route) = desk.patch("/routes/r", json!({ "service": null })).await;
    assert_eq!(route["service"], Value::Null, "null clears a reference");
}
