//! The texts of the checks, and the shape of `fields` (contract, section 3).

use serde_json::{Value, json};

use crate::desk::Desk;

async fn judged(desk: &Desk, path: &str, cases: Vec<(Value, Value)>) {
    for (body, wanted) in cases {
        assert_eq!(desk.faults(path, body.clone()).await, wanted, "{path} {body}");
    }
}

#[tokio::test]
async fn all_violations_are_told_together_and_counted() {
    let desk = Desk::open();
    let (status, refusal) = desk.post("/services", json!({ "path": "x" })).await;
    let wanted = json!({
        "code": 2, "name": "schema violation",
        "message": "2 schema violations (host: required field missing; path: should start with: /)",
        "fields": { "host": "required field missing", "path": "should start with: /" },
    });
    assert_eq!((status, refusal), (400, wanted));
    let (_, refusal) = desk.post("/services", json!({})).await;
    assert_eq!(refusal["message"], "schema violation (host: required field missing)");
}

#[tokio::test]
async fn presence_names_and_types() {
    let desk = Desk::open();
    let body = json!({ "host": 1, "port": "x", "enabled": "y", "tags": { "a": 1 }, "client_certificate": "x",
                       "ca_certificates": ["x"], "retries": 1.5, "wat": 1, "protocol": "https", "id": "x" });
    let wanted = json!({
        "host": "expected a string", "port": "expected an integer", "enabled": "expected a boolean",
        "tags": "expected a set", "client_certificate": "expected a record", "retries": "expected an integer",
        "ca_certificates": ["expected a valid UUID"], "wat": "unknown field", "id": "expected a valid UUID",
    });
    judged(&desk, "/services", vec![(body, wanted), (json!({}), json!({ "host": "required field missing" }))]).await;
    let map = json!({ "paths": ["/"], "headers": "x" });
    judged(&desk, "/routes", vec![(map, json!({ "headers": "expected a map" }))]).await;
    let config = json!({ "enable_implicit_grant": true, "token_expiration": "x", "wat": 1 });
    let nested = json!({ "config": { "token_expiration": "expected a number", "wat": "unknown field" } });
    judged(
        &desk,
        "/plugins",
        vec![
            (json!({ "name": "oauth2", "config": config }), nested),
            (json!({ "name": "oauth2", "config": "x" }), json!({ "config": "expected a record" })),
        ],
    )
    .await;
}

#[tokio::test]
async fn values_and_lengths() {
    let desk = Desk::open();
    let with = |field: &str, value: Value| {
        let mut body = json!({ "host": "a.com" });
        body[field] = value;
        body
    };
    judged(
        &desk,
        "/services",
        vec![
            (with("retries", json!(32768)), json!({ "retries": "value should be between 0 and 32767" })),
            (with("read_timeout", json!(0)), json!({ "read_timeout": "value should be between 1 and 2147483646" })),
            (with("port", json!(65536)), json!({ "port": "value should be between 0 and 65535" })),
            (with("name", json!("")), json!({ "name": "length must be at least 1" })),
            (
                with("protocol", json!("ftp")),
                json!({ "protocol": "expected one of: grpc, grpcs, http, https, ws, wss" }),
            ),
        ],
    )
    .await;
    judged(
        &desk,
        "/routes",
        vec![
            (json!({ "paths": ["/"], "protocols": [] }), json!({ "protocols": "length must be at least 1" })),
            (
                json!({ "paths": ["/"], "https_redirect_status_code": 400 }),
                json!({ "https_redirect_status_code": "expected one of: 426, 301, 302, 307, 308" }),
            ),
            (json!({ "paths": ["/"], "path_handling": "v2" }), json!({ "path_handling": "expected one of: v0, v1" })),
            (json!({ "methods": ["GET", "get"] }), json!({ "methods": [null, "invalid value: get"] })),
        ],
    )
    .await;
}

#[tokio::test]
async fn names_and_tags() {
    let desk = Desk::open();
    let name = "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~";
    let tag = |tag: &str| {
        format!("invalid tag '{tag}': expected printable ascii (except `,` and `/`) or valid utf-8 sequences")
    };
    judged(
        &desk,
        "/services",
        vec![
            (json!({ "host": "a.com", "name": "a b" }), json!({ "name": name })),
            (
                json!({ "host": "a.com", "tags": ["ok", "a,b", "a/b"] }),
                json!({ "tags": [null, tag("a,b"), tag("a/b")] }),
            ),
        ],
    )
    .await;
    let made = desk.made("/services", json!({ "host": "a.com", "name": "día.-_~", "tags": ["ñ b"] })).await;
    assert_eq!((&made["name"], &made["tags"]), (&json!("día.-_~"), &json!(["ñ b"])));
}

#[tokio::test]
async fn paths_of_services() {
    let desk = Desk::open();
    for (path, text) in [
        ("x", "should start with: /"),
        ("/a//b", "must not have empty segments"),
        ("/a b", "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)"),
        ("/%zz", "invalid url-encoded value: '%zz'"),
    ] {
        let body = json!({ "host": "a.com", "path": path });
        assert_eq!(desk.faults("/services", body).await, json!({ "path": text }), "{path}");
    }
}

#[tokio::test]
async fn paths_of_routes_a_bad_one_stands_at_its_index() {
    let desk = Desk::open();
    for (path, text) in [
        ("x", "should start with: / (fixed path) or ~/ (regex path)"),
        ("~x", "should start with: / (fixed path) or ~/ (regex path)"),
        ("/a//b", "must not have empty segments"),
        ("/{a}", "invalid path: '/{a}' (characters outside of the reserved list of RFC 3986 found)"),
        ("/a%zz", "invalid url-encoded value: '%zz'"),
        ("/a/../b", "non-normalized path, consider use '/b' instead"),
        ("/%41", "non-normalized path, consider use '/A' instead"),
        ("~/a[", "invalid regex: '/a[' (unclosed character class)"),
    ] {
        let faults = desk.faults("/routes", json!({ "paths": ["/ok", path] })).await;
        assert_eq!(faults, json!({ "paths": [null, text] }), "{path}");
    }
}

#[tokio::test]
async fn hosts_of_services_routes_and_handshakes() {
    let desk = Desk::open();
    for (host, text) in
        [("a b", "invalid value: a b"), ("a.com:80", "must not have a port"), ("*.x", "invalid value: *.x")]
    {
        assert_eq!(desk.faults("/services", json!({ "host": host })).await, json!({ "host": text }), "{host}");
    }
    let misplaced = "invalid wildcard: must be placed at leftmost or rightmost label";
    for (host, text) in [
        ("*.x.*", "invalid wildcard: must have at most one wildcard"),
        ("a.*.b", misplaced),
        ("*a.com", misplaced),
        ("a..b", "invalid value: a..b"),
        ("a:99999", "invalid value: a:99999"),
    ] {
        assert_eq!(desk.faults("/routes", json!({ "hosts": [host] })).await, json!({ "hosts": [text] }), "{host}");
    }
    desk.made("/routes", json!({ "hosts": ["*.x.com", "x.*", "a.com:8080", "*.x.com:80", "1.2.3.4"] })).await;
    for (sni, text) in
        [("1.2.3.4", "must not be an IP"), ("a.com:80", "must not have a port"), ("a b", "invalid value: a b")]
    {
        let body = json!({ "paths": ["/"], "snis": [sni] });
        assert_eq!(desk.faults("/routes", body).await, json!({ "snis": [text] }), "{sni}");
    }
    for (name, text) in [
        ("a.*.com", "wildcard must be leftmost or rightmost character"),
        ("*.a.*", "only one wildcard must be specified"),
    ] {
        let faults = desk.faults("/snis", json!({ "name": name })).await;
        assert_eq!(faults["name"], text, "{name}");
    }
}

#[tokio::test]
async fn checks_across_fields_stand_under_entity() {
    let desk = Desk::open();
    let none = "at least one of these fields must be non-empty: 'custom_id', 'username'";
    let conditional = "failed conditional validation given value of field 'protocol'";
    judged(&desk, "/consumers", vec![(json!({}), json!({ "@entity": [none] }))]).await;
    judged(
        &desk,
        "/services",
        vec![
            (
                json!({ "host": "a.com", "protocol": "grpc", "path": "/x" }),
                json!({ "@entity": [conditional], "path": "value must be null" }),
            ),
            (
                json!({ "host": "a.com", "tls_verify": true }),
                json!({ "@entity": [conditional], "tls_verify": "value must be null" }),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_route_must_match_something() {
    let desk = Desk::open();
    let text = |fields: &str, protocol: &str| json!({ "@entity": [format!("must set one of {fields} when 'protocols' is '{protocol}'")] });
    let (http, https) = ("'methods', 'hosts', 'headers', 'paths'", "'methods', 'hosts', 'headers', 'paths', 'snis'");
    judged(
        &desk,
        "/routes",
        vec![
            (json!({}), text(https, "https")),
            (json!({ "protocols": ["http"] }), text(http, "http")),
            (json!({ "protocols": ["grpc"] }), text("'hosts', 'headers', 'paths'", "grpc")),
        ],
    )
    .await;
    desk.made("/routes", json!({ "snis": ["a.com"], "protocols": ["https"] })).await;
}

#[tokio::test]
async fn plugins_are_judged_by_the_plugin_they_name() {
    let desk = Desk::open();
    let unknown = "plugin 'x' not enabled; add it to the 'plugins' configuration property";
    let grant = "at least one of these fields must be true: enable_authorization_code, enable_implicit_grant, \
                 enable_client_credentials, enable_password_grant";
    let consumer = desk.made("/consumers", json!({ "username": "bob" })).await;
    judged(&desk, "/plugins", vec![
        (json!({ "name": "x" }), json!({ "name": unknown })),
        (json!({}), json!({ "name": "required field missing" })),
        (json!({ "name": "oauth2" }), json!({ "config": grant })),
        (
            json!({ "name": "oauth2", "config": { "enable_implicit_grant": true, "mandatory_scope": true } }),
            json!({ "config": { "scopes": "required field missing" } }),
        ),
        (
            json!({ "name": "oauth2", "config": { "enable_implicit_grant": true }, "consumer": { "id": consumer["id"] } }),
            json!({ "consumer": "value must be null" }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn redirect_uris_are_told_at_their_index() {
    let desk = Desk::open();
    desk.made("/consumers", json!({ "username": "bob" })).await;
    judged(
        &desk,
        "/consumers/bob/oauth2",
        vec![
            (
                json!({ "name": "a", "redirect_uris": ["http://a.com", "nonsense"] }),
                json!({ "redirect_uris": [null, "cannot parse 'nonsense'"] }),
            ),
            (
                json!({ "name": "a", "redirect_uris": ["http://a.com/#x"] }),
                json!({ "redirect_uris": ["fragment not allowed in 'http://a.com/#x'"] }),
            ),
            (
                json!({ "name": "a", "client_type": "x" }),
                json!({ "client_type": "expected one of: confidential, public" }),
            ),
            (json!({}), json!({ "name": "required field missing" })),
        ],
    )
    .await;
}
