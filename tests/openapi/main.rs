//! `/openapi.json` against the running server: every path and verb answers as described, every field is kept.

#[path = "../support/mod.rs"]
mod support;

mod conform;
mod samples;
mod world;

use serde_json::{Map, Value, json};

use conform::conform;
use world::World;

const VERBS: [&str; 5] = ["get", "patch", "put", "post", "delete"];

/// The described answer of a status; a status that is not described is a failure.
fn described<'d>(operation: &'d Value, status: u16, what: &str) -> Option<&'d Value> {
    let answer = operation["responses"].get(status.to_string());
    let answer = answer.unwrap_or_else(|| panic!("{what} answered {status}, which is not described"));
    answer.pointer("/content/application~1json/schema")
}

#[tokio::test]
async fn every_path_and_verb_answers_as_described() {
    let world = World::new().await;
    let paths = world.document["paths"].as_object().unwrap();
    for verb in VERBS {
        // What is deleted last is what others refer to.
        let items: Vec<_> = if verb == "delete" { paths.iter().rev().collect() } else { paths.iter().collect() };
        for (template, item) in items {
            let Some(operation) = item.get(verb) else { continue };
            let what = format!("{verb} {template}");
            let (status, body) = world.ask(verb, &world.path(template), json!({})).await;
            assert!(status < 500, "{what}: {status} {body}");
            if let Some(schema) = described(operation, status, &what) {
                let faults = conform(&world.document, schema, &body);
                assert!(faults.is_empty(), "{what} answered {status} otherwise than described: {faults:#?}\n{body}");
            }
        }
    }
}

#[tokio::test]
async fn the_good_answers_are_the_described_ones() {
    let world = World::new().await;
    for (template, item) in world.document["paths"].as_object().unwrap() {
        let path = world.path(template);
        let (status, body) = world.ask("get", &path, Value::Null).await;
        let refers_to_nothing = [
            "/plugins/{plugin}/consumer",
            "/consumers/{consumer}/plugins/{plugin}",
            "/developers/{developer}/plugins/{plugin}",
        ];
        if item.get("get").is_some() && !refers_to_nothing.contains(&template.as_str()) {
            assert_eq!(status, 200, "get {template}: {body}");
        }
    }
}

#[tokio::test]
async fn a_verb_that_is_not_described_is_not_served() {
    let world = World::new().await;
    for (template, item) in world.document["paths"].as_object().unwrap() {
        let path = world.path(template);
        for verb in VERBS.iter().filter(|verb| item.get(**verb).is_none()) {
            assert_eq!(world.ask(verb, &path, json!({})).await.0, 405, "{verb} {template}");
        }
        let mut wanted: Vec<String> =
            VERBS.iter().filter(|verb| item.get(**verb).is_some()).map(|verb| verb.to_uppercase()).collect();
        if item.get("get").is_some() {
            wanted.push("HEAD".to_owned());
        }
        wanted.push("OPTIONS".to_owned());
        wanted.sort_unstable();
        assert_eq!(world.allowed(&path).await, wanted.join(", "), "{template}");
    }
}

#[tokio::test]
async fn the_paths_are_those_the_server_lists() {
    let world = World::new().await;
    let mut described: Vec<&String> = world.document["paths"].as_object().unwrap().keys().collect();
    described.sort_unstable();
    let (_, listed) = world.ask("get", "/endpoints", Value::Null).await;
    assert_eq!(listed["data"], json!(described));
}

/// Whether everything sent is in what was kept; a record may have grown defaults.
fn holds(kept: &Value, sent: &Value) -> bool {
    match (kept, sent) {
        (Value::Object(kept), Value::Object(sent)) => {
            sent.iter().all(|(name, value)| kept.get(name).is_some_and(|kept| holds(kept, value)))
        }
        (kept, sent) => kept == sent,
    }
}

/// What is left of a life: less than was given, once the clock went on.
fn runs_down(name: &str, kept: &Value, sent: &Value) -> bool {
    name == "ttl" && kept.as_u64().zip(sent.as_u64()).is_some_and(|(left, given)| 0 < left && left <= given)
}

fn compare(sent: &Map<String, Value>, kept: &Value, what: &str) {
    for (name, value) in sent.iter().filter(|(name, value)| !runs_down(name, &kept[name.as_str()], value)) {
        assert!(holds(&kept[name], value), "{what}: `{name}` was {value} and is {}", kept[name]);
    }
}

#[tokio::test]
async fn every_field_is_kept_by_post_put_and_patch() {
    let world = World::new().await;
    for (entity, collection) in world.collections() {
        let sent = world.sample(&entity, 2);
        let (status, made) = world.ask("post", &collection, sent.clone().into()).await;
        assert!([200, 201].contains(&status), "{entity}: {made}\n{sent:?}");
        let shown = world.schema(&entity, "")["properties"].as_object().unwrap();
        let told: Map<_, _> = sent.clone().into_iter().filter(|(name, _)| shown.contains_key(name)).collect();
        compare(&told, &made, &format!("post of {entity}"));
        let answer = world.schema(&entity, "");
        assert!(conform(&world.document, answer, &made).is_empty(), "{entity}: {made}");
        let path = format!("{collection}/{}", made["id"].as_str().unwrap());
        assert_eq!(world.ask("get", &path, Value::Null).await.1["id"], made["id"]);
        let (status, put) = world.ask("put", &path, sent.clone().into()).await;
        match entity.as_str() {
            "developers" | "applications" => assert_eq!(status, 405),
            _ => {
                assert_eq!(status, 200, "put of {entity}: {put}");
                compare(&sent, &put, &format!("put of {entity}"));
            }
        }
        let change = world.changeable(&entity, &sent);
        let (status, mut patched) = world.ask("patch", &path, change.clone().into()).await;
        assert_eq!(status, 200, "patch of {entity}: {patched}");
        if entity == "developers" {
            patched = patched["developer"].take();
        }
        compare(&change, &patched, &format!("patch of {entity}"));
    }
}

#[tokio::test]
async fn every_described_field_is_known_and_no_other() {
    let world = World::new().await;
    for (entity, collection) in world.collections() {
        let mut body = world.sample(&entity, 3);
        body.insert("surely_unknown".to_owned(), json!(1));
        let (status, refusal) = world.ask("post", &collection, body.into()).await;
        assert_eq!((status, &refusal["fields"]), (400, &json!({ "surely_unknown": "unknown field" })), "{entity}");
    }
}

#[tokio::test]
async fn every_field_of_a_plugins_configuration_is_kept() {
    let world = World::new().await;
    let (_, enabled) = world.ask("get", "/plugins/enabled", Value::Null).await;
    for plugin in enabled["enabled_plugins"].as_array().unwrap() {
        let plugin = plugin.as_str().unwrap();
        let config = world.plugin_sample(plugin);
        let mut body = json!({ "name": plugin, "config": config });
        if plugin == "application-registration" {
            // It stands on a service only.
            let (_, service) = world.ask("post", "/services", json!({ "host": "a.com" })).await;
            body["service"] = json!({ "id": service["id"] });
        }
        let (status, made) = world.ask("post", "/plugins", body).await;
        assert_eq!(status, 201, "{plugin}: {made}");
        compare(&config, &made["config"], plugin);
    }
}

#[tokio::test]
async fn what_is_not_conforming_is_noticed() {
    let world = World::new().await;
    let (_, mut service) = world.ask("get", &world.path("/services/{service}"), Value::Null).await;
    let schema = world.schema("services", "");
    assert!(conform(&world.document, schema, &service).is_empty());
    service["port"] = json!("80");
    service.as_object_mut().unwrap().remove("host");
    assert_eq!(conform(&world.document, schema, &service).len(), 2, "the checker checks");
}
