use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn the_node_tells_about_itself() {
    let admin = admin().await;
    admin.made("/plugins", json!({"name": "oauth2", "config": {"enable_password_grant": true}})).await;
    let root = admin.get("/").await.body;
    assert_eq!(root["plugins"]["available_on_server"]["oauth2"]["priority"], 1400);
    assert_eq!(root["plugins"]["enabled_in_cluster"], json!(["oauth2"]));
    assert_eq!(admin.get("/status").await.body["database"]["reachable"], true);
    assert_eq!(admin.get("/status/ready").await.status, 200);
    assert!(admin.get("/plugins/enabled").await.body["enabled_plugins"].as_array().unwrap().contains(&json!("oauth2")));
    assert_eq!(admin.get("/metrics").await.status, 200);
}

#[tokio::test]
async fn schemas_are_shown_and_judge() {
    let admin = admin().await;
    assert_eq!(admin.get("/schemas/services").await.body["fields"][0]["id"]["auto"], true);
    assert!(admin.get("/schemas/plugins/oauth2").await.body["fields"].is_array());
    assert_eq!(admin.get("/schemas/wat").await.status, 404);
    assert_eq!(admin.get("/schemas/plugins/wat").await.status, 404);
    let good = admin.call("POST", "/schemas/services/validate", json!({"host": "h"})).await;
    assert_eq!((good.status, good.body), (200, json!({"message": "schema validation successful"})));
    assert_eq!(admin.call("POST", "/schemas/services/validate", json!({})).await.status, 400);
    let plugin = json!({"name": "oauth2", "config": {"enable_password_grant": true}});
    assert_eq!(admin.call("POST", "/schemas/plugins/validate", plugin).await.status, 200);
    assert_eq!(admin.get("/services").await.body["total"], 0);
}

#[tokio::test]
async fn tags_are_found_over_all_entities() {
    let admin = admin().await;
    admin.made("/consumers", json!({"username": "bob", "tags": ["red", "blue"]})).await;
    admin.made("/services", json!({"name": "s", "host": "h", "tags": ["red"]})).await;
    let all = admin.get("/tags").await.body;
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    let red = admin.get("/tags/red").await.body;
    let entities: BTreeSet<&str> =
        red["data"].as_array().unwrap().iter().map(|tagged| tagged["entity_name"].as_str().unwrap()).collect();
    assert_eq!(entities, BTreeSet::from(["consumers", "services"]));
    let (mut path, mut seen) = ("/tags?size=1".to_owned(), 0);
    loop {
        let page = admin.get(&path).await.body;
        seen += page["data"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        path = next.to_owned();
    }
    assert_eq!(seen, 3);
}

/// What is described answers with what is described: every path and verb is tried, and what comes back is compared.
#[tokio::test]
async fn the_description_is_true() {
    let admin = admin().await;
    let document = admin.get("/openapi.json").await.body;
    let listed: BTreeSet<String> = strings(&admin.get("/endpoints").await.body["data"]);
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().cloned().collect::<BTreeSet<_>>(), listed);
    for (path, item) in paths {
        let verbs = ["get", "post", "put", "patch", "delete"];
        for verb in verbs {
            let concrete: Vec<&str> =
                path.split('/').map(|part| if part.starts_with('{') { "none" } else { part }).collect();
            let body = if verb == "get" || verb == "delete" { Value::Null } else { json!({"wat": 1}) };
            let answer = admin.call(&verb.to_ascii_uppercase(), &concrete.join("/"), body).await;
            match item.get(verb) {
                None => assert_eq!(answer.status, 405, "{verb} {path}"),
                Some(operation) => {
                    let described = operation["responses"].get(answer.status.to_string());
                    assert!(described.is_some(), "{verb} {path} answered {}", answer.status);
                }
            }
        }
    }
}

#[tokio::test]
async fn answers_have_exactly_the_described_fields() {
    let admin = admin().await;
    let document = admin.get("/openapi.json").await.body;
    let service = admin.made("/services", json!({"name": "s", "host": "h"})).await;
    let consumer = admin.made("/consumers", json!({"username": "bob"})).await;
    let route = admin.made("/services/s/routes", json!({"paths": ["/"]})).await;
    let plugin = admin.made("/plugins", json!({"name": "oauth2", "config": {"enable_password_grant": true}})).await;
    let credential = admin.made("/consumers/bob/oauth2", json!({"name": "app"})).await;
    let token = json!({"credential": {"id": credential["id"]}, "expires_in": 5});
    let token = admin.made("/oauth2_tokens", token).await;
    let shown = [
        ("Service", service),
        ("Consumer", consumer),
        ("Route", route),
        ("Plugin", plugin),
        ("Oauth2Credential", credential),
        ("Oauth2Token", token),
    ];
    for (name, entity) in shown {
        let described = strings(&document["components"]["schemas"][name]["required"]);
        assert_eq!(entity.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), described, "{name}");
    }
}

fn strings(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
