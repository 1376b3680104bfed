//! Section 6, `hide_credentials`: what carried the token does not reach the upstream.

use serde_json::json;

use crate::api::{Api, sent};

#[tokio::test]
async fn what_carried_the_token_is_removed_and_the_rest_stays() {
    let api = Api::with(json!({ "hide_credentials": true })).await;
    let token = api.access().await;
    let header = sent(api.get("/api?a=1").bearer_auth(&token)).await;
    assert_eq!(header.upstream("authorization"), None);
    assert_eq!(header.body["path"], "/?a=1");
    let query = sent(api.get(&format!("/api?a=%20x&access_token={token}&b=2"))).await;
    assert_eq!((query.status, &query.body["path"]), (200, &json!("/?a=%20x&b=2")));
    let only = sent(api.get(&format!("/api?access_token={token}"))).await;
    assert_eq!(only.body["path"], "/");
    let post = || api.http.post(api.gateway.url("proxy", "/api"));
    let form = sent(post().form(&[("a", "1"), ("access_token", &token), ("b", "2")])).await;
    assert_eq!((form.status, &form.body["body"]), (200, &json!("a=1&b=2")));
    let body = sent(post().json(&json!({ "access_token": token, "n": 1.50 }))).await;
    assert_eq!((body.status, &body.body["body"]), (200, &json!("{\"n\":1.5}")));
    assert_eq!(body.upstream("content-length"), Some("9"));
}

#[tokio::test]
async fn multipart_bodies_are_left_alone() {
    let api = Api::with(json!({ "hide_credentials": true })).await;
    let token = api.access().await;
    let part = format!("--b\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\n{token}\r\n--b--\r\n");
    let post = || {
        let request = api.http.post(api.gateway.url("proxy", "/api"));
        request.header("content-type", "multipart/form-data; boundary=b").body(part.clone())
    };
    assert_eq!(sent(post()).await.refusal().2, "The access token is missing");
    let reply = sent(post().bearer_auth(&token)).await;
    assert_eq!((reply.status, &reply.body["body"]), (200, &json!(part)));
}

#[tokio::test]
async fn without_the_setting_the_upstream_sees_the_token() {
    let api = Api::with(json!({})).await;
    let token = api.access().await;
    let reply = api.call(&token).await;
    assert_eq!(reply.upstream("authorization"), Some(format!("Bearer {token}").as_str()));
}
