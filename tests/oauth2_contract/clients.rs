//! Section 4, client authentication, and section 3, checks of the authorization endpoint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::api::{Api, CALLBACK, Reply, sent};

async fn basic(api: &Api, header: &str, value: &str, form: &[(&str, &str)]) -> Reply {
    let form = [&[("grant_type", "client_credentials")], form].concat();
    sent(api.post("/api/oauth2/token").header(header, value).form(&form)).await
}

fn encoded(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

#[tokio::test]
async fn the_basic_header_splits_at_the_first_colon_and_is_read_encoded_too() {
    let api = Api::with(json!({})).await;
    let application = json!({ "name": "b", "client_id": "my id", "client_secret": "se:cr+t%" });
    api.made("/consumers/shop/oauth2", application).await;
    for text in ["my id:se:cr+t%", "my%20id:se%3Acr%2Bt%25", "my+id:se:cr%2Bt%25"] {
        assert_eq!(basic(&api, "authorization", &encoded(text), &[]).await.status, 200, "{text}");
    }
}

#[tokio::test]
async fn a_wrong_secret_in_the_header_is_a_401_and_in_the_body_a_400() {
    let api = Api::with(json!({ "realm": "shop" })).await;
    for value in [encoded("app:no"), encoded("nobody:secret"), encoded("app"), "Basic ???".to_owned()] {
        let reply = basic(&api, "authorization", &value, &[("client_id", "app"), ("state", "s")]).await;
        assert_eq!(reply.refusal(), (401, "invalid_client", "Invalid client authentication"), "{value}");
        assert_eq!(reply.header("www-authenticate"), Some("Basic realm=\"OAuth2.0\""));
        assert_eq!(reply.text("state"), "s");
    }
    for form in [vec![("client_secret", "no")], vec![("client_id", "nobody")], vec![("client_secret", "")]] {
        let reply = api.token(&[&[("grant_type", "client_credentials")], &form[..]].concat()).await;
        assert_eq!(reply.refusal(), (400, "invalid_client", "Invalid client authentication"), "{form:?}");
        assert_eq!(reply.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn parameters_come_before_the_header_and_the_header_before_an_id_alone() {
    let api = Api::with(json!({})).await;
    let wrong = encoded("app:no");
    let both = [("client_id", "app"), ("client_secret", "secret")];
    assert_eq!(basic(&api, "authorization", &wrong, &both).await.status, 200);
    assert_eq!(basic(&api, "authorization", &wrong, &both[..1]).await.status, 401);
    assert_eq!(basic(&api, "authorization", &encoded("app:secret"), &[("client_id", "other")]).await.status, 200);
}

#[tokio::test]
async fn the_header_is_the_one_the_plugin_names() {
    let api = Api::with(json!({ "auth_header_name": "X-Pass" })).await;
    assert_eq!(basic(&api, "x-pass", &encoded("app:secret"), &[]).await.status, 200);
    assert_eq!(basic(&api, "authorization", &encoded("app:secret"), &[]).await.refusal().1, "invalid_client");
}

#[tokio::test]
async fn a_public_client_sends_no_secret() {
    let api = Api::with(json!({})).await;
    api.made("/consumers/shop/oauth2", json!({ "name": "spa", "client_id": "spa", "client_type": "public" })).await;
    let grant = ("grant_type", "client_credentials");
    for form in [vec![("client_secret", "")], vec![("client_secret", " ")]] {
        assert_eq!(api.token(&[&[grant, ("client_id", "spa")], &form[..]].concat()).await.status, 200);
    }
    assert_eq!(api.ask("/api/oauth2/token", &[grant, ("client_id", "spa")]).await.status, 200);
    let told = (400, "invalid_request", "client_secret is disallowed for public clients");
    assert_eq!(api.token(&[grant, ("client_id", "spa"), ("client_secret", "x")]).await.refusal(), told);
}

#[tokio::test]
async fn an_unknown_grant_is_told_before_the_client_is_looked_at() {
    let api = Api::with(json!({ "enable_password_grant": false })).await;
    let told = (400, "unsupported_grant_type", "Invalid grant_type");
    for grant in ["wot", "password", ""] {
        assert_eq!(api.token(&[("grant_type", grant), ("client_secret", "no")]).await.refusal(), told);
    }
    assert_eq!(api.ask("/api/oauth2/token", &[]).await.refusal(), told);
}

#[tokio::test]
async fn a_redirect_uri_must_be_registered_but_for_client_credentials() {
    let api = Api::with(json!({})).await;
    let foreign = ("redirect_uri", "https://evil");
    let told = api.token(&[("grant_type", "refresh_token"), ("refresh_token", "x"), foreign]).await;
    let text = "Invalid redirect_uri that does not match with any redirect_uri created with the application";
    assert_eq!(told.refusal(), (400, "invalid_request", text));
    assert_eq!(api.token(&[("grant_type", "client_credentials"), foreign]).await.status, 200);
}

#[tokio::test]
async fn only_the_provision_key_makes_a_user_of_client_credentials() {
    let api = Api::with(json!({})).await;
    let grant = [("grant_type", "client_credentials"), ("authenticated_userid", "u")];
    assert_eq!(api.token(&grant).await.refusal(), (400, "invalid_provision_key", "Invalid provision_key"));
    let reply = api.token(&[&grant[..], &[("provision_key", "provision-api")]].concat()).await;
    assert!(reply.body.get("refresh_token").is_none(), "{reply:?}");
    assert_eq!(api.call(reply.text("access_token")).await.upstream("x-authenticated-userid"), Some("u"));
}

#[tokio::test]
async fn a_scope_is_one_text_of_known_words() {
    let api = Api::with(json!({ "mandatory_scope": true })).await;
    let ask = async |scope: serde_json::Value| {
        let body = json!({ "grant_type": "client_credentials", "client_id": "app", "client_secret": "secret", "scope": scope });
        sent(api.post("/api/oauth2/token").json(&body)).await
    };
    let told = async |scope| ask(scope).await.refusal().2.to_owned();
    assert_eq!(told(json!(["read"])).await, "scope must be a string");
    assert_eq!(told(json!("read wot")).await, "\"wot\" is an invalid scope");
    assert_eq!(told(json!("")).await, "You must specify a scope");
    assert_eq!(ask(json!("write  read")).await.status, 200);
}

#[tokio::test]
async fn an_answer_goes_to_the_asked_uri_and_bad_news_to_the_first() {
    let api = Api::with(json!({})).await;
    let code = ("response_type", "code");
    let other = api.authorize(&[code, ("redirect_uri", "app://other"), ("state", "a&b")]).await;
    assert!(other.text("redirect_uri").starts_with("app://other?code="), "{other:?}");
    assert_eq!(other.parameter("state"), "a%26b");
    let foreign = api.authorize(&[code, ("redirect_uri", "https://client.example/cb/"), ("state", "s")]).await;
    assert_eq!((foreign.status, foreign.parameter("error")), (400, "invalid_request".to_owned()));
    assert!(foreign.text("redirect_uri").starts_with(&format!("{CALLBACK}?error=")), "{foreign:?}");
    assert_eq!(foreign.parameter("state"), "s");
    let implicit = api.authorize(&[("response_type", "token"), ("scope", "wot")]).await;
    assert!(implicit.text("redirect_uri").starts_with(&format!("{CALLBACK}#error=invalid_scope")), "{implicit:?}");
}

#[tokio::test]
async fn a_client_without_redirect_uris_is_no_client_of_the_authorization_endpoint() {
    let api = Api::with(json!({})).await;
    api.made("/consumers/shop/oauth2", json!({ "name": "bare", "client_id": "bare" })).await;
    for client in ["bare", "nobody", ""] {
        let reply = api.authorize(&[("response_type", "code"), ("client_id", client)]).await;
        assert_eq!(reply.refusal(), (400, "invalid_client", "Invalid client authentication"), "{client}");
    }
}

#[tokio::test]
async fn a_challenge_has_one_method() {
    let api = Api::with(json!({ "pkce": "strict" })).await;
    let told = async |extra: &[(&str, &str)]| {
        let reply = api.authorize(&[&[("response_type", "code")], extra].concat()).await;
        reply.parameter("error_description").replace("%20", " ").replace("%2C", ",")
    };
    assert_eq!(told(&[]).await, "code_challenge is required for confidential clients");
    let plain = [("code_challenge", "x"), ("code_challenge_method", "plain")];
    assert_eq!(told(&plain).await, "code_challenge_method is not supported, must be S256");
    assert_eq!(told(&plain[1..]).await, "code_challenge_method is not supported, must be S256");
    let alone = [("code_challenge_method", "s256")];
    assert_eq!(told(&alone).await, "code_challenge is required when code_method is present");
}
