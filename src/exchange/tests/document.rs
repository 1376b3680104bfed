use serde_json::{Value, json};

use crate::exchange::document::read;
use crate::exchange::{Given, Input};

fn given<'i>(input: &'i Input, place: &str) -> &'i Given {
    input.given.iter().find(|given| given.place == place).unwrap_or_else(|| panic!("nothing at {place}: {input:?}"))
}

#[test]
fn nested_entities_know_what_they_stand_below() {
    let input = read(json!({
        "_format_version": "3.0",
        "services": [{"name": "a"}, {"name": "b", "routes": [{"paths": ["/b"], "plugins": [{"name": "oauth2"}]}]}],
        "certificates": [{"cert": "c", "key": "k", "snis": ["a.example", {"name": "b.example"}]}],
        "consumers": [{"username": "kim", "oauth2_credentials": [{"name": "app", "oauth2_tokens": [{"expires_in": 1}]}]}],
    }))
    .unwrap();
    let route = given(&input, "services[1].routes[0]");
    let service = input.given.iter().position(|given| given.place == "services[1]").unwrap();
    assert_eq!((route.entity, route.parent), ("routes", Some(("service", service))));
    assert_eq!(given(&input, "services[1].routes[0].plugins[0]").parent.unwrap().0, "route");
    assert_eq!(given(&input, "certificates[0].snis[0]").fields["name"], "a.example");
    assert_eq!(given(&input, "consumers[0].oauth2_credentials[0].oauth2_tokens[0]").parent.unwrap().0, "credential");
}

#[test]
fn tags_defaults_and_shared_settings_are_laid_under() {
    let input = read(json!({
        "_format_version": "1.1",
        "_info": {"select_tags": ["team-a"], "defaults": {"service": {"retries": 2, "port": 81}, "upstream": {}}},
        "_plugin_configs": {"strict": {"scopes": ["read"], "mandatory_scope": true}},
        "services": [{"name": "a", "port": 80, "tags": ["x", "team-a"]}],
        "plugins": [{"name": "oauth2", "_config": "strict", "config": {"scopes": ["write"]}}],
    }))
    .unwrap();
    let service = &given(&input, "services[0]").fields;
    assert_eq!((&service["port"], &service["retries"]), (&json!(80), &json!(2)));
    assert_eq!(service["tags"], json!(["x", "team-a"]));
    let plugin = &given(&input, "plugins[0]").fields;
    assert_eq!(plugin["config"], json!({"scopes": ["write"], "mandatory_scope": true}));
    assert!(!plugin.contains_key("_config"));
    assert_eq!(input.untaken[0].place, "_info.defaults.upstream");
}

#[test]
fn what_has_no_counterpart_is_listed_with_its_place() {
    let input = read(json!({
        "_format_version": "3.0",
        "upstreams": [{"name": "pool", "targets": [{"target": "10.0.0.1:80"}]}],
        "consumers": [{"username": "kim", "acls": [{"group": "staff"}], "groups": [{"name": "gold"}]}],
        "vaults": [{"prefix": "env"}],
    }))
    .unwrap();
    let places: Vec<&str> = input.untaken.iter().map(|untaken| untaken.place.as_str()).collect();
    let wanted =
        ["consumers[0].acls[0] (`staff`)", "consumers[0].groups[0] (`gold`)", "upstreams[0] (`pool`)", "vaults[0]"];
    assert!(wanted.iter().all(|place| places.iter().any(|known| known.starts_with(place))), "{places:?}");
}

#[test]
fn what_is_no_such_file_is_told_at_its_place() {
    let told = |document: Value| read(document).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(told(json!([]))[0].contains("not a declarative file"));
    assert_eq!(told(json!({"_format_version": "9.9"}))[0].split(':').next(), Some("_format_version"));
    let faults = told(json!({"_format_version": "3.0", "servces": [], "services": {"a": 1}, "routes": ["x"],
        "plugins": [{"name": "oauth2", "_config": "gone"}]}));
    assert!(faults.contains(&"servces: unknown field".to_owned()), "{faults:?}");
    assert!(faults.contains(&"services: expected an array".to_owned()), "{faults:?}");
    assert!(faults.contains(&"routes[0]: expected a record".to_owned()), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.starts_with("plugins[0]._config: ")), "{faults:?}");
}

#[test]
fn older_paths_become_patterns_and_are_noted() {
    let document = |version: &str| {
        let routes = json!([{"paths": ["/a/\\d+", "/b"]}]);
        read(json!({"_format_version": version, "routes": routes})).unwrap()
    };
    let old = document("2.1");
    assert_eq!(given(&old, "routes[0]").fields["paths"], json!(["~/a/\\d+", "/b"]));
    assert!(old.notes[0].starts_with("routes[0].paths[0]: "), "{:?}", old.notes);
    let new = document("3.0");
    assert_eq!(given(&new, "routes[0]").fields["paths"], json!(["/a/\\d+", "/b"]));
    assert!(new.notes.is_empty());
}
