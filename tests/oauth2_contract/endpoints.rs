//! Section 2: where the endpoints are, how they are asked and how they answer.

use reqwest::Method;
use serde_json::json;

use crate::api::{Api, sent};
use crate::support::Start;

const GRANT: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "secret")];

#[tokio::test]
async fn the_end_of_the_path_counts_with_one_slash_behind_it() {
    let api = Api::with(json!({})).await;
    for path in ["/api/oauth2/token", "/api/oauth2/token/", "/api/some/prefix/oauth2/token"] {
        assert_eq!(api.ask(path, &GRANT).await.status, 200, "{path}");
    }
    for path in ["/api/oauth2/token/x", "/api/oauth2/tokens", "/api/xoauth2/token"] {
        assert_eq!(api.ask(path, &GRANT).await.refusal().1, "invalid_request", "{path} is an API call");
    }
    assert_eq!(api.ask("/nowhere/oauth2/token", &GRANT).await.status, 404, "the route is chosen as for any call");
}

#[tokio::test]
async fn other_methods_are_refused_with_the_realm_and_the_state() {
    let api = Api::with(json!({ "realm": "shop" })).await;
    for (path, name) in [("token", "token"), ("authorize", "authorization")] {
        let url = api.gateway.url("proxy_tls", &format!("/api/oauth2/{path}?state=s"));
        let reply = sent(api.http.request(Method::PUT, url)).await;
        let text = format!("The HTTP method PUT is invalid for the {name} endpoint");
        assert_eq!(reply.refusal(), (405, "invalid_method", text.as_str()));
        let challenge = format!("Bearer realm=\"shop\", error=\"invalid_method\", error_description=\"{text}\"");
        assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()));
        assert_eq!(reply.text("state"), "s");
    }
}

#[tokio::test]
async fn plain_http_is_refused_and_told_the_state() {
    let api = Api::with(json!({})).await;
    let url = api.gateway.url("proxy", "/api/oauth2/token");
    let reply = sent(api.http.post(&url).form(&[("state", "s")])).await;
    assert_eq!(reply.refusal(), (400, "access_denied", "You must use HTTPS"));
    assert_eq!(reply.text("state"), "s");
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), (Some("no-store"), Some("no-cache")));
    let broken = api.http.post(&url).header("content-type", "application/json").body("{");
    assert_eq!(sent(broken).await.refusal().1, "access_denied");
}

async fn behind(api: &Api, protos: &[&str]) -> (u16, String, String) {
    let url = api.gateway.url("proxy", "/api/oauth2/token");
    let request = protos.iter().fold(api.http.post(url), |request, proto| request.header("X-Forwarded-Proto", *proto));
    let reply = sent(request.form(&GRANT)).await;
    let (status, code, description) = reply.refusal();
    (status, code.to_owned(), description.to_owned())
}

fn refused(description: &str) -> (u16, String, String) {
    (400, "access_denied".to_owned(), description.to_owned())
}

#[tokio::test]
async fn tls_may_end_in_front_where_the_peer_is_trusted_and_the_plugin_says_so() {
    let trusting = |start: Start| start.env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1/32");
    let api = Api::started(json!({ "accept_http_if_already_terminated": true }), trusting).await;
    for proto in ["https", "HTTPS"] {
        assert_eq!(behind(&api, &[proto]).await.0, 200);
    }
    assert_eq!(behind(&api, &["https", "https"]).await, refused("Only one X-Forwarded-Proto header allowed"));
    assert_eq!(behind(&api, &["http"]).await, refused("You must use HTTPS"));
    assert_eq!(behind(&api, &[]).await, refused("You must use HTTPS"));
    let config = json!({ "config": { "accept_http_if_already_terminated": false } });
    assert_eq!(api.admin(Method::PATCH, &format!("/plugins/{}", api.plugin), config).await.status, 200);
    for protos in [&["https"][..], &["https", "https"]] {
        assert_eq!(behind(&api, protos).await, refused("You must use HTTPS"));
    }
    assert!(api.gateway.log_text().contains("accept_http_if_already_terminated"), "the log names the setting");
}

#[tokio::test]
async fn nobody_is_believed_who_is_not_trusted() {
    let api = Api::with(json!({ "accept_http_if_already_terminated": true })).await;
    assert_eq!(behind(&api, &["https"]).await, refused("You must use HTTPS"));
    assert!(api.gateway.log_text().contains("proxy.trusted_ips"), "the log names the setting");
}

#[tokio::test]
async fn parameters_come_in_three_kinds_of_body_and_the_body_wins_over_the_query() {
    let api = Api::with(json!({})).await;
    let [kind, id, secret] = GRANT;
    let json = json!({ kind.0: kind.1, id.0: id.1, secret.0: secret.1, "state": "body" });
    let multipart = GRANT.iter().fold(String::new(), |text, (name, value)| {
        format!("{text}--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let multipart =
        format!("{multipart}--b\r\nContent-Disposition: form-data; name=\"state\"\r\n\r\nbody\r\n--b--\r\n");
    let url = "/api/oauth2/token?state=query&grant_type=password&scope=read";
    let form = [&GRANT[..], &[("state", "body")]].concat();
    for request in [
        api.post(url).form(&form),
        api.post(url).json(&json),
        api.post(url).header("content-type", "multipart/form-data; boundary=b").body(multipart),
    ] {
        let reply = sent(request).await;
        assert_eq!((reply.status, reply.text("state")), (200, "body"), "{reply:?}");
        let token = api.call(reply.text("access_token")).await;
        assert_eq!(token.upstream("x-authenticated-scope"), Some("read"), "the query counts beside the body");
    }
    let all_in_query = "/api/oauth2/token?grant_type=client_credentials&client_id=app&client_secret=secret";
    assert_eq!(sent(api.post(all_in_query)).await.status, 200);
}

#[tokio::test]
async fn every_answer_is_json_that_nobody_keeps() {
    let api = Api::with(json!({})).await;
    for form in [&GRANT[..], &GRANT[..1], &[]] {
        let reply = api.ask("/api/oauth2/token", form).await;
        assert_eq!((reply.header("cache-control"), reply.header("pragma")), (Some("no-store"), Some("no-cache")));
        assert!(reply.header("content-type").unwrap().starts_with("application/json"));
    }
}
