//! Calls through the binary after changes by the Admin API (contract, section 7).

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use crate::certificates::{authority, leaf};
use crate::desk::{Desk, header, id};
use crate::upstream::{Manner, Upstream, values};

async fn call(desk: &Desk, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = desk.client.get(desk.gateway.url("proxy", path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn told(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["request_id"].as_str().map(str::len), Some(32), "{body}");
    (status, body["message"].as_str().unwrap().to_owned())
}

/// A service `s` on an upstream and a route `r` of it at `/r`.
async fn served(desk: &Desk, upstream: &Upstream, more: Value) {
    let mut service = json!({ "name": "s", "url": upstream.url("/base") });
    service.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    desk.made("/services", service).await;
    desk.made("/services/s/routes", json!({ "name": "r", "paths": ["/r"] })).await;
}

#[tokio::test]
async fn the_upstream_path_is_the_services_and_what_remains() {
    let (desk, upstream) = (Desk::open(), Upstream::plain(Manner::Echo).await);
    served(&desk, &upstream, json!({})).await;
    let path = async |path: &str| -> String {
        let seen: Value = call(&desk, path, &[]).await.json().await.unwrap();
        seen["path"].as_str().unwrap().to_owned()
    };
    assert_eq!(path("/r/x%20y?a=1&b=%2F").await, "/base/x%20y?a=1&b=%2F");
    assert_eq!(path("/r").await, "/base");
    desk.patch("/routes/r", json!({ "strip_path": false })).await;
    assert_eq!(path("/r/x").await, "/base/r/x");
    desk.patch("/services/s", json!({ "path": null })).await;
    assert_eq!(path("/r/x").await, "/r/x");
    desk.patch("/routes/r", json!({ "strip_path": true })).await;
    assert_eq!(path("/r").await, "/");
}

#[tokio::test]
async fn a_stranger_says_nothing_of_himself_and_hop_by_hop_fields_stay() {
    let (desk, upstream) = (Desk::open(), Upstream::plain(Manner::Echo).await);
    served(&desk, &upstream, json!({})).await;
    let lies = [
        ("x-forwarded-for", "9.9.9.9"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "8.8.8.8"),
        ("x-consumer-id", "evil"),
        ("connection", "x-drop"),
        ("x-drop", "1"),
        ("te", "trailers"),
        ("proxy-authorization", "x"),
        ("x-keep", "1"),
    ];
    let response = call(&desk, "/r/x?q=1", &lies).await;
    let proxy = desk.gateway.addresses["proxy"];
    for (name, wanted) in
        [("via", "1.1 tollgate/0.1.0"), ("x-hop", ""), ("keep-alive", ""), ("x-up", "1"), ("connection", "")]
    {
        assert_eq!(header(&response, name), wanted, "{name}");
    }
    let latencies =
        ["x-upstream-latency", "x-proxy-latency"].map(|name| header(&response, name).parse::<u32>().is_ok());
    assert_eq!(latencies, [true, true]);
    let request_id = header(&response, "x-request-id");
    let seen: Value = response.json().await.unwrap();
    for (name, wanted) in [
        ("host", upstream.address.to_string()),
        ("x-forwarded-for", "127.0.0.1".into()),
        ("x-forwarded-proto", "http".into()),
        ("x-forwarded-host", proxy.to_string()),
        ("x-forwarded-port", proxy.port().to_string()),
        ("x-forwarded-path", "/r/x".into()),
        ("x-forwarded-prefix", "/r".into()),
        ("x-real-ip", "127.0.0.1".into()),
        ("via", "1.1 tollgate/0.1.0".into()),
        ("x-request-id", request_id),
        ("x-keep", "1".into()),
    ] {
        assert_eq!(values(&seen, name), [wanted.as_str()], "{name}: {seen}");
    }
    for name in ["x-consumer-id", "x-drop", "te", "proxy-authorization"] {
        assert!(values(&seen, name).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_trusted_peer_is_believed() {
    let desk = Desk::open_with(|start| start.env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.0/8"));
    let upstream = Upstream::plain(Manner::Echo).await;
    served(&desk, &upstream, json!({})).await;
    let said = [
        ("x-forwarded-for", "9.9.9.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "pub.example"),
        ("x-forwarded-port", "443"),
    ];
    let seen: Value = call(&desk, "/r", &said).await.json().await.unwrap();
    assert_eq!(values(&seen, "x-forwarded-for"), ["9.9.9.9, 127.0.0.1"]);
    assert_eq!(values(&seen, "x-real-ip"), ["9.9.9.9"]);
    for (name, value) in &said[1..] {
        assert_eq!(values(&seen, name), [*value], "{name}");
    }
}

#[tokio::test]
async fn the_host_is_the_services_or_kept() {
    let (desk, upstream) = (Desk::open(), Upstream::plain(Manner::Echo).await);
    served(&desk, &upstream, json!({})).await;
    let kept = [("host", "pub.example:99")];
    let seen: Value = call(&desk, "/r", &kept).await.json().await.unwrap();
    assert_eq!(values(&seen, "host"), [upstream.address.to_string()]);
    desk.patch("/routes/r", json!({ "preserve_host": true })).await;
    let seen: Value = call(&desk, "/r", &kept).await.json().await.unwrap();
    assert_eq!(values(&seen, "host"), ["pub.example:99"]);
}

#[tokio::test]
async fn errors_come_in_the_form_that_accept_asks_for() {
    let desk = Desk::open();
    let message = "no Route matched with those values";
    let response = call(&desk, "/none", &[]).await;
    assert_eq!(told(response).await, (404, message.to_owned()));
    for (accept, kind, begin) in [
        ("application/json", "application/json", "{\"message\":"),
        ("text/plain", "text/plain", message),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html", "<!doctype html>"),
        ("application/xml", "application/xml", "<?xml"),
        ("application/json;q=0.1, text/plain", "text/plain", message),
        ("image/png", "application/json", "{\"message\":"),
    ] {
        let response = call(&desk, "/none", &[("accept", accept)]).await;
        assert_eq!(response.status(), 404);
        assert!(header(&response, "content-type").starts_with(kind), "{accept}");
        let request_id = header(&response, "x-request-id");
        let text = response.text().await.unwrap();
        assert!(text.starts_with(begin) && text.contains(message) && text.contains(&request_id), "{accept}: {text}");
    }
    let response = call(&desk, "/none", &[("content-type", "application/grpc")]).await;
    assert_eq!((response.status().as_u16(), header(&response, "grpc-status")), (200, "12".to_owned()));
    assert_eq!(header(&response, "grpc-message"), message);
}

#[tokio::test]
async fn a_protocol_that_the_route_does_not_speak() {
    let (desk, upstream) = (Desk::open(), Upstream::plain(Manner::Echo).await);
    served(&desk, &upstream, json!({})).await;
    desk.patch("/routes/r", json!({ "protocols": ["https"] })).await;
    assert_eq!(told(call(&desk, "/r", &[]).await).await, (426, "Please use HTTPS protocol".to_owned()));
    let secure = desk.client.get(desk.gateway.url("proxy_tls", "/r")).send().await.unwrap();
    assert_eq!(secure.status(), 200);
    for status in [301, 302, 307, 308] {
        desk.patch("/routes/r", json!({ "https_redirect_status_code": status })).await;
        let response = call(&desk, "/r/a?b=c", &[("host", "www.example.com:8000")]).await;
        assert_eq!(header(&response, "location"), "https://www.example.com/r/a?b=c");
        assert_eq!(response.status().as_u16(), status);
    }
    desk.patch("/routes/r", json!({ "protocols": ["grpc"], "strip_path": false })).await;
    assert_eq!(told(call(&desk, "/r", &[]).await).await, (415, "Non-gRPC request matched gRPC route".to_owned()));
}

#[tokio::test]
async fn an_upstream_that_fails_is_502_503_or_504() {
    let desk = Desk::open();
    let silent = Upstream::plain(Manner::Silent).await;
    let garbage = Upstream::plain(Manner::Garbage).await;
    let invalid = "An invalid response was received from the upstream server";
    for (name, url, wanted) in [
        ("refused", "http://127.0.0.1:1".to_owned(), (502, invalid)),
        ("garbage", garbage.url(""), (502, invalid)),
        ("unknown", "http://nope.invalid".to_owned(), (503, "name resolution failed")),
        ("silent", silent.url(""), (504, "The upstream server is timing out")),
    ] {
        desk.made("/services", json!({ "name": name, "url": url, "read_timeout": 300, "retries": 0 })).await;
        let path = format!("/{name}");
        desk.made(&format!("/services/{name}/routes"), json!({ "paths": [path] })).await;
        let begun = Instant::now();
        assert_eq!(told(call(&desk, &path, &[]).await).await, (wanted.0, wanted.1.to_owned()), "{name}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{name} took {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn what_can_be_repeated_is_and_nothing_else() {
    let (desk, upstream) = (Desk::open(), Upstream::plain(Manner::Reset).await);
    served(&desk, &upstream, json!({ "retries": 3 })).await;
    assert_eq!(call(&desk, "/r", &[]).await.status(), 502);
    assert_eq!(upstream.connections(), 4, "an idempotent call is made once and repeated three times");
    let post = desk.client.request(Method::POST, desk.gateway.url("proxy", "/r")).body("abc").send().await.unwrap();
    assert_eq!((post.status().as_u16(), upstream.connections()), (502, 5));
    desk.patch("/services/s", json!({ "retries": 0 })).await;
    assert_eq!((call(&desk, "/r", &[]).await.status().as_u16(), upstream.connections()), (502, 6));
}

#[tokio::test]
async fn a_change_is_in_force_for_the_next_call() {
    let (desk, upstream) = (Desk::open(), Upstream::plain(Manner::Echo).await);
    served(&desk, &upstream, json!({})).await;
    for round in 0..10 {
        let path = format!("/round{round}");
        desk.patch("/routes/r", json!({ "paths": [path] })).await;
        assert_eq!(call(&desk, &path, &[]).await.status(), 200, "{round}");
        desk.patch("/services/s", json!({ "enabled": false })).await;
        assert_eq!(call(&desk, &path, &[]).await.status(), 404, "a disabled service's routes are not there");
        desk.patch("/services/s", json!({ "enabled": true })).await;
    }
    desk.made("/routes", json!({ "paths": ["/alone"] })).await;
    assert_eq!(told(call(&desk, "/alone", &[]).await).await.0, 503, "a route without a service");
    assert_eq!(desk.delete("/routes/r").await.0, 204);
    assert_eq!(call(&desk, "/round9", &[]).await.status(), 404);
}

/// TLS with this certificate, that looks at clients' certificates of `known`.
fn server(cert: &str, key: &str, known: &str) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der(known)).unwrap();
    let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let clients = clients.allow_unauthenticated().build().unwrap();
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    versions.with_client_cert_verifier(clients).with_single_cert(vec![der(cert)], key).unwrap()
}

#[tokio::test]
async fn upstreams_are_verified_when_asked_and_shown_a_certificate_when_given() {
    let desk = Desk::open();
    // A certificate signed by an authority, as a client, and a self-signed one that is an authority, as the upstream.
    let (mine, mine_key) = leaf("client.example");
    let (theirs, theirs_key) = authority("localhost");
    let upstream = Upstream::tls(server(&theirs, &theirs_key, &mine)).await;
    let url = format!("https://localhost:{}/", upstream.address.port());
    desk.made("/services", json!({ "name": "s", "url": url, "retries": 0 })).await;
    desk.made("/services/s/routes", json!({ "paths": ["/r"] })).await;
    let status = async || call(&desk, "/r", &[]).await.status().as_u16();
    assert_eq!(status().await, 200, "not verified unless asked for");
    desk.patch("/services/s", json!({ "tls_verify": true })).await;
    assert_eq!(status().await, 502, "the web does not know it");
    let other = desk.made("/ca_certificates", json!({ "cert": authority("localhost").0 })).await;
    desk.patch("/services/s", json!({ "ca_certificates": [id(&other)] })).await;
    assert_eq!(status().await, 502, "nor does another authority");
    let own = desk.made("/ca_certificates", json!({ "cert": theirs })).await;
    desk.patch("/services/s", json!({ "ca_certificates": [id(&own)] })).await;
    assert_eq!(status().await, 200, "a self-signed certificate that is trusted itself");
    desk.patch("/services/s", json!({ "host": "127.0.0.1" })).await;
    assert_eq!(status().await, 502, "but not under another name");
    let identity = desk.made("/certificates", json!({ "cert": mine, "key": mine_key })).await;
    let change = json!({ "host": "localhost", "client_certificate": { "id": id(&identity) } });
    assert_eq!(desk.patch("/services/s", change).await.0, 200);
    let seen: Value = call(&desk, "/r", &[]).await.json().await.unwrap();
    assert_eq!(seen["known"], true);
}
