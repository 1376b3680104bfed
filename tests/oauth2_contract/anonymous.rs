//! Section 6, `anonymous`: who calls without a good token.

use reqwest::Method;
use serde_json::json;

use crate::api::{Api, id, sent};

#[tokio::test]
async fn a_failed_call_is_made_as_the_anonymous_consumer_by_id_or_username() {
    let api = Api::with(json!({})).await;
    let guest = id(&api.made("/consumers", json!({ "username": "guest" })).await);
    for who in [guest.as_str(), "guest"] {
        let patch = json!({ "config": { "anonymous": who } });
        assert_eq!(api.admin(Method::PATCH, &format!("/plugins/{}", api.plugin), patch).await.status, 200);
        for request in [api.get("/api"), api.get("/api").bearer_auth("no")] {
            let forged = request.header("X-Credential-Identifier", "f").header("X-Authenticated-Userid", "f");
            let reply = sent(forged.header("X-Consumer-Custom-ID", "f")).await;
            assert_eq!(reply.upstream("x-consumer-id"), Some(guest.as_str()));
            assert_eq!(reply.upstream("x-consumer-username"), Some("guest"));
            assert_eq!(reply.upstream("x-anonymous-consumer"), Some("true"));
            for name in ["x-credential-identifier", "x-authenticated-userid", "x-consumer-custom-id"] {
                assert_eq!(reply.upstream(name), None, "{name}");
            }
        }
        let token = api.access().await;
        let reply = sent(api.get("/api").bearer_auth(&token).header("X-Anonymous-Consumer", "true")).await;
        assert_eq!(
            (reply.upstream("x-consumer-username"), reply.upstream("x-anonymous-consumer")),
            (Some("shop"), None)
        );
    }
}

#[tokio::test]
async fn an_anonymous_consumer_that_does_not_exist_is_a_500() {
    let api = Api::with(json!({ "anonymous": "nobody" })).await;
    let reply = sent(api.get("/api")).await;
    assert_eq!(reply.status, 500);
    assert_eq!(reply.text("message"), "anonymous consumer nobody is configured but doesn't exist");
    assert_eq!(api.call(&api.access().await).await.status, 200);
}
