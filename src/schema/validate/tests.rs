use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::schema::*;

fn registry() -> Registry {
    let config = vec![
        Field::array("scopes", Field::string("scope")),
        Field::boolean("mandatory_scope").required().default(false),
        Field::string("provision_key").required().auto(Auto::Token),
        Field::number("token_expiration").required().default(7200),
        Field::record("limits", vec![Field::integer("x").default(1), Field::integer("y")]).required(),
    ];
    let rule = |config: &Value| {
        (config["mandatory_scope"] == true && config["scopes"].is_null()).then(|| "no scopes".to_owned())
    };
    Registry::new(vec![
        PluginSchema::new("oauth2", 1400, config).without_consumer().rule(rule).split_words(&["scopes"]),
    ])
}

fn generate(auto: Auto) -> Value {
    match auto {
        Auto::Uuid => json!("00000000-0000-7000-8000-000000000001"),
        Auto::CreatedAt => json!(1_700_000_000),
        Auto::UpdatedAt => json!(1_700_000_001),
        Auto::Token => json!("generated"),
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn insert(entity: &str, body: Value) -> Result<Accepted, Violations> {
    let registry = registry();
    registry.insert(registry.entity(entity).unwrap(), Body::json(object(body)), &mut generate)
}

fn faults(entity: &str, body: Value) -> Value {
    insert(entity, body).unwrap_err().to_json()
}

fn patch(entity: &str, old: &Entity, body: Value) -> Result<Accepted, Violations> {
    let registry = registry();
    registry.patch(registry.entity(entity).unwrap(), Body::json(object(body)), old, &mut generate)
}

#[test]
fn an_insert_gives_every_field_in_schema_order() {
    let accepted = insert("services", json!({"host": "a.com", "name": "s"})).unwrap();
    let registry = registry();
    let names: Vec<&str> = registry.entity("services").unwrap().fields.iter().map(|field| field.name).collect();
    assert_eq!(accepted.entity.keys().collect::<Vec<_>>(), names);
    assert_eq!(accepted.entity["port"], 80);
    assert_eq!(accepted.entity["path"], Value::Null);
    assert_eq!(accepted.entity["created_at"], 1_700_000_000);
}

#[test]
fn a_url_stands_for_four_fields() {
    let entity = insert("services", json!({"url": "https://a.com:8443/x"})).unwrap().entity;
    assert_eq!((&entity["protocol"], &entity["port"]), (&json!("https"), &json!(8443)));
    assert_eq!((&entity["host"], &entity["path"]), (&json!("a.com"), &json!("/x")));
    let violations = insert("services", json!({"url": "nonsense"})).unwrap_err();
    assert_eq!(violations.message(), "2 schema violations (host: required field missing; path: should start with: /)");
}

#[test]
fn all_violations_are_reported_together() {
    let body = json!({"port": 70000, "protocol": "ftp", "retries": "x", "tags": ["ok", "a,b"], "wat": 1});
    let shown = faults("services", body);
    assert_eq!(shown["host"], "required field missing");
    assert_eq!(shown["port"], "value should be between 0 and 65535");
    assert_eq!(shown["protocol"], "expected one of: grpc, grpcs, http, https, ws, wss");
    assert_eq!(shown["retries"], "expected an integer");
    assert_eq!(shown["tags"][0], Value::Null);
    assert!(shown["tags"][1].as_str().unwrap().starts_with("invalid tag 'a,b'"));
    assert_eq!(shown["wat"], "unknown field");
}

#[test]
fn a_check_across_fields_names_both() {
    let shown = faults("services", json!({"host": "a", "protocol": "grpc", "path": "/x"}));
    assert_eq!(shown["path"], "value must be null");
    assert_eq!(shown["@entity"], json!(["failed conditional validation given value of field 'protocol'"]));
    let shown = faults("consumers", json!({}));
    assert_eq!(shown["@entity"], json!(["at least one of these fields must be non-empty: 'custom_id', 'username'"]));
}

#[test]
fn a_route_must_match_something() {
    let text = "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'";
    assert_eq!(faults("routes", json!({}))["@entity"], json!([text]));
    let grpc = insert("routes", json!({"protocols": ["grpc"], "paths": ["/a"]})).unwrap().entity;
    assert_eq!(grpc["strip_path"], false);
    let http = insert("routes", json!({"paths": ["/a"]})).unwrap().entity;
    assert_eq!(http["strip_path"], true);
}

#[test]
fn a_plugin_is_judged_by_its_own_schema() {
    let entity = insert("plugins", json!({"name": "oauth2", "config": {"scopes": ["a"]}})).unwrap().entity;
    assert_eq!(entity["config"]["provision_key"], "generated");
    assert_eq!(entity["config"]["limits"], json!({"x": 1, "y": null}));
    assert_eq!(entity["protocols"], json!(["grpc", "grpcs", "http", "https"]));
    let id = "00000000-0000-7000-8000-000000000009";
    let shown = faults(
        "plugins",
        json!({"name": "oauth2", "consumer": {"id": id}, "config": {"limits": {"x": "1"}, "wat": 1}}),
    );
    assert_eq!(shown["consumer"], "value must be null");
    assert_eq!(shown["config"], json!({"limits": {"x": "expected an integer"}, "wat": "unknown field"}));
    assert_eq!(
        faults("plugins", json!({"name": "oauth2", "config": {"mandatory_scope": true}}))["config"],
        "no scopes"
    );
}

#[test]
fn an_unknown_plugin_is_named() {
    let shown = faults("plugins", json!({"name": "wat"}));
    assert_eq!(shown["name"], "plugin 'wat' not enabled; add it to the 'plugins' configuration property");
    assert_eq!(faults("plugins", json!({}))["name"], "required field missing");
}

#[test]
fn a_patch_merges_records_and_replaces_arrays_and_null_clears() {
    let config = json!({"scopes": ["a", "b"], "limits": {"x": 5, "y": 6}});
    let old = insert("plugins", json!({"name": "oauth2", "tags": ["t"], "config": config})).unwrap().entity;
    let body = json!({"tags": null, "config": {"scopes": ["c"], "limits": {"y": null}}});
    let new = patch("plugins", &old, body).unwrap().entity;
    assert_eq!(new["config"]["scopes"], json!(["c"]));
    assert_eq!(new["config"]["limits"], json!({"x": 5, "y": null}));
    assert_eq!(new["tags"], Value::Null);
    assert_eq!(new["updated_at"], 1_700_000_001);
    assert_eq!(new["id"], old["id"]);
}

#[test]
fn an_id_cannot_be_changed() {
    let old = insert("consumers", json!({"username": "bob"})).unwrap().entity;
    let other = "00000000-0000-7000-8000-000000000009";
    let shown = patch("consumers", &old, json!({"id": other})).unwrap_err().to_json();
    assert_eq!(shown["id"], "immutable field cannot be updated");
    assert!(patch("consumers", &old, json!({"id": old["id"]})).is_ok());
}

#[test]
fn a_replacing_body_takes_defaults_and_keeps_what_clients_cannot_know() {
    let registry = registry();
    let schema = registry.entity("plugins").unwrap();
    let mut old = insert("plugins", json!({"name": "oauth2", "enabled": false, "tags": ["t"]})).unwrap().entity;
    old.insert("id".into(), json!("00000000-0000-7000-8000-000000000005"));
    old.insert("created_at".into(), json!(5));
    old.insert("cache_key".into(), json!("key"));
    let body = Body::json(object(json!({"name": "oauth2"})));
    let new = registry.replace(schema, body, Some(&old), &mut generate).unwrap().entity;
    assert_eq!((&new["enabled"], &new["tags"]), (&json!(true), &Value::Null));
    assert_eq!(
        (&new["id"], &new["created_at"], &new["cache_key"]),
        (&old["id"], &old["created_at"], &old["cache_key"])
    );
}

#[test]
fn internal_fields_are_unknown_to_bodies() {
    assert_eq!(faults("plugins", json!({"name": "oauth2", "cache_key": "x"}))["cache_key"], "unknown field");
}

#[test]
fn form_texts_are_read_by_the_plugins_own_types() {
    let registry = registry();
    let form = "name=oauth2&config.mandatory_scope=true&config.scopes[]=a b&config.token_expiration=60&enabled=false";
    let body = decode(Some("application/x-www-form-urlencoded"), form.as_bytes()).unwrap();
    let entity = registry.insert(registry.entity("plugins").unwrap(), body, &mut generate).unwrap().entity;
    assert_eq!(entity["config"]["scopes"], json!(["a", "b"]));
    assert_eq!(entity["config"]["token_expiration"], 60);
    assert_eq!(entity["enabled"], false);
}

#[test]
fn a_token_may_be_sent_back_as_it_was_shown() {
    let id = "00000000-0000-7000-8000-000000000009";
    let body = json!({"credential_id": id, "service_id": null, "expires_in": 5, "expires_at": 99, "ttl": 60});
    let accepted = insert("oauth2_tokens", body).unwrap();
    assert_eq!(accepted.entity["credential"], json!({"id": id}));
    assert_eq!(accepted.entity["expires_at"], Value::Null);
    assert_eq!(accepted.shorthands["ttl"], 60);
}

#[test]
fn redirect_uris_report_the_bad_one_at_its_place() {
    let id = "00000000-0000-7000-8000-000000000009";
    let uris = json!(["http://a.com", "http://a.com/#x"]);
    let shown = faults("oauth2_credentials", json!({"name": "app", "consumer": {"id": id}, "redirect_uris": uris}));
    assert_eq!(shown, json!({"redirect_uris": [null, "fragment not allowed in 'http://a.com/#x'"]}));
    assert_eq!(
        faults("oauth2_credentials", json!({"name": "app", "consumer": {"id": "x"}}))["consumer"]["id"],
        "expected a valid UUID"
    );
}

#[test]
fn null_characters_never_reach_the_store() {
    assert_eq!(faults("consumers", json!({"username": "a\u{0}b"}))["username"], "must not contain a null character");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("oauth2")),
        Just(json!("https")),
        Just(json!("grpc")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn judging_never_panics(values in proptest::collection::vec(any_json(), 24), form in any::<bool>()) {
        let registry = registry();
        for schema in &registry.entities {
            let names = schema.fields.iter().chain(&schema.shorthands).map(|field| field.name.to_owned());
            let fields: Entity = names.zip(values.iter().cloned()).collect();
            match registry.insert(schema, Body { fields: fields.clone(), form }, &mut generate) {
                Ok(accepted) => prop_assert_eq!(accepted.entity.len(), schema.fields.len()),
                Err(violations) => prop_assert!(!violations.message().is_empty() && violations.to_json().is_object()),
            }
            let old: Entity = schema.fields.iter().map(|field| (field.name.to_owned(), Value::Null)).collect();
            let _ = registry.patch(schema, Body { fields, form }, &old, &mut generate);
        }
    }
}
