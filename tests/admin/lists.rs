//! Lists: pages, totals, tags, filters (contract, section 2).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desk::Desk;

const MANY: usize = 130;

async fn crowded() -> Desk {
    let desk = Desk::open();
    for nth in 0..MANY {
        let parity = if nth % 2 == 0 { "even" } else { "odd" };
        desk.made("/consumers", json!({ "username": format!("u{nth}"), "tags": ["all", parity] })).await;
    }
    desk
}

/// Follows `next` to the end; gives all names, and how many pages there were.
async fn walk(desk: &Desk, first: &str, kept: &[&str]) -> (BTreeSet<String>, usize) {
    let (mut names, mut pages, mut path) = (BTreeSet::new(), 0, first.to_owned());
    loop {
        let (status, page) = desk.get(&path).await;
        assert_eq!(status, 200, "{path}: {page}");
        pages += 1;
        for consumer in page["data"].as_array().unwrap() {
            assert!(names.insert(consumer["username"].as_str().unwrap().to_owned()), "twice: {consumer}");
        }
        let Some(next) = page["next"].as_str() else {
            assert!(page.get("offset").is_none(), "the last page has no offset");
            return (names, pages);
        };
        let offset = page["offset"].as_str().unwrap();
        assert!(next.contains(&format!("offset={offset}")), "{next}");
        for parameter in kept {
            assert!(next.contains(parameter), "{next} forgot {parameter}");
        }
        path = next.to_owned();
    }
}

#[tokio::test]
async fn pages_hold_100_and_lead_to_the_next() {
    let desk = crowded().await;
    let (_, page) = desk.get("/consumers").await;
    assert_eq!((page["data"].as_array().unwrap().len(), &page["total"]), (100, &json!(MANY)));
    assert!(page["next"].as_str().unwrap().starts_with("/consumers?offset="));
    let (names, pages) = walk(&desk, "/consumers", &[]).await;
    assert_eq!((names.len(), pages), (MANY, 2));
    let (names, pages) = walk(&desk, "/consumers?size=1000", &[]).await;
    assert_eq!((names.len(), pages), (MANY, 1));
}

#[tokio::test]
async fn next_keeps_size_tags_and_filters() {
    let desk = crowded().await;
    let (names, pages) = walk(&desk, "/consumers?size=30&tags=odd", &["size=30", "tags=odd"]).await;
    assert_eq!((names.len(), pages), (MANY / 2, 3));
    let (names, _) = walk(&desk, "/consumers?tags=odd,all&size=50", &["size=50"]).await;
    assert_eq!(names.len(), MANY / 2, "with all of them");
    let (names, _) = walk(&desk, "/consumers?tags=odd/even&size=100", &["size=100"]).await;
    assert_eq!(names.len(), MANY, "with any of them");
    let (_, page) = desk.get("/consumers?size=10&tags=even").await;
    assert_eq!(page["total"], json!(MANY / 2), "the total counts what is asked for");
}

#[tokio::test]
async fn a_nested_list_pages_below_its_parent() {
    let desk = Desk::open();
    for service in ["s", "t"] {
        desk.made("/services", json!({ "name": service, "host": "a.com" })).await;
        for nth in 0..5 {
            desk.made(&format!("/services/{service}/routes"), json!({ "paths": [format!("/{nth}")] })).await;
        }
    }
    let (_, first) = desk.get("/services/s/routes?size=3").await;
    let next = first["next"].as_str().unwrap();
    assert!(next.starts_with("/services/s/routes?size=3&offset="), "{next}");
    let (_, second) = desk.get(next).await;
    assert_eq!(
        (second["data"].as_array().unwrap().len(), &second["next"], &second["total"]),
        (2, &Value::Null, &json!(5))
    );
}

#[tokio::test]
async fn an_empty_list_is_an_array() {
    let desk = Desk::open();
    let empty = json!({ "data": [], "next": null, "total": 0 });
    for path in ["/services", "/routes", "/consumers", "/plugins", "/oauth2", "/oauth2_tokens", "/snis", "/upstreams"] {
        assert_eq!(desk.get(path).await, (200, empty.clone()), "{path}");
    }
}

#[tokio::test]
async fn filters_filter() {
    let desk = Desk::open();
    for name in ["bob", "eve"] {
        desk.made("/consumers", json!({ "username": name, "custom_id": format!("c-{name}") })).await;
        desk.made(&format!("/consumers/{name}/oauth2"), json!({ "name": "a", "client_id": name })).await;
    }
    for path in ["/consumers?username=bob", "/consumers?custom_id=c-bob"] {
        let (_, page) = desk.get(path).await;
        assert_eq!((&page["total"], &page["data"][0]["username"]), (&json!(1), &json!("bob")), "{path}");
    }
    let (_, page) = desk.get("/oauth2?client_id=eve").await;
    assert_eq!((&page["total"], &page["data"][0]["client_id"]), (&json!(1), &json!("eve")));
    assert_eq!(desk.get("/oauth2?client_id=nobody").await.1["data"], json!([]));
    assert_eq!(desk.get("/consumers?wat=1").await.1["total"], json!(2), "others are ignored, as in Kong");
}

#[tokio::test]
async fn tags_are_listed_with_their_entities() {
    let desk = Desk::open();
    let consumer = desk.made("/consumers", json!({ "username": "bob", "tags": ["a", "b"] })).await;
    let service = desk.made("/services", json!({ "host": "a.com", "tags": ["a"] })).await;
    let (_, all) = desk.get("/tags").await;
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    let (status, page) = desk.get("/tags/a").await;
    assert_eq!((status, &page["next"]), (200, &Value::Null));
    let entry = |name: &str, entity: &Value| json!({ "entity_name": name, "entity_id": entity["id"], "tag": "a" });
    let listed = page["data"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&entry("consumers", &consumer)) && listed.contains(&entry("services", &service)));
    let (_, first) = desk.get("/tags?size=2").await;
    let (_, rest) = desk.get(first["next"].as_str().unwrap()).await;
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    assert_eq!(desk.get("/tags/nothing").await, (200, json!({ "data": [], "next": null })));
}
