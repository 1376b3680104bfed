//! Endpoints that tell about the node and the interface (contract, section 5).

use serde_json::{Value, json};

use crate::desk::{Desk, header};

#[tokio::test]
async fn the_root_tells_versions_plugins_and_configuration() {
    let desk = Desk::open();
    let (_, root) = desk.get("/").await;
    assert_eq!((&root["version"], &root["tollgate"]), (&json!("3.9.0"), &json!(env!("CARGO_PKG_VERSION"))));
    assert!(root["tagline"].is_string() && root["hostname"].is_string());
    assert_eq!(root["node_id"].as_str().unwrap().len(), 36);
    assert_eq!(root["plugins"]["available_on_server"]["oauth2"]["priority"], 1400);
    assert!(root["plugins"]["available_on_server"]["oauth2"]["version"].is_string());
    assert_eq!(root["plugins"]["enabled_in_cluster"], json!([]));
    let config = json!({ "enable_client_credentials": true });
    desk.made("/plugins", json!({ "name": "oauth2", "config": config })).await;
    assert_eq!(desk.get("/").await.1["plugins"]["enabled_in_cluster"], json!(["oauth2"]));
}

#[tokio::test]
async fn the_configuration_is_shown_typed_and_without_secrets() {
    let token = "ci:admin:abcdefghijklmnopqrstuvwxyz";
    let desk = Desk::open_with(|start| {
        start.env("TOLLGATE_ADMIN_TOKENS", token).env("TOLLGATE_PROXY_DNS_SERVERS", "127.0.0.1,[::1]:5353")
    });
    let (_, root) = desk.get("/").await;
    let configuration = &root["configuration"];
    assert_eq!((&configuration["database"], &configuration["portal"]), (&json!("sqlite"), &json!(true)));
    assert_eq!((&configuration["proxy_workers"], &configuration["log_level"]), (&json!(2), &json!("info")));
    assert_eq!(configuration["admin_listen"], json!(["127.0.0.1:0"]));
    assert_eq!(configuration["proxy_trusted_ips"], json!([]));
    assert_eq!(configuration["proxy_dns_servers"], json!(["127.0.0.1", "[::1]:5353"]));
    let text = root.to_string();
    for secret in ["abcdefghijklmnop", "database_url", "keyring_keys", "redis_url", "admin_tokens"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_status_counts_connections_and_requests() {
    let desk = Desk::open();
    let held = desk.client.get(desk.gateway.url("proxy", "/nothing")).send().await.unwrap();
    let (_, status) = desk.get("/status").await;
    assert_eq!(status["database"], json!({ "reachable": true }));
    let server = &status["server"];
    assert_eq!((&server["total_requests"], &server["connections_active"]), (&json!(1), &json!(1)), "{status}");
    assert_eq!((&server["connections_accepted"], &server["connections_handled"]), (&json!(1), &json!(1)));
    assert!(status["memory"]["resident_bytes"].as_u64().unwrap() > 1_000_000);
    assert!(status["cache"]["hits"].is_u64());
    drop(held);
    assert_eq!(desk.get("/status/ready").await, (200, json!({ "message": "ready" })));
}

#[tokio::test]
async fn the_status_listener_tells_the_same_with_the_same_headers() {
    let desk = Desk::open();
    for (path, wanted) in
        [("/status", 200), ("/status/ready", 200), ("/status/live", 200), ("/metrics", 200), ("/x", 404)]
    {
        let response = desk.client.get(desk.gateway.url("status", path)).send().await.unwrap();
        assert_eq!(response.status(), wanted, "{path}");
        assert_eq!(header(&response, "server"), concat!("tollgate/", env!("CARGO_PKG_VERSION")), "{path}");
        assert_eq!(header(&response, "x-request-id").len(), 32, "{path}");
    }
    let response = desk.client.get(desk.gateway.url("status", "/status")).send().await.unwrap();
    let status: Value = response.json().await.unwrap();
    assert!(status["server"]["total_requests"].is_u64() && status["cache"]["hits"].is_u64(), "{status}");
    let refused = desk.client.post(desk.gateway.url("status", "/status")).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "allow")), (405, "GET, HEAD".to_owned()));
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let desk = Desk::open();
    let response = desk.ask("GET", "/metrics").await;
    assert!(header(&response, "content-type").starts_with("text/plain; version=0.0.4"));
    let text = response.text().await.unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with("tollgate_") && value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(text.contains("tollgate_connections_active 0"), "{text}");
}

#[tokio::test]
async fn schemas_describe_entities_and_plugins() {
    let desk = Desk::open();
    let field = |described: &Value, name: &str| -> Value {
        let fields = described["fields"].as_array().unwrap();
        fields.iter().find_map(|field| field.get(name)).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let (_, services) = desk.get("/schemas/services").await;
    assert_eq!(
        (&field(&services, "port")["default"], &field(&services, "host")["required"]),
        (&json!(80), &json!(true))
    );
    assert_eq!(field(&services, "retries")["between"], json!([0, 32767]));
    let (_, oauth2) = desk.get("/schemas/plugins/oauth2").await;
    let config = field(&oauth2, "config");
    assert_eq!(config["type"], "record");
    assert_eq!(field(&config, "token_expiration")["default"], json!(7200));
    assert_eq!(desk.get("/schemas/nope").await.0, 404);
    assert_eq!(desk.get("/schemas/plugins/nope").await.0, 404);
}

#[tokio::test]
async fn bodies_are_judged_without_being_stored() {
    let desk = Desk::open();
    let good = json!({ "message": "schema validation successful" });
    assert_eq!(desk.post("/schemas/services/validate", json!({ "host": "a.com" })).await, (200, good.clone()));
    let (status, refusal) = desk.post("/schemas/services/validate", json!({})).await;
    assert_eq!((status, &refusal["fields"]), (400, &json!({ "host": "required field missing" })));
    let plugin = json!({ "name": "oauth2", "config": { "enable_implicit_grant": true } });
    assert_eq!(desk.post("/schemas/plugins/validate", plugin).await, (200, good));
    let (status, refusal) = desk.post("/schemas/plugins/validate", json!({ "name": "x" })).await;
    assert_eq!((status, &refusal["code"]), (400, &json!(2)));
    assert_eq!(desk.post("/schemas/nope/validate", json!({})).await.0, 404);
    assert_eq!(desk.get("/services").await.1["total"], 0);
}

#[tokio::test]
async fn plugins_and_endpoints_are_named() {
    let desk = Desk::open();
    let (_, enabled) = desk.get("/plugins/enabled").await;
    assert!(enabled["enabled_plugins"].as_array().unwrap().contains(&json!("oauth2")));
    let (_, endpoints) = desk.get("/endpoints").await;
    for path in ["/services", "/services/{service}/routes", "/consumers/{consumer}/oauth2/{oauth2_credential}", "/tags"]
    {
        assert!(endpoints["data"].as_array().unwrap().contains(&json!(path)), "{path}");
    }
}
