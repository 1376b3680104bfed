//! What is judged how.

use serde_json::{Value, json};

use super::*;

fn guard(config: Value) -> Configuration {
    let plugin =
        json!({ "name": "oauth2", "enabled": true, "service": { "id": "s" }, "route": null, "config": config });
    let routes = [json!({ "id": "r", "name": "orders", "service": { "id": "s" }, "protocols": ["https"] })];
    let services = [json!({ "id": "s", "name": "orders" })];
    Configuration::new(&[plugin], &routes, &services, Vec::new(), json!({}))
}

/// Nothing a statement could mind.
fn good() -> Value {
    json!({
        "scopes": ["read"], "mandatory_scope": true, "token_expiration": 600, "enable_authorization_code": true,
        "enable_implicit_grant": false, "enable_password_grant": false, "hide_credentials": true,
        "global_credentials": false, "refresh_token_ttl": 1_209_600, "reuse_refresh_token": false, "pkce": "strict",
        "profile": "rfc9700", "accept_http_if_already_terminated": false
    })
}

fn broken(configuration: &Configuration) -> Vec<String> {
    let faults = STATEMENTS.iter().filter(|statement| matches!((statement.judge)(configuration), Verdict::Broken(_)));
    faults.map(|statement| format!("{} {}", statement.section, statement.says)).collect()
}

#[test]
fn a_good_configuration_lacks_only_what_tollgate_cannot_do_yet() {
    assert_eq!(broken(&guard(good())), ["2.2.1 access tokens are bound to their sender (mutual TLS or DPoP)"]);
}

#[test]
fn every_field_that_matters_is_judged() {
    for (field, value, sections) in [
        ("enable_implicit_grant", json!(true), &["2.1.2"][..]),
        ("enable_password_grant", json!(true), &["2.4"]),
        ("global_credentials", json!(true), &["2.3"]),
        ("scopes", json!(null), &["2.3"]),
        ("mandatory_scope", json!(false), &["2.3"]),
        ("token_expiration", json!(0), &["4.10"]),
        ("token_expiration", json!(90_000), &["4.10"]),
        ("refresh_token_ttl", json!(0), &["4.14.2"]),
        ("profile", json!("kong"), &["2.1", "4.3.2", "4.5.3"]),
        ("accept_http_if_already_terminated", json!(true), &["2.6"]),
    ] {
        let mut config = good();
        config[field] = value.clone();
        let faults = broken(&guard(config));
        let found: Vec<&str> = faults.iter().map(|fault| fault.split(' ').next().unwrap()).collect();
        let wanted: Vec<&str> = {
            let mut wanted = [sections, &["2.2.1"]].concat();
            wanted.sort_by_key(|section| STATEMENTS.iter().position(|known| known.section == *section));
            wanted
        };
        assert_eq!(found, wanted, "{field} = {value}");
    }
}

#[test]
fn pkce_is_asked_of_public_clients_more_strongly() {
    let mut config = good();
    config["profile"] = json!("kong");
    config["pkce"] = json!("lax");
    let faults = broken(&guard(config.clone()));
    assert!(faults.contains(&"2.1.1 confidential clients use PKCE".to_owned()), "{faults:?}");
    assert!(!faults.contains(&"2.1.1 public clients use PKCE".to_owned()), "{faults:?}");
    config["pkce"] = json!("none");
    assert!(broken(&guard(config)).contains(&"2.1.1 public clients use PKCE".to_owned()));
}

#[test]
fn clients_are_judged_by_their_addresses_and_secrets() {
    let client = |uri: &str, hashed: bool| json!({ "client_id": "shop", "client_type": "confidential", "hash_secret": hashed, "redirect_uris": [uri] });
    for (uri, plain) in [
        ("http://shop.example/cb", true),
        ("HTTP://shop.example/cb", true),
        ("http://localhost.evil.example/cb", true),
        ("http://127.0.0.1@shop.example/", true),
        ("https://shop.example/cb", false),
        ("http://localhost:8080/cb", false),
        ("http://127.0.0.1/cb", false),
        ("http://[::1]:9/cb", false),
        ("com.example.app:/cb", false),
        ("http:/", false),
        ("é", false),
    ] {
        let configuration = Configuration { clients: vec![client(uri, true)], ..Configuration::default() };
        let faults = broken(&configuration);
        assert_eq!(faults.iter().any(|fault| fault.contains("plain http")), plain, "{uri}: {faults:?}");
        assert!(!faults.iter().any(|fault| fault.contains("hashed")));
    }
    let configuration = Configuration { clients: vec![client("https://a", false)], ..Configuration::default() };
    assert!(broken(&configuration).iter().any(|fault| fault.contains("hashed")));
}

#[test]
fn reused_refresh_tokens_matter_to_public_clients() {
    let mut config = good();
    config["reuse_refresh_token"] = json!(true);
    let mut configuration = guard(config);
    assert!(!broken(&configuration).iter().any(|fault| fault.starts_with("2.2.2")));
    configuration.clients.push(json!({ "client_id": "app", "client_type": "public" }));
    assert!(broken(&configuration).iter().any(|fault| fault.starts_with("2.2.2")));
}

#[test]
fn a_network_that_is_everybody_is_no_proxy() {
    for (ranges, wide) in [
        (json!([]), false),
        (json!(["10.0.0.0/8", "192.168.0.0/16"]), false),
        (json!(["10.0.0.0/8", "0.0.0.0/0"]), true),
        (json!(["::/0"]), true),
    ] {
        let configuration =
            Configuration { settings: json!({ "proxy_trusted_ips": ranges }), ..Configuration::default() };
        assert_eq!(broken(&configuration).iter().any(|fault| fault.starts_with("4.13")), wide, "{ranges}");
    }
}

#[test]
fn a_plugin_that_is_off_and_one_of_another_kind_guard_nothing() {
    let plugins = [
        json!({ "name": "oauth2", "enabled": false, "config": { "enable_password_grant": true } }),
        json!({ "name": "key-auth", "enabled": true, "config": {} }),
        json!({ "name": "application-registration", "enabled": true, "config": { "auto_approve": true } }),
    ];
    assert!(Configuration::new(&plugins, &[], &[], Vec::new(), json!({})).guards.is_empty());
}

#[test]
fn plain_routes_of_a_guard_are_named() {
    let plugin =
        json!({ "name": "oauth2", "enabled": true, "service": { "id": "s" }, "route": null, "config": good() });
    let routes = [
        json!({ "id": "1", "name": "open", "service": { "id": "s" }, "protocols": ["http", "https"] }),
        json!({ "id": "2", "name": "shut", "service": { "id": "s" }, "protocols": ["https"] }),
        json!({ "id": "3", "name": "other", "service": { "id": "t" }, "protocols": ["http"] }),
    ];
    let configuration = Configuration::new(&[plugin], &routes, &[], Vec::new(), json!({}));
    assert_eq!(configuration.guards[0].plain_routes, ["open"]);
    let told = report(&configuration).text;
    assert!(told.contains("oauth2 on service s: tokens may travel in clear on routes open"), "{told}");
}

#[test]
fn every_statement_has_one_line_and_the_score_adds_up() {
    let told = report(&guard(good()));
    assert_eq!(told.text.lines().count(), STATEMENTS.len() + 1);
    assert_eq!((told.counted - told.kept, told.musts_broken), (1, 0));
    let score = told.text.lines().last().unwrap();
    assert_eq!(score, format!("score {} of {}: 1 not kept, 0 of them a MUST (RFC 9700)", told.kept, told.counted));
}

#[test]
fn a_line_stays_readable_where_much_is_wrong() {
    let clients = (0..100).map(|nth| json!({ "client_id": nth.to_string(), "redirect_uris": ["http://a.example"] }));
    let configuration = Configuration { clients: clients.collect(), ..Configuration::default() };
    let told = report(&configuration).text;
    assert!(told.lines().all(|line| line.len() < 600) && told.contains("and 95 more"), "{told}");
}
