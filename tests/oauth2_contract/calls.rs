//! Section 6: how an API call carries its token, and what the upstream is told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, id, sent};

const INVALID: &str = "The access token is invalid or has expired";

#[tokio::test]
async fn a_call_without_token_is_challenged_with_the_realm() {
    for (config, challenge) in [(json!({}), "Bearer"), (json!({ "realm": "shop" }), "Bearer realm=\"shop\"")] {
        let api = Api::with(config).await;
        let reply = sent(api.get("/api")).await;
        assert_eq!(reply.refusal(), (401, "invalid_request", "The access token is missing"));
        assert_eq!(reply.header("www-authenticate"), Some(challenge));
    }
}

#[tokio::test]
async fn a_bad_token_is_told_why() {
    let api = Api::with(json!({ "realm": "shop" })).await;
    let reply = api.call("nobody's").await;
    assert_eq!(reply.refusal(), (401, "invalid_token", INVALID));
    let challenge = format!("Bearer realm=\"shop\", error=\"invalid_token\", error_description=\"{INVALID}\"");
    assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()));
}

#[tokio::test]
async fn a_header_says_bearer_or_token_or_the_token_itself() {
    let api = Api::with(json!({})).await;
    let token = api.access().await;
    for value in [format!("Bearer {token}"), format!("tOKEN {token}"), format!("bEARER   {token}"), token.clone()] {
        assert_eq!(sent(api.get("/api").header("authorization", &value)).await.status, 200, "{value}");
    }
    for value in [format!("Basic {token}"), format!("Bearer {token} x")] {
        assert_eq!(sent(api.get("/api").header("authorization", &value)).await.refusal().1, "invalid_token", "{value}");
    }
}

#[tokio::test]
async fn of_a_repeated_header_the_first_counts() {
    let api = Api::with(json!({})).await;
    let good = format!("Bearer {}", api.access().await);
    let both = |first: &str, second: &str| {
        sent(api.get("/api").header("authorization", first).header("authorization", second))
    };
    assert_eq!(both(&good, "Bearer no").await.status, 200);
    assert_eq!(both("Bearer no", &good).await.status, 401);
}

#[tokio::test]
async fn the_header_has_the_name_that_is_configured() {
    let api = Api::with(json!({ "auth_header_name": "X-Pass" })).await;
    let token = api.access().await;
    assert_eq!(sent(api.get("/api").header("x-pass", format!("Bearer {token}"))).await.status, 200);
    assert_eq!(api.call(&token).await.refusal().1, "invalid_request", "another header carries nothing");
}

#[tokio::test]
async fn without_the_header_a_parameter_of_query_form_or_json_carries_the_token() {
    let api = Api::with(json!({})).await;
    let token = api.access().await;
    assert_eq!(sent(api.get(&format!("/api?access_token={token}"))).await.status, 200);
    let post = |query: &str| api.http.post(api.gateway.url("proxy", &format!("/api{query}")));
    assert_eq!(sent(post("").form(&[("access_token", &token)])).await.status, 200);
    assert_eq!(sent(post("").json(&json!({ "access_token": token }))).await.status, 200);
    assert_eq!(sent(post("?access_token=no").form(&[("access_token", &token)])).await.status, 200, "the body wins");
    let header = api.get(&format!("/api?access_token={token}")).header("authorization", "Bearer no");
    assert_eq!(sent(header).await.status, 401, "the header comes first");
}

#[tokio::test]
async fn the_upstream_is_told_what_holds_and_nothing_the_client_made_up() {
    let api = Api::with(json!({ "scope_header_separator": "," })).await;
    let shop = api.admin(Method::GET, "/consumers/shop", Value::Null).await.body;
    let forged = [
        "X-Consumer-ID",
        "X-Consumer-Custom-ID",
        "X-Consumer-Username",
        "X-Credential-Identifier",
        "X-Authenticated-Scope",
        "X-Authenticated-Userid",
        "X-Anonymous-Consumer",
        "X-Consumer-Groups",
    ];
    let call = async |token: &str| {
        let request =
            forged.iter().fold(api.get("/api").bearer_auth(token), |request, name| request.header(*name, "forged"));
        sent(request).await
    };
    let reply = call(&api.access().await).await;
    assert_eq!(reply.upstream("x-consumer-id"), shop["id"].as_str());
    assert_eq!(reply.upstream("x-consumer-custom-id"), Some("s-1"));
    assert_eq!(reply.upstream("x-consumer-username"), Some("shop"));
    assert_eq!(reply.upstream("x-credential-identifier"), Some("app"));
    assert_eq!(reply.upstream("x-authenticated-scope"), Some("read,write"));
    for name in ["x-authenticated-userid", "x-anonymous-consumer", "x-consumer-groups"] {
        assert_eq!(reply.upstream(name), None, "{name}");
    }
    let bare = api.imported(json!({ "access_token": "bare" })).await;
    assert_eq!(call(bare["access_token"].as_str().unwrap()).await.upstream("x-authenticated-scope"), None);
    api.made("/services", json!({ "name": "open", "url": api.upstream().await })).await;
    api.made("/services/open/routes", json!({ "paths": ["/open"] })).await;
    let open = forged.iter().fold(api.get("/open"), |request, name| request.header(*name, "forged"));
    let open = sent(open).await;
    for name in forged {
        assert_eq!(open.upstream(&name.to_lowercase()), None, "{name}, also where no plugin stands");
    }
}

#[tokio::test]
async fn a_token_of_one_service_is_invalid_on_another() {
    let api = Api::with(json!({})).await;
    second(&api, json!({})).await;
    let token = api.access().await;
    assert_eq!(sent(api.get("/second").bearer_auth(&token)).await.refusal(), (401, "invalid_token", INVALID));
}

#[tokio::test]
async fn a_global_token_works_wherever_global_credentials_are_on() {
    let api = Api::with(json!({ "global_credentials": true })).await;
    let other = second(&api, json!({ "global_credentials": true })).await;
    let token = api.access().await;
    let call = async || sent(api.get("/second").bearer_auth(&token)).await;
    assert_eq!((api.call(&token).await.status, call().await.status), (200, 200));
    let row = api.admin(Method::GET, &format!("/oauth2_tokens/{token}"), Value::Null).await.body;
    assert_eq!((&row["service"], &row["service_id"]), (&Value::Null, &Value::Null));
    let off = json!({ "config": { "global_credentials": false } });
    assert_eq!(api.admin(Method::PATCH, &format!("/plugins/{other}"), off).await.status, 200);
    let reply = call().await;
    let text = "The access token is global, but the current plugin is configured without 'global_credentials'";
    assert_eq!(reply.refusal(), (401, "invalid_token", text));
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{text}\"");
    assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()));
}

#[tokio::test]
async fn a_global_code_is_good_where_it_was_made() {
    let api = Api::with(json!({ "global_credentials": true })).await;
    second(&api, json!({ "global_credentials": true })).await;
    let code = api.authorize(&[("response_type", "code")]).await.parameter("code");
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("client_id", "app"), ("client_secret", "secret")];
    let elsewhere = api.ask("/second/oauth2/token", &form).await;
    assert_eq!(elsewhere.refusal(), (400, "invalid_request", "Invalid code"));
    assert_eq!(api.ask("/api/oauth2/token", &form).await.status, 200);
}

/// A second protected service at `/second`; gives the id of its plugin.
async fn second(api: &Api, config: Value) -> String {
    api.made("/services", json!({ "name": "second", "url": api.upstream().await })).await;
    api.made("/services/second/routes", json!({ "paths": ["/second"] })).await;
    id(&api.protect("second", config).await)
}

#[tokio::test]
async fn a_grpc_call_is_refused_in_the_words_of_grpc() {
    let api = Api::with(json!({})).await;
    api.made("/services", json!({ "name": "rpc", "url": format!("grpc{}", &api.upstream().await[4..]) })).await;
    api.made("/services/rpc/routes", json!({ "paths": ["/rpc"], "protocols": ["grpc", "grpcs"] })).await;
    api.protect("rpc", json!({})).await;
    let call = |token: Option<&str>| {
        let request = api.http.post(api.gateway.url("proxy", "/rpc/Do")).header("content-type", "application/grpc");
        sent(token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token)))
    };
    for (token, message) in [(None, "The access token is missing"), (Some("no"), INVALID)] {
        let reply = call(token).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/grpc")), "{reply:?}");
        assert_eq!((reply.header("grpc-status"), reply.header("grpc-message")), (Some("16"), Some(message)));
    }
}
