//! Real OAuth clients get tokens and call a service, each by every grant it has.
//!
//! A client trusts the gateway's certificate by its file, as a user's would. What a client does is in
//! `tests/clients/`, one short program each, that prints the status of a call made with each grant's token.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeChallenge, RedirectUrl, RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername,
    Scope, TokenResponse, TokenUrl,
};
use serde_json::{Value, json};
use support::{Folder, Gateway, Start, trusting};

/// Characters that a client must encode, so that both readings of RFC 6749 section 2.3.1 are met.
const SECRET: &str = "p+ss w%rd:ü";
const APPLICATIONS: [(&str, &str); 2] = [("shop app", SECRET), ("plain", "plain-secret")];
/// simple-oauth2 takes secrets of ASCII only (RFC 6749 appendix A.2 allows no others).
const TYPED: (&str, &str) = ("typed app", "p+ss w%rd:~");
const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];
const CALLBACK: &str = "https://client.example/callback";
const PROVISION_KEY: &str = "the login backend's";

/// `/orders` speaks as Kong does, `/strict` as RFC 9700 asks.
struct Shop {
    gateway: Gateway,
    http: reqwest::Client,
    folder: Folder,
}

impl Shop {
    async fn open() -> Self {
        let folder = Folder::new();
        let gateway = Start::dev(folder.path()).arg("--empty").ready();
        let http = trusting(&folder.join("data/tls/cert.pem"));
        let shop = Self { gateway, http, folder };
        let kong = json!({ "enable_client_credentials": true, "enable_authorization_code": true,
            "enable_password_grant": true, "scopes": ["read", "write"], "provision_key": PROVISION_KEY });
        let strict = json!({ "enable_client_credentials": true, "enable_authorization_code": true,
            "profile": "rfc9700", "scopes": ["read", "write"], "provision_key": format!("{PROVISION_KEY} too") });
        for (name, config) in [("orders", kong), ("strict", strict)] {
            let upstream = shop.gateway.url("status", "/status");
            shop.make("/services", json!({ "name": name, "url": upstream })).await;
            shop.make(&format!("/services/{name}/routes"), json!({ "paths": [format!("/{name}")] })).await;
            let plugin = json!({ "name": "oauth2", "config": config });
            shop.make(&format!("/services/{name}/plugins"), plugin).await;
        }
        shop.make("/consumers", json!({ "username": "shop" })).await;
        for (id, secret) in APPLICATIONS.into_iter().chain([TYPED]) {
            let application = json!({ "name": id, "client_id": id, "client_secret": secret,
                "redirect_uris": [CALLBACK], "hash_secret": id == "plain" });
            shop.make("/consumers/shop/oauth2", application).await;
        }
        shop
    }

    async fn make(&self, path: &str, body: Value) {
        let made = self.http.post(self.gateway.admin(path)).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201, "{path}: {}", made.text().await.unwrap());
    }

    fn api(&self, service: &str) -> String {
        self.gateway.url("proxy_tls", &format!("/{service}"))
    }

    /// What a client's program is told.
    fn setting(&self, service: &str, (id, secret): (&str, &str), method: &str) -> String {
        let (profile, provision_key) = match service {
            "strict" => ("rfc9700", format!("{PROVISION_KEY} too")),
            _ => ("kong", PROVISION_KEY.to_owned()),
        };
        json!({ "api": self.api(service), "id": id, "secret": secret, "method": method, "profile": profile,
            "provision_key": provision_key, "redirect_uri": CALLBACK, "certificate": self.certificate() })
        .to_string()
    }

    fn certificate(&self) -> String {
        self.folder.join("data/tls/cert.pem").to_str().unwrap().to_owned()
    }

    fn python(&self, program: &str, setting: &str) -> Value {
        let python = std::env::var("TOLLGATE_TEST_PYTHON")
            .expect("set TOLLGATE_TEST_PYTHON to a Python with authlib and requests-oauthlib; tests/run does");
        seen(Command::new(python).arg(programs().join(program)).arg(setting))
    }

    /// Runs a program beside the packages it imports: Node looks for them where the file is.
    fn node(&self, program: &str, setting: &str) -> Value {
        let modules = std::env::var("TOLLGATE_TEST_NODE_MODULES")
            .expect("set TOLLGATE_TEST_NODE_MODULES to a node_modules with the clients; tests/run does");
        let link = self.folder.join("node_modules");
        if !link.exists() {
            std::os::unix::fs::symlink(modules, link).unwrap();
        }
        for file in ["backend.mjs", program] {
            fs::copy(programs().join(file), self.folder.join(file)).unwrap();
        }
        let mut node = Command::new("node");
        node.arg(self.folder.join(program)).arg(setting).env("NODE_EXTRA_CA_CERTS", self.certificate());
        seen(&mut node)
    }
}

fn programs() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
}

fn seen(command: &mut Command) -> Value {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn every_grant() -> Value {
    json!({ "client_credentials": 200, "authorization_code": 200, "refresh_token": 200, "password": 200,
        "wrong_secret": "invalid_client" })
}

#[tokio::test]
async fn authlib_does_every_grant() {
    let shop = Shop::open().await;
    for (application, method) in all() {
        let told = shop.python("authlib_client.py", &shop.setting("orders", application, method));
        assert_eq!(told, every_grant(), "{application:?} {method}");
    }
}

#[tokio::test]
async fn requests_oauthlib_does_every_grant() {
    let shop = Shop::open().await;
    for (application, method) in all() {
        let told = shop.python("requests_oauthlib_client.py", &shop.setting("orders", application, method));
        assert_eq!(told, every_grant(), "{application:?} {method}");
    }
}

#[tokio::test]
async fn simple_oauth2_does_every_grant() {
    let shop = Shop::open().await;
    for (application, method) in [TYPED, APPLICATIONS[1]].into_iter().flat_map(with_methods) {
        let told = shop.node("simple_oauth2_client.mjs", &shop.setting("orders", application, method));
        assert_eq!(told, every_grant(), "{application:?} {method}");
    }
}

#[tokio::test]
async fn passport_oauth2_does_its_grant() {
    let shop = Shop::open().await;
    for application in APPLICATIONS {
        for (service, token_in_query) in [("orders", 200), ("strict", 401)] {
            let told = shop.node("passport_oauth2_client.mjs", &shop.setting(service, application, METHODS[1]));
            let expected = json!({ "authorization_code": 200, "refresh_token": 200,
                "token_in_query": token_in_query, "wrong_secret": "invalid_client" });
            assert_eq!(told, expected, "{service} {application:?}");
        }
    }
}

#[tokio::test]
async fn openid_client_does_every_grant() {
    strict_client("openid_client.mjs").await;
}

#[tokio::test]
async fn oauth4webapi_does_every_grant() {
    strict_client("oauth4webapi_client.mjs").await;
}

/// Clients that can be told to demand an issuer (RFC 9207): they do with the strict profile, and with Kong's they must
/// not, because Kong's answers have none. A refused header they report as the challenge that it is, without reading the
/// error code beside it: theirs by design.
async fn strict_client(program: &str) {
    let shop = Shop::open().await;
    for (application, method) in all() {
        let mut kong = every_grant();
        if method == METHODS[0] {
            kong["wrong_secret"] = "OAUTH_WWW_AUTHENTICATE_CHALLENGE".into();
        }
        let mut strict = kong.clone();
        strict.as_object_mut().unwrap().remove("password");
        kong["demanded_issuer"] = "OAUTH_INVALID_RESPONSE".into();
        for (service, expected) in [("orders", kong), ("strict", strict)] {
            let told = shop.node(program, &shop.setting(service, application, method));
            assert_eq!(told, expected, "{service} {application:?} {method}");
        }
    }
}

fn all() -> impl Iterator<Item = ((&'static str, &'static str), &'static str)> {
    APPLICATIONS.into_iter().flat_map(with_methods)
}

fn with_methods(application: (&'static str, &'static str)) -> [((&'static str, &'static str), &'static str); 2] {
    METHODS.map(|method| (application, method))
}

type Crate = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn oauth2_crate(api: &str, id: &str, secret: &str, auth: AuthType) -> Crate {
    BasicClient::new(ClientId::new(id.to_owned()))
        .set_client_secret(ClientSecret::new(secret.to_owned()))
        .set_auth_type(auth)
        .set_auth_uri(AuthUrl::new(format!("{api}/oauth2/authorize")).unwrap())
        .set_token_uri(TokenUrl::new(format!("{api}/oauth2/token")).unwrap())
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap())
}

impl Shop {
    /// Carries a request of the crate.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
        let answer = self
            .http
            .request(request.method().clone(), request.uri().to_string())
            .headers(request.headers().clone())
            .body(request.body().clone())
            .send()
            .await?;
        let mut response = oauth2::http::Response::builder().status(answer.status());
        *response.headers_mut().unwrap() = answer.headers().clone();
        Ok(response.body(answer.bytes().await?.to_vec()).unwrap())
    }

    /// Plays the login backend for whoever is at `url`; gives the code and the state that the browser brings back.
    async fn allow(&self, url: &reqwest::Url) -> (AuthorizationCode, String) {
        let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        form.push(("provision_key".into(), PROVISION_KEY.into()));
        form.push(("authenticated_userid".into(), "user-1".into()));
        let answer = self.http.post(format!("{}/oauth2/authorize", self.api("orders"))).form(&form).send().await;
        let told: Value = answer.unwrap().json().await.unwrap();
        let uri: reqwest::Url = told["redirect_uri"].as_str().unwrap_or_else(|| panic!("{told}")).parse().unwrap();
        let given = |name: &str| uri.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        (AuthorizationCode::new(given("code")), given("state"))
    }

    async fn call(&self, token: &impl TokenResponse) -> u16 {
        let call = self.http.get(self.api("orders")).bearer_auth(token.access_token().secret());
        call.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn the_oauth2_crate_does_every_grant() {
    let shop = Shop::open().await;
    let send = |request| shop.send(request);
    for (id, secret) in APPLICATIONS {
        for auth in [AuthType::BasicAuth, AuthType::RequestBody] {
            let client = oauth2_crate(&shop.api("orders"), id, secret, auth.clone());
            let read = || Scope::new("read".into());
            let token = client.exchange_client_credentials().add_scope(read()).request_async(&send).await;
            assert_eq!(shop.call(&token.unwrap()).await, 200, "{id} {auth:?}");

            let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
            let (url, state) =
                client.authorize_url(CsrfToken::new_random).add_scope(read()).set_pkce_challenge(challenge).url();
            let (code, told) = shop.allow(&url).await;
            assert_eq!(&told, state.secret());
            let token = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await.unwrap();
            assert_eq!(shop.call(&token).await, 200, "{id} {auth:?}");
            let refresh = client.exchange_refresh_token(token.refresh_token().unwrap()).request_async(&send).await;
            assert_eq!(shop.call(&refresh.unwrap()).await, 200, "{id} {auth:?}");

            let (username, password) =
                (ResourceOwnerUsername::new("alice".into()), ResourceOwnerPassword::new("-".into()));
            let token = client
                .exchange_password(&username, &password)
                .add_extra_param("provision_key", PROVISION_KEY)
                .add_extra_param("authenticated_userid", "user-1")
                .request_async(&send)
                .await;
            assert_eq!(shop.call(&token.unwrap()).await, 200, "{id} {auth:?}");

            let wrong = oauth2_crate(&shop.api("orders"), id, "wrong", auth.clone());
            let refused = wrong.exchange_client_credentials().request_async(&send).await.unwrap_err();
            let RequestTokenError::ServerResponse(refused) = refused else { panic!("{refused:?}") };
            assert_eq!(refused.error(), &BasicErrorResponseType::InvalidClient);
        }
    }
}
