//! What Helm, the chart's schema and Kubernetes' schemas say.

use serde_json::{Value, json};

use crate::{ask, list, text};

#[test]
fn helm_finds_nothing_to_say() {
    assert_eq!(ask("lint", &Value::Null), json!([]));
}

#[test]
fn kubernetes_from_1_28_to_1_37_takes_every_object() {
    let said = ask("kubernetes", &Value::Null);
    assert_eq!(said["faults"], json!([]));
    assert_eq!(said["caught"], 10, "an object with a field that does not exist is caught as every version");
    assert!(said["objects"].as_u64().unwrap() > 700, "{said}");
}

/// Values, and what the refusal must name.
fn refused() -> Vec<(Value, &'static [&'static str])> {
    let postgres = json!({ "type": "postgres", "url": "postgres://a@b/c" });
    vec![
        (json!({ "replicaCount": 2 }), &["/replicaCount", "maximum: got 2, want 1"]),
        (json!({ "autoscaling": { "enabled": true } }), &["/autoscaling/enabled", "value must be false"]),
        (json!({ "database": { "url": "postgres://a@b/c" } }), &["/database/url", "maxLength"]),
        (json!({ "database": { "type": "postgres" } }), &["/database/url", "/database/existingSecret", "minLength"]),
        (json!({ "database": { "type": "mysql" } }), &["/database/type", "'postgres', 'sqlite'"]),
        (json!({ "database": { "type": "postgres", "url": "mysql://a" } }), &["/database/url", "does not match"]),
        (json!({ "database": postgres, "replicaCount": 2 }), &["/redis/url", "/redis/existingSecret"]),
        (json!({ "database": postgres, "autoscaling": { "enabled": true } }), &["/redis/url"]),
        (json!({ "redis": { "url": "http://a" } }), &["/redis/url", "does not match"]),
        (json!({ "redis": { "url": "redis://a", "existingSecret": "b" } }), &["/redis/url", "want 0"]),
        (json!({ "proxy": { "drainSeconds": 3601 } }), &["/proxy/drainSeconds", "maximum"]),
        (json!({ "proxy": { "drainSeconds": "30s" } }), &["/proxy/drainSeconds", "got string, want integer"]),
        (json!({ "proxy": { "httpRoute": { "enabled": true } } }), &["/proxy/httpRoute/parentRefs", "minItems"]),
        (json!({ "settings": { "log": { "levle": "debug" } } }), &["/settings/log", "levle"]),
        (json!({ "settings": { "proxy": { "listen": "0.0.0.0:1" } } }), &["/settings/proxy", "listen"]),
        (json!({ "settings": { "database": { "url": "x" } } }), &["/settings/database", "url"]),
        (json!({ "replicas": 1 }), &["replicas"]),
        (json!({ "image": { "digest": "abc" } }), &["/image/digest"]),
        (json!({ "image": { "pullPolicy": "Sometimes" } }), &["/image/pullPolicy"]),
        (json!({ "listenAddress": "127.0.0.1" }), &["/listenAddress"]),
        (json!({ "extraEnv": [{ "value": "x" }] }), &["/extraEnv/0", "name"]),
    ]
}

#[test]
fn values_that_cannot_work_are_refused_by_name() {
    let table = refused();
    let values: Vec<_> = table.iter().map(|(values, _)| values).collect();
    let said = ask("judge", &json!(values));
    for ((values, parts), said) in table.iter().zip(list(&said)) {
        let why = said.as_str().unwrap_or_else(|| panic!("taken: {values}"));
        assert!(parts.iter().all(|part| why.contains(part)), "{values}: {why}");
    }
}

#[test]
fn values_near_those_are_taken() {
    let values = json!([
        { "database": { "type": "postgres", "url": "postgres://a@b/c" } },
        { "database": { "type": "postgres", "existingSecret": "a" }, "redis": { "existingSecret": "b" }, "replicaCount": 2 },
        { "settings": { "log": { "level": "debug" } } },
        { "global": { "anything": true } },
    ]);
    assert_eq!(ask("judge", &values), json!([null, null, null, null]));
}

#[test]
fn what_was_generated_is_kept_when_the_release_is_upgraded() {
    let runs = ask("upgrade", &Value::Null);
    let (first, second) = (&runs[0], &runs[1]);
    assert_eq!(first, second);
    assert_eq!(first["demo-tollgate-migrate"]["keyring"], first["demo-tollgate-keyring"]["keyring"]);
    assert_eq!(text(&first["demo-tollgate-admin-token"]["token"]).len(), 40);
    // Another release begins with others.
    let other = ask("upgrade", &Value::Null);
    assert_ne!(first["demo-tollgate-keyring"], other[0]["demo-tollgate-keyring"]);
    assert_ne!(first["demo-tollgate-admin-token"], other[0]["demo-tollgate-admin-token"]);
}
