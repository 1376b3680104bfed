//! Several authentication plugins on one route: `jwt` runs first, then `oauth2`, then `key-auth`.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::api::{Api, sent};
use crate::jwt::hs256;

/// A consumer per plugin, each with the credential that its plugin knows; every plugin with these settings beside.
async fn protected(config: Value) -> Api {
    let api = Api::start().await;
    let with = |more: Value| {
        let mut whole = config.clone();
        more.as_object().unwrap().iter().for_each(|(name, value)| whole[name] = value.clone());
        whole
    };
    api.plugin("key-auth", with(json!({}))).await;
    let oauth2 = json!({ "enable_client_credentials": true, "global_credentials": true, "scopes": ["read"] });
    api.plugin("oauth2", with(oauth2)).await;
    let jwt = json!({});
    let mut jwt = with(jwt);
    jwt.as_object_mut().unwrap().shift_remove("hide_credentials");
    api.plugin("jwt", jwt).await;
    for name in ["of-jwt", "of-oauth2", "of-key"] {
        api.made("/consumers", json!({ "username": name })).await;
    }
    api.made("/consumers/of-jwt/jwt", json!({ "key": "issuer", "secret": "s" })).await;
    api.made("/consumers/of-key/key-auth", json!({ "key": "the-key" })).await;
    let application = json!({ "name": "app", "client_id": "app", "redirect_uris": ["http://localhost/"] });
    let application = api.made("/consumers/of-oauth2/oauth2", application).await;
    let token = json!({ "credential": { "id": application["id"] }, "access_token": "the-token", "expires_in": 0,
        "scope": "read", "authenticated_userid": "ulla" });
    api.made("/oauth2_tokens", token).await;
    api
}

/// What a call may bring; the token in the header, the others in the query.
#[derive(Clone, Copy, Default)]
struct Brings<'b> {
    jwt: Option<&'b str>,
    token: Option<&'b str>,
    key: Option<&'b str>,
}

fn request(api: &Api, brings: Brings<'_>) -> RequestBuilder {
    let mut request = api.request("/api");
    if let Some(jwt) = brings.jwt {
        request = request.query(&[("jwt", jwt)]);
    }
    if let Some(key) = brings.key {
        request = request.query(&[("apikey", key)]);
    }
    match brings.token {
        Some(token) => request.query(&[("access_token", token)]),
        None => request,
    }
}

#[tokio::test]
async fn without_anonymous_all_must_pass() {
    let api = protected(json!({})).await;
    let jwt = hs256("issuer", "s");
    let all = Brings { jwt: Some(&jwt), token: Some("the-token"), key: Some("the-key") };
    let reply = sent(request(&api, all)).await;
    assert_eq!(reply.consumer(), Some("of-key"), "the last one to pass says who calls");
    assert_eq!(reply.upstream("x-authenticated-scope"), Some("read"), "the token passed too");
    sent(request(&api, Brings { jwt: None, ..all })).await.is_refused("Unauthorized");
    assert_eq!(sent(request(&api, Brings { token: None, ..all })).await.status, 401);
    sent(request(&api, Brings { key: None, ..all })).await.is_refused("No API key found in request");
}

#[tokio::test]
async fn with_anonymous_on_each_the_first_that_passes_wins() {
    let api = protected(json!({ "anonymous": "guest" })).await;
    let jwt = hs256("issuer", "s");
    let bad = hs256("issuer", "guess");
    let cases = [
        (Brings { jwt: Some(&jwt), token: Some("the-token"), key: Some("the-key") }, "of-jwt", "issuer"),
        (Brings { jwt: Some(&jwt), token: Some("bad"), key: Some("bad") }, "of-jwt", "issuer"),
        (Brings { jwt: Some(&jwt), ..Brings::default() }, "of-jwt", "issuer"),
        (Brings { jwt: Some(&bad), token: Some("the-token"), key: Some("the-key") }, "of-oauth2", "app"),
        (Brings { token: Some("the-token"), key: Some("bad"), ..Brings::default() }, "of-oauth2", "app"),
        (Brings { token: Some("the-token"), ..Brings::default() }, "of-oauth2", "app"),
    ];
    for (brings, consumer, identifier) in cases {
        let reply = sent(request(&api, brings)).await;
        assert_eq!((reply.consumer(), reply.upstream("x-credential-identifier")), (Some(consumer), Some(identifier)));
        assert_eq!(reply.upstream("x-anonymous-consumer"), None);
        let of_token = (consumer == "of-oauth2").then_some("read");
        assert_eq!(reply.upstream("x-authenticated-scope"), of_token);
        assert_eq!(reply.upstream("x-authenticated-userid"), of_token.map(|_| "ulla"));
    }
    for brings in [
        Brings { jwt: Some(&bad), token: Some("bad"), key: Some("the-key") },
        Brings { key: Some("the-key"), ..Brings::default() },
    ] {
        let reply = sent(request(&api, brings)).await;
        assert_eq!((reply.consumer(), reply.upstream("x-anonymous-consumer")), (Some("of-key"), None));
        assert_eq!(reply.upstream("x-authenticated-scope"), None);
    }
}

#[tokio::test]
async fn with_anonymous_on_each_a_call_that_nobody_knows_is_the_guests() {
    let api = protected(json!({ "anonymous": "guest" })).await;
    let bad = hs256("nobody", "s");
    for brings in [Brings::default(), Brings { jwt: Some(&bad), token: Some("bad"), key: Some("bad") }] {
        let liar = request(&api, brings)
            .header("x-authenticated-userid", "root")
            .header("x-credential-identifier", "root")
            .header("X_Authenticated_Scope", "all");
        let reply = sent(liar).await;
        assert_eq!((reply.consumer(), reply.upstream("x-anonymous-consumer")), (Some("guest"), Some("true")));
        for name in
            ["x-authenticated-userid", "x-authenticated-scope", "x_authenticated_scope", "x-credential-identifier"]
        {
            assert_eq!(reply.upstream(name), None, "{name}");
        }
    }
}

#[tokio::test]
async fn anonymous_on_some_leaves_the_others_strict() {
    let api = Api::start().await;
    api.plugin("jwt", json!({ "anonymous": "guest" })).await;
    api.plugin("key-auth", json!({})).await;
    api.made("/consumers/alice/key-auth", json!({ "key": "k" })).await;
    api.made("/consumers/alice/jwt", json!({ "key": "issuer", "secret": "s" })).await;
    api.call(&format!("/api?jwt={}", hs256("issuer", "s"))).await.is_refused("No API key found in request");
    let reply = api.call("/api?apikey=k").await;
    assert_eq!((reply.consumer(), reply.upstream("x-anonymous-consumer")), (Some("alice"), None));
}

#[tokio::test]
async fn an_anonymous_consumer_that_does_not_exist_is_told() {
    for plugin in ["jwt", "key-auth", "oauth2"] {
        let api = Api::start().await;
        let mut config = json!({ "anonymous": "ghost" });
        if plugin == "oauth2" {
            config["enable_client_credentials"] = json!(true);
        }
        api.plugin(plugin, config).await;
        let reply = api.call("/api").await;
        let message = "anonymous consumer ghost is configured but doesn't exist";
        assert_eq!((reply.status, &reply.body), (500, &json!({ "message": message })), "{plugin}");
    }
}

#[tokio::test]
async fn what_two_plugins_hide_in_one_query_is_both_gone() {
    let api = Api::start().await;
    api.plugin("key-auth", json!({ "hide_credentials": true, "key_in_body": true })).await;
    let config = json!({ "enable_client_credentials": true, "global_credentials": true, "hide_credentials": true });
    api.plugin("oauth2", config).await;
    api.made("/consumers/alice/key-auth", json!({ "key": "the-key" })).await;
    let application = json!({ "name": "app", "client_id": "app", "redirect_uris": ["http://localhost/"] });
    let application = api.made("/consumers/alice/oauth2", application).await;
    let token = json!({ "credential": { "id": application["id"] }, "access_token": "the-token", "expires_in": 0 });
    api.made("/oauth2_tokens", token).await;
    let query = api.call("/api/x?a=1&apikey=the-key&access_token=the-token").await;
    assert_eq!((query.status, &query.body["path"]), (200, &json!("/x?a=1")));
    let form = [("access_token", "the-token"), ("apikey", "the-key"), ("a", "1")];
    let body = sent(api.http.post(api.gateway.url("proxy", "/api")).form(&form)).await;
    assert_eq!((body.status, &body.body["body"]), (200, &json!("a=1")));
}

#[tokio::test]
async fn guesses_cost_the_database_nothing() {
    let api = protected(json!({ "anonymous": "guest" })).await;
    for number in 0..200 {
        let (jwt, key) = (hs256(&format!("issuer {number}"), "s"), format!("{number:032}"));
        let reply = sent(request(&api, Brings { jwt: Some(&jwt), token: None, key: Some(&key) })).await;
        assert_eq!(reply.consumer(), Some("guest"));
    }
    let metrics = api.http.get(api.gateway.admin("/metrics")).send().await.unwrap().text().await.unwrap();
    let count = |tier: &str| {
        let series = format!("tollgate_key_checks_total{{tier=\"{tier}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(series.as_str()));
        line.unwrap().parse::<u32>().unwrap()
    };
    assert!(count("database") < 5, "{metrics}");
    assert!(count("stamp") > 390, "{metrics}");
}
