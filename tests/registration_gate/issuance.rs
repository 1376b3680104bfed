//! Who is given tokens (application-registration.md 1.5 and clause 3): nobody whose contract is not approved.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{CALLBACK, Stage, id};

async fn gated() -> Stage {
    let stage = Stage::start().await;
    stage.oauth2("api", json!({})).await;
    stage.gate("api", json!({})).await;
    stage
}

const PASSWORD: [(&str, &str); 3] =
    [("grant_type", "password"), ("provision_key", "provision"), ("authenticated_userid", "u")];

/// The value of a parameter of the redirect URI.
fn parameter(uri: &str, name: &str) -> Option<String> {
    let pairs = uri.split(['?', '#', '&']).skip(1).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
}

#[tokio::test]
async fn no_grant_gives_anything_until_the_contract_is_approved() {
    let stage = gated().await;
    let app = stage.application("app").await;
    let contract = stage.contract(&app, "api", json!({})).await;
    let pair = stage.token(&app, "/api", &PASSWORD).await;
    let sent = stage.authorize(&app, &[]).await;
    let code = parameter(sent.text("redirect_uri"), "code").unwrap();
    let grants = [
        vec![],
        PASSWORD.to_vec(),
        vec![("grant_type", "refresh_token"), ("refresh_token", pair.text("refresh_token"))],
        vec![("grant_type", "authorization_code"), ("code", &code)],
    ];
    for given in [json!({ "status": 1 }), json!({ "status": 3 }), json!({ "status": 0, "suspended": true })] {
        stage.set_contract(&app, &contract, given).await;
        for grant in &grants {
            let reply = stage.token(&app, "/api", &[grant, &[("state", "s")][..]].concat()).await;
            reply.is_unauthorized_client();
            assert_eq!((reply.text("state"), reply.header("cache-control")), ("s", Some("no-store")));
        }
    }
    stage.set_contract(&app, &contract, json!({ "status": 0, "suspended": false })).await;
    stage.set_developer(&app, 3).await;
    stage.token(&app, "/api", &[]).await.is_unauthorized_client();
    stage.set_developer(&app, 0).await;
    for (grant, status) in grants.iter().zip([200, 200, 400, 400]) {
        let reply = stage.token(&app, "/api", grant).await;
        assert_eq!(reply.status, status, "{grant:?}");
        // What the contract had given before it was closed does not come back.
        assert!(status == 200 || reply.text("error_description").starts_with("Invalid "), "{reply:?}");
    }
}

#[tokio::test]
async fn who_a_client_is_comes_before_what_it_may_have() {
    let stage = gated().await;
    let (app, plain) = (stage.application("app").await, stage.consumer("plain").await);
    for wrong in [[("client_secret", "no")], [("client_id", "nobody")]] {
        assert_eq!(stage.token(&app, "/api", &wrong).await.error(), (400, "invalid_client"));
    }
    assert_eq!(stage.token(&app, "/api", &[("grant_type", "no")]).await.error(), (400, "unsupported_grant_type"));
    let asked = [("client_id", "nobody"), ("redirect_uri", "https://evil.test")];
    assert_eq!(stage.authorize(&app, &asked).await.error(), (400, "invalid_client"));
    assert_eq!(stage.authorize(&app, &[("provision_key", "no")]).await.error(), (400, "invalid_provision_key"));
    stage.token(&plain, "/api", &[]).await.is_unauthorized_client();
    stage.token(&app, "/api", &[("redirect_uri", "https://evil.test")]).await.is_unauthorized_client();
}

#[tokio::test]
async fn the_login_backend_hears_of_it_beside_the_redirect() {
    let stage = gated().await;
    let app = stage.application("app").await;
    let description = "The client is not approved for this service";
    for (extra, uri) in [
        (vec![("state", "s t")], CALLBACK),
        (vec![("response_type", "token")], CALLBACK),
        // It goes to no address that is not registered, and is told before every other fault.
        (vec![("redirect_uri", "https://evil.test"), ("scope", "wot"), ("response_type", "no")], CALLBACK),
    ] {
        let reply = stage.authorize(&app, &extra).await;
        reply.is_unauthorized_client();
        let to = reply.text("redirect_uri");
        assert!(to.starts_with(uri), "{to}");
        assert_eq!(parameter(to, "error").as_deref(), Some("unauthorized_client"));
        assert_eq!(parameter(to, "error_description").unwrap().replace("%20", " "), description);
        assert_eq!(parameter(to, "state").is_some(), extra[0].0 == "state");
        assert_eq!((parameter(to, "code"), parameter(to, "access_token")), (None, None));
    }
    let row = json!({ "redirect_uris": [] });
    stage.patched(&format!("/consumers/{}/oauth2/{}", app.consumer, app.credential), row).await;
    let reply = stage.authorize(&app, &[]).await;
    reply.is_unauthorized_client();
    assert_eq!(reply.body.get("redirect_uri"), None);
}

#[tokio::test]
async fn a_reason_is_told_where_the_gate_tells_reasons() {
    let stage = Stage::start().await;
    stage.oauth2("api", json!({})).await;
    let gate = stage.gate("api", json!({})).await;
    let (app, plain) = (stage.application("app").await, stage.consumer("plain").await);
    assert_eq!(stage.token(&app, "/api", &[]).await.header("x-refusal-reason"), None);
    stage.patched(&format!("/plugins/{}", id(&gate)), json!({ "config": { "show_refusal_reason": true } })).await;
    assert_eq!(stage.token(&app, "/api", &[]).await.header("x-refusal-reason"), Some("no-contract"));
    assert_eq!(stage.authorize(&app, &[]).await.header("x-refusal-reason"), Some("no-contract"));
    assert_eq!(stage.token(&plain, "/api", &[]).await.header("x-refusal-reason"), Some("not-an-application"));
    let wrong = stage.token(&app, "/api", &[("client_secret", "no")]).await;
    assert_eq!((wrong.error(), wrong.header("x-refusal-reason")), ((400, "invalid_client"), None));
}

/// Clause 3: what was given before is taken back; a new approval needs a new token.
#[tokio::test]
async fn a_revoked_contract_takes_its_tokens_along() {
    let stage = gated().await;
    let app = stage.application("app").await;
    let contract = stage.contract(&app, "api", json!({})).await;
    let token = stage.access(&app).await;
    assert_eq!(stage.call("/api", &token).await.status, 200);
    stage.set_contract(&app, &contract, json!({ "status": 3 })).await;
    assert_eq!(stage.call("/api", &token).await.error(), (401, "invalid_token"));
    let left = stage.admin(Method::GET, "/oauth2_tokens", Value::Null).await.body;
    assert_eq!(left["data"], json!([]));
    stage.set_contract(&app, &contract, json!({ "status": 0 })).await;
    assert_eq!(stage.call("/api", &token).await.error(), (401, "invalid_token"));
    assert_eq!(stage.call("/api", &stage.access(&app).await).await.status, 200);
}
