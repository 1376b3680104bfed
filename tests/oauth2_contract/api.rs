//! A gateway with one protected API behind it, its application, and calls to both.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Folder, Gateway, Start, client};

pub const CALLBACK: &str = "https://client.example/cb";

pub struct Api {
    pub gateway: Gateway,
    pub http: reqwest::Client,
    pub plugin: String,
    pub service: String,
    pub credential: String,
    _folder: Folder,
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status, `error` and `error_description`.
    pub fn refusal(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default();
        (self.status, text("error"), text("error_description"))
    }

    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// A header field as the upstream got it.
    pub fn upstream(&self, name: &str) -> Option<&str> {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["headers"].get(name).and_then(Value::as_str)
    }

    /// A parameter of the redirect URI, from query or fragment, still encoded.
    pub fn parameter(&self, name: &str) -> String {
        let params = self.text("redirect_uri").split(['?', '#', '&']).skip(1);
        let found = params.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        found.unwrap_or_else(|| panic!("no {name}: {self:?}")).1.to_owned()
    }
}

impl Api {
    /// `/api` leads to an upstream that tells what reached it, every grant is on, and `config` lies over that.
    pub async fn with(config: Value) -> Self {
        Self::started(config, |start| start).await
    }

    pub async fn started(config: Value, adjust: impl FnOnce(Start) -> Start) -> Self {
        let folder = Folder::new();
        let gateway = adjust(Start::dev(folder.path())).ready();
        let none = String::new;
        let mut api =
            Self { gateway, http: client(), plugin: none(), service: none(), credential: none(), _folder: folder };
        let url = api.upstream().await;
        api.service = id(&api.made("/services", json!({ "name": "api", "url": url })).await);
        api.made("/services/api/routes", json!({ "name": "api", "paths": ["/api"] })).await;
        api.plugin = id(&api.protect("api", config).await);
        api.made("/consumers", json!({ "username": "shop", "custom_id": "s-1" })).await;
        let application = json!({ "name": "app", "client_id": "app", "client_secret": "secret",
            "redirect_uris": [CALLBACK, "app://other"] });
        api.credential = id(&api.made("/consumers/shop/oauth2", application).await);
        api
    }

    /// The address of the upstream that tells what reached it.
    pub async fn upstream(&self) -> String {
        let demo = self.admin(Method::GET, "/services/demo", Value::Null).await.body;
        format!("http://{}:{}", demo["host"].as_str().unwrap(), demo["port"])
    }

    /// Puts the plugin on a service.
    pub async fn protect(&self, service: &str, config: Value) -> Value {
        let mut whole = json!({ "scopes": ["read", "write"], "provision_key": format!("provision-{service}"),
            "enable_authorization_code": true, "enable_implicit_grant": true,
            "enable_client_credentials": true, "enable_password_grant": true });
        whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        self.made(&format!("/services/{service}/plugins"), json!({ "name": "oauth2", "config": whole })).await
    }

    pub async fn admin(&self, method: Method, path: &str, body: Value) -> Reply {
        let mut request = self.http.request(method, self.gateway.admin(path));
        if !body.is_null() {
            request = request.json(&body);
        }
        sent(request).await
    }

    pub async fn made(&self, path: &str, body: Value) -> Value {
        let reply = self.admin(Method::POST, path, body).await;
        assert_eq!(reply.status, 201, "{path}: {reply:?}");
        reply.body
    }

    pub async fn deleted(&self, path: &str) {
        assert_eq!(self.admin(Method::DELETE, path, Value::Null).await.status, 204, "{path}");
    }

    /// A request over TLS that is not sent yet.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.gateway.url("proxy_tls", path))
    }

    pub async fn ask(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        sent(self.post(path).form(form)).await
    }

    /// A token request of the application; what `extra` names takes the place of its own.
    pub async fn token(&self, extra: &[(&str, &str)]) -> Reply {
        self.ask("/api/oauth2/token", &over(&[("client_id", "app"), ("client_secret", "secret")], extra)).await
    }

    pub async fn authorize(&self, extra: &[(&str, &str)]) -> Reply {
        let common = [("provision_key", "provision-api"), ("authenticated_userid", "u"), ("client_id", "app")];
        self.ask("/api/oauth2/authorize", &over(&common, extra)).await
    }

    /// An access token of the client credentials grant.
    pub async fn access(&self) -> String {
        let reply = self.token(&[("grant_type", "client_credentials"), ("scope", "read write")]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.text("access_token").to_owned()
    }

    /// An access and a refresh token of the password grant.
    pub async fn pair(&self) -> (String, String) {
        let grant = [("grant_type", "password"), ("provision_key", "provision-api"), ("authenticated_userid", "u")];
        let reply = self.token(&grant).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        (reply.text("access_token").to_owned(), reply.text("refresh_token").to_owned())
    }

    pub async fn refresh(&self, token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// An API call over plain HTTP that is not sent yet.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.gateway.url("proxy", path))
    }

    pub async fn call(&self, token: &str) -> Reply {
        sent(self.get("/api").bearer_auth(token)).await
    }

    /// A token as the Admin API imports it.
    pub async fn imported(&self, fields: Value) -> Value {
        let mut token = json!({ "credential": { "id": self.credential }, "service": { "id": self.service },
            "expires_in": 3600 });
        token.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.made("/oauth2_tokens", token).await
    }
}

fn over<'f>(common: &[(&'f str, &'f str)], extra: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let own = common.iter().filter(|(name, _)| !extra.iter().any(|(other, _)| other == name));
    own.chain(extra).copied().collect()
}

pub fn id(entity: &Value) -> String {
    entity["id"].as_str().unwrap().to_owned()
}

pub async fn sent(request: RequestBuilder) -> Reply {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    Reply { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

pub async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
