//! Every grant over the real gateway: what a login backend and a client see.

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Folder, Gateway, Start, client};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://client.example/cb?own=1";

struct Api {
    _folder: Folder,
    gateway: Gateway,
    plugin: String,
}

impl Api {
    /// A service `/api` with every grant on and `config` over that, and a confidential and a public application.
    async fn with(config: Value) -> Self {
        let folder = Folder::new();
        let gateway = Start::dev(folder.path()).arg("--empty").ready();
        let mut whole = json!({ "scopes": ["read", "write"], "provision_key": "provision",
            "enable_authorization_code": true, "enable_implicit_grant": true,
            "enable_client_credentials": true, "enable_password_grant": true });
        whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let upstream = gateway.url("status", "/status/live");
        let application = |id: &str, kind: &str| {
            json!({ "name": id, "client_id": id, "client_secret": "secret",
            "client_type": kind, "redirect_uris": [CALLBACK, "app://other"] })
        };
        let api = Self { _folder: folder, gateway, plugin: String::new() };
        api.made("/services", json!({ "name": "api", "url": upstream })).await;
        api.made("/services/api/routes", json!({ "paths": ["/api"] })).await;
        let plugin = api.made("/services/api/plugins", json!({ "name": "oauth2", "config": whole })).await;
        api.made("/consumers", json!({ "username": "shop" })).await;
        api.made("/consumers/shop/oauth2", application("app", "confidential")).await;
        api.made("/consumers/shop/oauth2", application("other", "confidential")).await;
        api.made("/consumers/shop/oauth2", application("spa", "public")).await;
        Self { plugin: plugin["id"].as_str().unwrap().to_owned(), ..api }
    }

    async fn made(&self, path: &str, body: Value) -> Value {
        let answer = client().post(self.gateway.admin(path)).json(&body).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, 201, "{path}: {body}");
        body
    }

    async fn ask(&self, endpoint: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let url = self.gateway.url("proxy_tls", &format!("/api/oauth2/{endpoint}"));
        let answer = client().post(url).form(form).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["pragma"], "no-cache");
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn authorize(&self, extra: &[(&str, &str)]) -> (u16, Value) {
        let common = [("provision_key", "provision"), ("authenticated_userid", "user-1"), ("client_id", "app")];
        let form: Vec<_> =
            common.into_iter().filter(|(name, _)| !extra.iter().any(|(other, _)| other == name)).collect();
        self.ask("authorize", &[form.as_slice(), extra].concat()).await
    }

    async fn token(&self, extra: &[(&str, &str)]) -> (u16, Value) {
        let common = [("client_id", "app"), ("client_secret", "secret")];
        let form: Vec<_> =
            common.into_iter().filter(|(name, _)| !extra.iter().any(|(other, _)| other == name)).collect();
        self.ask("token", &[form.as_slice(), extra].concat()).await
    }

    /// A fresh code of the confidential application.
    async fn code(&self, extra: &[(&str, &str)]) -> String {
        let (status, body) = self.authorize(&[&[("response_type", "code")], extra].concat()).await;
        assert_eq!(status, 200, "{body}");
        parameter(&body, "code")
    }

    /// A fresh pair of the confidential application.
    async fn pair(&self) -> (String, String) {
        let form = [
            ("grant_type", "password"),
            ("provision_key", "provision"),
            ("authenticated_userid", "user-1"),
            ("scope", "read"),
        ];
        let (status, body) = self.token(&form).await;
        assert_eq!(status, 200, "{body}");
        pair(&body)
    }

    async fn refresh(&self, refresh_token: &str) -> (u16, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    async fn call(&self, token: &str) -> u16 {
        client().get(self.gateway.url("proxy", "/api")).bearer_auth(token).send().await.unwrap().status().as_u16()
    }
}

fn pair(body: &Value) -> (String, String) {
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
    (text("access_token"), text("refresh_token"))
}

/// A parameter of the redirect URI in an answer, from query or fragment.
fn parameter(body: &Value, name: &str) -> String {
    let uri = body["redirect_uri"].as_str().unwrap_or_else(|| panic!("no redirect_uri: {body}"));
    let params = uri.split(['?', '#', '&']).skip(1);
    let found = params.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    found.unwrap_or_else(|| panic!("no {name} in {uri}")).1.to_owned()
}

fn refusal(body: &Value) -> (&str, &str) {
    (body["error"].as_str().unwrap_or(""), body["error_description"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_a_replay_takes_back_what_it_gave() {
    let api = Api::with(json!({})).await;
    let (status, body) = api.authorize(&[("response_type", "code"), ("state", "a b"), ("scope", "read write")]).await;
    let uri = body["redirect_uri"].as_str().unwrap();
    assert_eq!(status, 200);
    assert!(uri.starts_with("https://client.example/cb?code=") && uri.ends_with("&own=1&state=a%20b"), "{uri}");
    let code = parameter(&body, "code");
    assert!(code.len() == 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("state", "xyz")];
    let (status, told) = api.token(&exchange).await;
    assert_eq!(
        (status, &told["token_type"], &told["expires_in"], &told["state"]),
        (200, &json!("bearer"), &json!(7200), &json!("xyz"))
    );
    let (access, refresh) = pair(&told);
    assert_eq!(api.call(&access).await, 200);
    let row: Value = client()
        .get(api.gateway.admin(&format!("/oauth2_tokens/{access}")))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&row["scope"], &row["authenticated_userid"]), (&json!("read write"), &json!("user-1")));
    let (status, again) = api.token(&exchange).await;
    assert_eq!((status, refusal(&again)), (400, ("invalid_request", "Invalid code")));
    assert_eq!(api.call(&access).await, 401, "a replayed code revokes what it issued");
    assert_eq!(refusal(&api.refresh(&refresh).await.1), ("invalid_request", "Invalid refresh_token"));
}

#[tokio::test]
async fn a_code_is_refused_to_others() {
    let api = Api::with(json!({})).await;
    let code = api.code(&[]).await;
    let other = [("grant_type", "authorization_code"), ("code", code.as_str()), ("client_id", "other")];
    assert_eq!(refusal(&api.token(&other).await.1), ("invalid_request", "Invalid code"));
    let unknown = [("grant_type", "authorization_code"), ("code", "unknown")];
    assert_eq!(refusal(&api.token(&unknown).await.1), ("invalid_request", "Invalid code"));
    let redirect = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", "https://evil")];
    assert_eq!(api.token(&redirect).await.1["error"], "invalid_request");
    assert_eq!(api.token(&[("grant_type", "authorization_code"), ("code", code.as_str())]).await.0, 200);
}

#[tokio::test]
async fn pkce_proves_who_asked() {
    let api = Api::with(json!({})).await;
    let spa = ("client_id", "spa");
    let (status, body) = api.authorize(&[("response_type", "code"), spa]).await;
    assert_eq!(status, 400);
    assert_eq!(parameter(&body, "error"), "invalid_request");
    assert_eq!(parameter(&body, "error_description"), "code_challenge%20is%20required%20for%20public%20clients");
    let code = api.code(&[spa, ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]).await;
    let blank = ("client_secret", "");
    let exchange =
        |extra: &[(&'static str, &'static str)]| [&[("grant_type", "authorization_code"), spa, blank], extra].concat();
    let with_code = |extra: &[(&'static str, &'static str)]| {
        let mut form: Vec<(&str, String)> =
            exchange(extra).into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        form.push(("code", code.clone()));
        form
    };
    for (extra, expected) in [
        (vec![], ("invalid_request", "code_verifier is required for PKCE authorization requests")),
        (vec![("code_verifier", "short")], ("invalid_request", "code_verifier must be between 43 and 128 characters")),
        (vec![("code_verifier", "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")], ("invalid_grant", "Invalid code")),
    ] {
        let form = with_code(&extra);
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(refusal(&api.ask("token", &form).await.1), expected);
    }
    let secret = with_code(&[("code_verifier", VERIFIER)]);
    let mut form: Vec<_> = secret.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form[2].1 = "secret";
    assert_eq!(
        refusal(&api.ask("token", &form).await.1),
        ("invalid_request", "client_secret is disallowed for public clients")
    );
    form[2].1 = "";
    let (status, body) = api.ask("token", &form).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn the_authorization_endpoint_tells_its_faults_in_kongs_order() {
    let api = Api::with(json!({ "mandatory_scope": true })).await;
    let told = async |extra: &[(&str, &str)]| api.authorize(extra).await;
    assert_eq!(refusal(&told(&[("provision_key", "no")]).await.1), ("invalid_provision_key", "Invalid provision_key"));
    let blank = told(&[("authenticated_userid", " ")]).await.1;
    assert_eq!(refusal(&blank), ("invalid_authenticated_userid", "Missing authenticated_userid parameter"));
    let unknown = told(&[("client_id", "nobody"), ("response_type", "code"), ("state", "s")]).await.1;
    assert_eq!(refusal(&unknown), ("invalid_client", "Invalid client authentication"));
    assert_eq!(unknown["state"], "s");
    let (status, body) = told(&[("response_type", "wot"), ("scope", "read")]).await;
    assert_eq!((status, parameter(&body, "error").as_str()), (400, "unsupported_response_type"));
    let (_, body) = told(&[("response_type", "code")]).await;
    assert_eq!(parameter(&body, "error_description"), "You%20must%20specify%20a%20scope");
    let (_, body) = told(&[("response_type", "code"), ("scope", "read"), ("redirect_uri", "https://evil")]).await;
    assert_eq!(parameter(&body, "error"), "invalid_request");
    assert!(body["redirect_uri"].as_str().unwrap().starts_with("https://client.example/cb?"));
    let url = api.gateway.url("proxy_tls", "/api/oauth2/authorize");
    let get = client().request(Method::GET, &url).send().await.unwrap();
    assert_eq!(get.status(), 405);
    assert_eq!(
        get.headers()["www-authenticate"],
        "Bearer error=\"invalid_method\", error_description=\"The HTTP method GET is invalid for the authorization endpoint\""
    );
    let plain = client().post(api.gateway.url("proxy", "/api/oauth2/authorize")).send().await.unwrap();
    assert_eq!(refusal(&plain.json().await.unwrap()), ("access_denied", "You must use HTTPS"));
}

#[tokio::test]
async fn implicit_answers_in_the_fragment_without_refresh_token() {
    let api = Api::with(json!({})).await;
    let (status, body) = api.authorize(&[("response_type", "token"), ("scope", "read"), ("state", "s")]).await;
    let uri = body["redirect_uri"].as_str().unwrap();
    assert_eq!(status, 200);
    assert!(uri.starts_with(&format!("{CALLBACK}#access_token=")), "{uri}");
    assert!(uri.ends_with("&expires_in=7200&state=s&token_type=bearer"), "{uri}");
    assert_eq!(api.call(&parameter(&body, "access_token")).await, 200);
}

#[tokio::test]
async fn the_password_grant_trusts_the_provision_key() {
    let api = Api::with(json!({})).await;
    let grant = ("grant_type", "password");
    assert_eq!(refusal(&api.token(&[grant]).await.1).0, "invalid_provision_key");
    assert_eq!(refusal(&api.token(&[grant, ("provision_key", "provision")]).await.1).0, "invalid_authenticated_userid");
    let (access, _) = api.pair().await;
    assert_eq!(api.call(&access).await, 200);
}

#[tokio::test]
async fn a_refresh_replaces_the_pair_and_a_retry_gets_the_same_one_again() {
    let api = Api::with(json!({})).await;
    let (access, refresh) = api.pair().await;
    assert_eq!(api.call(&access).await, 200);
    let (status, body) = api.refresh(&refresh).await;
    assert_eq!(status, 200, "{body}");
    let (new_access, new_refresh) = pair(&body);
    assert!(new_access != access && new_refresh != refresh);
    assert_eq!((api.call(&access).await, api.call(&new_access).await), (401, 200), "the old token is gone at once");
    let (status, again) = api.refresh(&refresh).await;
    assert_eq!((status, pair(&again)), (200, (new_access.clone(), new_refresh.clone())), "a lost answer is told again");
    assert_eq!(refusal(&api.refresh("unknown").await.1), ("invalid_request", "Invalid refresh_token"));
    let foreign = [("grant_type", "refresh_token"), ("refresh_token", new_refresh.as_str()), ("client_id", "other")];
    assert_eq!(refusal(&api.token(&foreign).await.1).0, "invalid_client");
}

#[tokio::test]
async fn a_replay_after_the_grace_ends_the_family() {
    let api = Api::with(json!({ "refresh_grace": 0 })).await;
    let (_, refresh) = api.pair().await;
    let (access, newer) = pair(&api.refresh(&refresh).await.1);
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(refusal(&api.refresh(&refresh).await.1), ("invalid_request", "Invalid refresh_token"));
    assert_eq!(api.call(&access).await, 401, "the thief's replay ends what the client has");
    assert_eq!(refusal(&api.refresh(&newer).await.1).0, "invalid_request");
}

#[tokio::test]
async fn a_kept_refresh_token_renews_the_row() {
    let api = Api::with(json!({ "reuse_refresh_token": true })).await;
    let (access, refresh) = api.pair().await;
    assert_eq!(api.call(&access).await, 200);
    let (newer, kept) = pair(&api.refresh(&refresh).await.1);
    assert_eq!((kept, api.call(&access).await, api.call(&newer).await), (refresh.clone(), 401, 200));
    let (newest, _) = pair(&api.refresh(&refresh).await.1);
    assert_eq!((api.call(&newer).await, api.call(&newest).await), (401, 200));
    let page: Value = client().get(api.gateway.admin("/oauth2_tokens")).send().await.unwrap().json().await.unwrap();
    assert_eq!(page["total"], 1);
}

#[tokio::test]
async fn a_scope_the_plugin_lost_cannot_be_refreshed() {
    let api = Api::with(json!({})).await;
    let (_, refresh) = api.pair().await;
    let patch = json!({ "config": { "scopes": ["write"] } });
    let patched =
        client().patch(api.gateway.admin(&format!("/plugins/{}", api.plugin))).json(&patch).send().await.unwrap();
    assert_eq!(patched.status(), 200);
    assert_eq!(refusal(&api.refresh(&refresh).await.1), ("invalid_scope", "Scope mismatch"));
}

#[tokio::test]
async fn tokens_without_end_have_neither_expiry_nor_refresh_token() {
    let api = Api::with(json!({ "token_expiration": 0 })).await;
    let form = [("grant_type", "password"), ("provision_key", "provision"), ("authenticated_userid", "u")];
    let (status, body) = api.token(&form).await;
    assert_eq!(status, 200);
    assert!(body.get("expires_in").is_none() && body.get("refresh_token").is_none(), "{body}");
}

#[tokio::test]
async fn the_strict_profile_speaks_rfc() {
    let config = json!({ "profile": "rfc9700", "enable_implicit_grant": false, "enable_password_grant": false });
    let api = Api::with(config).await;
    let (status, body) = api.authorize(&[("response_type", "code")]).await;
    assert_eq!((status, parameter(&body, "error").as_str()), (400, "invalid_request"), "PKCE is for everybody");
    let asked = [("code_challenge", CHALLENGE), ("redirect_uri", CALLBACK), ("response_type", "code")];
    let (_, body) = api.authorize(&asked).await;
    assert!(parameter(&body, "iss").starts_with("https%3A%2F%2F127.0.0.1"), "{body}");
    let code = parameter(&body, "code");
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    assert_eq!(refusal(&api.token(&exchange).await.1).0, "invalid_grant", "the redirect URI is bound");
    let bound = [&exchange[..], &[("redirect_uri", CALLBACK)]].concat();
    let (status, body) = api.token(&bound).await;
    assert_eq!(status, 200, "{body}");
    let (access, _) = pair(&body);
    let query = api.gateway.url("proxy", &format!("/api?access_token={access}"));
    assert_eq!(client().get(query).send().await.unwrap().status(), 401, "no tokens in the query");
    let (status, body) = api.token(&[("grant_type", "client_credentials"), ("client_secret", "no")]).await;
    assert_eq!((status, refusal(&body).0), (401, "invalid_client"));
    let (_, body) = api.token(&[("grant_type", "password")]).await;
    assert_eq!(refusal(&body).0, "unauthorized_client");
}
