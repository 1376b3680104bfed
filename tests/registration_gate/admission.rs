//! Who may call (application-registration.md 1.5 and 6.3): the second generation, behind `oauth2`.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::stage::{App, Reply, Stage, id, oauth2_config, sent};

/// `api` behind `oauth2` and the gate with this configuration.
async fn gated(config: Value) -> Stage {
    let stage = Stage::start().await;
    stage.oauth2("api", json!({})).await;
    stage.gate("api", config).await;
    stage
}

#[tokio::test]
async fn an_approved_application_calls_and_the_upstream_is_told_which() {
    let stage = gated(json!({})).await;
    let app = stage.approved("Späti & Co").await;
    let token = stage.access(&app).await;
    let reply = stage.call("/api/x", &token).await;
    assert_eq!(reply.upstream("x-application-id"), Some(app.id.as_str()));
    assert_eq!(reply.upstream("x-application-name").map(str::len), Some(app.name.len()));
    assert_eq!(reply.upstream("x-consumer-id"), Some(app.consumer.as_str()));
    assert_eq!(reply.upstream("x-credential-identifier"), Some(app.client_id.as_str()));
}

#[tokio::test]
async fn every_refusal_has_one_text_and_the_reason_only_where_asked() {
    let stage = Stage::start().await;
    stage.plugin("api", "key-auth", json!({})).await;
    let gate = stage.gate("api", json!({})).await;
    let gate = format!("/plugins/{}", id(&gate));
    let app = stage.application("app").await;
    let ask = || sent(stage.get("/api").header("apikey", &app.client_id));
    ask().await.is_forbidden();
    let contract = stage.contract(&app, "api", json!({})).await;
    for reasons in [false, true] {
        stage.patched(&gate, json!({ "config": { "show_refusal_reason": reasons } })).await;
        for (given, reason) in [
            (json!({ "status": 1 }), "contract-requested"),
            (json!({ "status": 2 }), "contract-rejected"),
            (json!({ "status": 3 }), "contract-revoked"),
            (json!({ "status": 0, "suspended": true }), "contract-suspended"),
        ] {
            stage.set_contract(&app, &contract, given).await;
            let reply = ask().await;
            reply.is_forbidden();
            assert_eq!(reply.header("x-refusal-reason"), reasons.then_some(reason));
        }
        stage.set_contract(&app, &contract, json!({ "status": 0, "suspended": false })).await;
        assert_eq!(ask().await.status, 200);
        for developer in [1, 2, 3, 5] {
            stage.set_developer(&app, developer).await;
            let reply = ask().await;
            reply.is_forbidden();
            assert_eq!(reply.header("x-refusal-reason"), reasons.then_some("developer-not-approved"));
        }
        stage.set_developer(&app, 0).await;
        assert_eq!(ask().await.status, 200);
    }
}

/// Clause 1.
#[tokio::test]
async fn where_contracts_are_approved_at_once_the_next_call_passes() {
    let stage = Stage::start().await;
    stage.plugin("api", "key-auth", json!({})).await;
    let gate = stage.gate("api", json!({})).await;
    let (early, late) = (stage.application("early").await, stage.application("late").await);
    let ask = |app: &App| sent(stage.get("/api").header("apikey", &app.client_id));
    let contract = async |app: &App| {
        let path = format!("/applications/{}/application_instances", app.id);
        stage.made(&path, json!({ "service": { "name": "api" } })).await["status"].clone()
    };
    assert_eq!(contract(&early).await, 1);
    ask(&early).await.is_forbidden();
    ask(&late).await.is_forbidden();
    let auto = json!({ "config": { "auto_approve": true } });
    stage.patched(&format!("/plugins/{}", id(&gate)), auto).await;
    assert_eq!(contract(&late).await, 0);
    assert_eq!(ask(&late).await.upstream("x-application-name"), Some("late"));
    ask(&early).await.is_forbidden();
}

/// Clause 2: a contract that was withdrawn and made anew is not approved.
#[tokio::test]
async fn a_contract_ends_on_the_next_call_and_a_new_one_begins_as_requested() {
    let stage = gated(json!({})).await;
    let app = stage.application("app").await;
    let contract = stage.contract(&app, "api", json!({})).await;
    let token = stage.access(&app).await;
    assert_eq!(stage.call("/api", &token).await.status, 200);
    let path = format!("/applications/{}/application_instances", app.id);
    let gone = stage.admin(Method::DELETE, &format!("{path}/{contract}"), Value::Null).await;
    assert_eq!(gone.status, 204);
    assert_eq!(stage.call("/api", &token).await.error(), (401, "invalid_token"));
    stage.made(&path, json!({ "service": { "name": "api" } })).await;
    stage.token(&app, "/api", &[]).await.is_unauthorized_client();
}

#[tokio::test]
async fn a_new_name_is_told_on_the_next_call_and_an_application_that_is_gone_is_nobody() {
    let stage = gated(json!({})).await;
    let app = stage.approved("app").await;
    let token = stage.access(&app).await;
    assert_eq!(stage.call("/api", &token).await.upstream("x-application-name"), Some("app"));
    let path = format!("/applications/{}", app.id);
    stage.patched(&path, json!({ "name": "new" })).await;
    assert_eq!(stage.call("/api", &token).await.upstream("x-application-name"), Some("new"));
    assert_eq!(stage.admin(Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!(stage.call("/api", &token).await.error(), (401, "invalid_token"));
    assert_eq!(stage.token(&app, "/api", &[]).await.error(), (400, "invalid_client"));
}

/// Clause 4.
#[tokio::test]
async fn an_approval_counts_for_its_service_only_even_with_global_credentials() {
    let stage = Stage::start().await;
    for service in ["api", "other"] {
        stage.oauth2(service, json!({ "global_credentials": true, "provision_key": service })).await;
        stage.gate(service, json!({})).await;
    }
    let app = stage.approved("app").await;
    let token = stage.access(&app).await;
    assert_eq!(stage.call("/api", &token).await.status, 200);
    stage.call("/other", &token).await.is_forbidden();
    stage.token(&app, "/other", &[]).await.is_unauthorized_client();
    stage.contract(&app, "other", json!({})).await;
    assert_eq!(stage.call("/other", &token).await.status, 200);
}

/// Clause 5.
#[tokio::test]
async fn plain_consumers_pass_only_with_the_flag_and_applications_pass_with_it_too() {
    let stage = Stage::start().await;
    stage.oauth2("api", json!({})).await;
    let plain = stage.consumer("plain").await;
    let of_plain = stage.access(&plain).await;
    let gate = stage.gate("api", json!({})).await;
    let app = stage.approved("app").await;
    let of_app = stage.access(&app).await;
    let reply = stage.call("/api", &of_plain).await;
    reply.is_refused(401, "Unauthorized");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    assert_eq!(stage.call("/api", &of_app).await.status, 200);
    let flag = json!({ "config": { "enable_proxy_with_consumer_credential": true } });
    stage.patched(&format!("/plugins/{}", gate["id"].as_str().unwrap()), flag).await;
    let reply = stage.call("/api", &of_plain).await;
    assert_eq!((reply.upstream("x-consumer-username"), reply.upstream("x-application-id")), (Some("plain"), None));
    assert_eq!(stage.call("/api", &of_app).await.upstream("x-application-id"), Some(app.id.as_str()));
    assert_eq!(stage.token(&plain, "/api", &[]).await.status, 200);
    let without = stage.application("without").await;
    stage.token(&without, "/api", &[]).await.is_unauthorized_client();
}

#[tokio::test]
async fn an_anonymous_call_is_a_plain_consumers_and_one_of_nobody_is_refused() {
    let stage = Stage::start().await;
    stage.made("/consumers", json!({ "username": "guest" })).await;
    stage.oauth2("api", json!({ "anonymous": "guest" })).await;
    let gate = stage.gate("api", json!({})).await;
    stage.gate("other", json!({ "enable_proxy_with_consumer_credential": true })).await;
    let app = stage.approved("app").await;
    let token = stage.access(&app).await;
    sent(stage.get("/api")).await.is_refused(401, "Unauthorized");
    assert_eq!(stage.call("/api", &token).await.status, 200);
    let flag = json!({ "config": { "enable_proxy_with_consumer_credential": true } });
    stage.patched(&format!("/plugins/{}", gate["id"].as_str().unwrap()), flag).await;
    assert_eq!(sent(stage.get("/api")).await.upstream("x-consumer-username"), Some("guest"));
    // Nothing on `other` tells who calls.
    sent(stage.get("/other")).await.is_refused(401, "Unauthorized");
}

#[tokio::test]
async fn an_anonymous_consumer_is_no_application_whoever_it_is() {
    let stage = Stage::start().await;
    stage.gate("api", json!({})).await;
    let app = stage.approved("app").await;
    stage.oauth2("api", json!({ "anonymous": app.consumer })).await;
    sent(stage.get("/api")).await.is_refused(401, "Unauthorized");
}

#[tokio::test]
async fn what_a_client_says_of_applications_never_reaches_a_gated_service() {
    let stage = gated(json!({ "enable_proxy_with_consumer_credential": true })).await;
    let (app, plain) = (stage.approved("app").await, stage.consumer("plain").await);
    let forged = |request: reqwest::RequestBuilder| {
        let request = request.header("X-Application-ID", "forged").header("x_application_id", "forged");
        request.header("X-Application_Name", "forged").header("X-APPLICATION-NAME", "forged")
    };
    let ask = |path: &str, token: &str| sent(forged(stage.get(path)).bearer_auth(token));
    let told = |reply: &Reply| reply.body["headers"].to_string().contains("forged");
    let reply = ask("/api", &stage.access(&plain).await).await;
    assert!(reply.upstream("x-application-id").is_none() && !told(&reply), "{reply:?}");
    let reply = ask("/api", &stage.access(&app).await).await;
    assert_eq!(reply.upstream("x-application-id"), Some(app.id.as_str()));
    assert!(!told(&reply), "{reply:?}");
    // Without a gate they are fields like any other.
    assert_eq!(ask("/other", "x").await.upstream("x-application-id"), Some("forged"));
}

#[tokio::test]
async fn a_grpc_call_is_refused_in_its_own_words() {
    let stage = gated(json!({})).await;
    let route = json!({ "name": "rpc", "protocols": ["grpc", "grpcs"], "paths": ["/rpc"] });
    stage.made("/services/api/routes", route).await;
    let app = stage.approved("app").await;
    let token = stage.access(&app).await;
    let ask = |token: &str| sent(stage.get("/rpc/M").header("content-type", "application/grpc").bearer_auth(token));
    assert_eq!(ask(&token).await.status, 200);
    let plain = stage.consumer("plain").await;
    for (owner, status) in [(&stage.application("none").await, "7"), (&plain, "16")] {
        let token = stage.imported(owner).await;
        let reply = ask(&token).await;
        assert_eq!((reply.status, reply.header("grpc-status")), (200, Some(status)), "{reply:?}");
    }
}

#[tokio::test]
async fn a_plugin_for_some_protocols_leaves_the_others_alone() {
    let stage = Stage::start().await;
    let gate = json!({ "name": "application-registration", "protocols": ["https"], "config": { "display_name": "a" } });
    stage.made("/services/api/plugins", gate).await;
    assert_eq!(sent(stage.get("/api").header("x-application-id", "f")).await.upstream("x-application-id"), None);
    let over_tls = sent(stage.http.get(stage.gateway.url("proxy_tls", "/api"))).await;
    over_tls.is_refused(401, "Unauthorized");
}

/// An upstream that refuses to speak another protocol and tells the head it was asked with; its address.
async fn plain_upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", head.len());
        stream.write_all(&[answer.as_bytes(), &head].concat()).await.unwrap();
    });
    address
}

/// As Kong's schema has it: the plugin cannot stand on `ws`.
#[tokio::test]
async fn a_websocket_is_not_gated_and_tells_nothing_of_applications_either() {
    let stage = Stage::start().await;
    let route = json!({ "name": "live", "protocols": ["ws", "wss"], "paths": ["/live"] });
    stage.made("/services/api/routes", route).await;
    stage.patched("/services/api", json!({ "url": plain_upstream().await })).await;
    stage.gate("api", json!({})).await;
    sent(stage.get("/api")).await.is_refused(401, "Unauthorized");
    let handshake = stage.get("/live").header("connection", "upgrade").header("upgrade", "websocket");
    let reply = sent(handshake.header("x-application-name", "forged").header("x-other", "kept")).await;
    assert_eq!(reply.status, 200);
    let head = reply.body.as_str().unwrap();
    assert!(head.contains("kept") && !head.contains("forged"), "{head}");
}

#[tokio::test]
async fn the_gate_holds_behind_a_plugin_of_the_route_and_a_global_one() {
    for path in ["/routes/api/plugins", "/plugins"] {
        let stage = Stage::start().await;
        stage.made(path, json!({ "name": "oauth2", "config": oauth2_config(json!({})) })).await;
        stage.gate("api", json!({})).await;
        let (app, pending) = (stage.approved("app").await, stage.application("pending").await);
        let token = stage.access(&app).await;
        assert_eq!(stage.call("/api", &token).await.upstream("x-application-name"), Some("app"));
        stage.token(&pending, "/api", &[]).await.is_unauthorized_client();
        let token = stage.imported(&pending).await;
        stage.call("/api", &token).await.is_forbidden();
    }
}

/// Clause 6, as far as calls go.
#[tokio::test]
async fn without_the_plugin_contracts_do_not_matter() {
    let stage = gated(json!({})).await;
    let (app, pending) = (stage.approved("app").await, stage.application("pending").await);
    let token = stage.access(&app).await;
    let plugins = stage.admin(Method::GET, "/services/api/plugins", Value::Null).await.body;
    let gate = plugins["data"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "application-registration");
    let gate = format!("/plugins/{}", gate.unwrap()["id"].as_str().unwrap());
    for off in [json!({ "enabled": false }), json!({ "enabled": true })] {
        let is_on = off["enabled"] == true;
        stage.patched(&gate, off).await;
        assert_eq!(stage.token(&pending, "/api", &[]).await.status, if is_on { 400 } else { 200 });
        let reply = stage.call("/api", &token).await;
        assert_eq!(reply.upstream("x-application-id").is_some(), is_on);
    }
    assert_eq!(stage.admin(Method::DELETE, &gate, Value::Null).await.status, 204);
    assert_eq!(stage.token(&pending, "/api", &[]).await.status, 200);
}
