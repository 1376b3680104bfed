//! A gateway with its portal, developers who are logged in, and services to call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Folder, Gateway, Start, client};

pub const CALLBACK: &str = "https://app.test/cb";
pub const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const PASSWORD: &str = "correct horse battery";
const PROVISION: &str = "provision-7c1f";

pub struct Stage {
    pub gateway: Gateway,
    pub http: Client,
    _folder: Folder,
}

/// What was answered; the body is null where there is none.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(if text.is_empty() { Value::Null } else { text.into() });
        Self { status, body, headers }
    }

    /// The body of an answer of this status.
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }

    /// That there is no such thing.
    pub fn must_be_nothing(self) {
        assert_eq!(self.is(404), json!({ "message": "Not found" }));
    }

    /// The faults of a refused body, by field.
    pub fn faults(self) -> Value {
        let body = self.is(400);
        assert_eq!((&body["code"], &body["name"]), (&json!(2), &json!("schema violation")), "{body}");
        assert!(body["message"].is_string(), "{body}");
        body["fields"].clone()
    }

    /// That a parameter of the query was refused.
    pub fn must_be_wrong_option(self, option: &str) {
        let body = self.is(400);
        assert_eq!((&body["code"], &body["name"]), (&json!(11), &json!("invalid options")), "{body}");
        assert!(body["options"][option].is_string() && body["message"].is_string(), "{body}");
    }
}

/// A developer who is logged in.
pub struct Dev<'s> {
    stage: &'s Stage,
    pub id: String,
    cookie: String,
}

impl Stage {
    pub fn open() -> Self {
        Self::open_with(&[])
    }

    /// With more settings, by their environment variables without `TOLLGATE_`.
    pub fn open_with(settings: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let mut start = Start::dev(folder.path()).arg("--empty").env("TOLLGATE_PORTAL_EMAIL_VERIFICATION", "false");
        for (name, value) in settings {
            start = start.env(&format!("TOLLGATE_{name}"), value);
        }
        Self { gateway: start.ready(), http: client(), _folder: folder }
    }

    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.http.request(method.parse().unwrap(), self.gateway.admin(path));
        Answer::of(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// A service that takes applications, and a route of the same name that leads to it.
    pub async fn gated(&self, name: &str, config: Value) -> String {
        let id = self.service(name).await;
        let mut whole = json!({ "display_name": format!("The {name}") });
        whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        self.plugin(name, "application-registration", whole).await;
        id
    }

    /// One that asks for tokens of OAuth 2.0.
    pub async fn offered(&self, name: &str, auto_approve: bool) -> String {
        let id = self.gated(name, json!({ "auto_approve": auto_approve })).await;
        self.plugin(name, "oauth2", oauth2()).await;
        id
    }

    /// A service whose upstream is what tells whether the gateway lives.
    pub async fn service(&self, name: &str) -> String {
        let url = self.gateway.url("status", "/status/live");
        let service = self.admin("POST", "/services", json!({ "name": name, "url": url })).await.is(201);
        let route = json!({ "name": name, "paths": [format!("/{name}")] });
        self.admin("POST", &format!("/services/{name}/routes"), route).await.is(201);
        id(&service)
    }

    pub async fn plugin(&self, service: &str, name: &str, config: Value) -> Value {
        let plugin = json!({ "name": name, "config": config });
        self.admin("POST", &format!("/services/{service}/plugins"), plugin).await.is(201)
    }

    /// Registers and logs in.
    pub async fn developer(&self, email: &str) -> Dev<'_> {
        let wish = json!({ "email": email, "password": PASSWORD, "meta": { "full_name": "Ana" } });
        let registered = Answer::of(self.http.post(self.gateway.url("portal", "/register")).json(&wish)).await.is(200);
        let developer = Dev { stage: self, id: id(&registered["developer"]), cookie: String::new() };
        let cookie = self.log_in(email).await.headers["set-cookie"].to_str().unwrap().to_owned();
        Dev { cookie: cookie.split(';').next().unwrap().to_owned(), ..developer }
    }

    pub async fn log_in(&self, email: &str) -> Answer {
        let encoded = STANDARD.encode(format!("{email}:{PASSWORD}"));
        let request = self.http.get(self.gateway.url("portal", "/auth"));
        Answer::of(request.header("authorization", format!("Basic {encoded}"))).await
    }

    /// An administrator decides on a contract.
    pub async fn decide(&self, application: &Value, contract: &Value, body: Value) {
        let path = format!("/applications/{}/application_instances/{}", id(application), id(contract));
        self.admin("PATCH", &path, body).await.is(200);
    }

    /// A token by client credentials.
    pub async fn token(&self, service: &str, credential: &Value) -> Answer {
        let text = |field: &str| credential[field].as_str().unwrap_or_default().to_owned();
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", text("client_id")),
            ("client_secret", text("client_secret")),
        ];
        let url = self.gateway.url("proxy_tls", &format!("/{service}/oauth2/token"));
        Answer::of(self.http.post(url).form(&form)).await
    }

    /// The access token of one who may have it.
    pub async fn access(&self, service: &str, credential: &Value) -> String {
        let told = self.token(service, credential).await.is(200);
        told["access_token"].as_str().unwrap().to_owned()
    }

    /// The status of a call with a token.
    pub async fn call(&self, service: &str, token: &str) -> u16 {
        let request = self.http.get(self.gateway.url("proxy", &format!("/{service}")));
        Answer::of(request.bearer_auth(token)).await.status
    }

    /// The status of a call with an API key.
    pub async fn key_call(&self, service: &str, key: &str) -> u16 {
        let request = self.http.get(self.gateway.url("proxy", &format!("/{service}")));
        Answer::of(request.header("apikey", key)).await.status
    }
}

impl Dev<'_> {
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.stage.http.request(method, self.stage.gateway.url("portal", path));
        request.header("cookie", &self.cookie)
    }

    /// Nothing that developers are not told is in any answer to one.
    pub async fn sent(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::of(request).await;
        let text = answer.body.to_string();
        for untold in [PROVISION, "provision", "$argon2", "hash\":\"", "name_key"] {
            assert!(!text.contains(untold), "{untold} in {text}");
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.sent(self.request("GET", path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.sent(self.request("DELETE", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.sent(self.request("POST", path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.sent(self.request("PATCH", path).json(&body)).await
    }

    /// A form.
    pub async fn form(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = self.request(method, path).header("content-type", "application/x-www-form-urlencoded");
        self.sent(request.body(body.to_owned())).await
    }

    /// A new application, with its first credential in `credential`.
    pub async fn application(&self, name: &str) -> Value {
        self.post("/applications", json!({ "name": name, "redirect_uri": CALLBACK })).await.is(201)
    }

    /// The contract that an application asks for.
    pub async fn contract(&self, application: &Value, service: &str) -> Value {
        let body = json!({ "service": { "id": service } });
        self.post(&below(application, "application_instances"), body).await.is(201)
    }

    pub async fn total(&self, path: &str) -> Value {
        self.get(path).await.is(200)["total"].clone()
    }
}

pub fn oauth2() -> Value {
    json!({ "enable_client_credentials": true, "scopes": ["read"], "provision_key": format!("{PROVISION}-{}", Uuid::new_v4()) })
}

pub fn id(entity: &Value) -> String {
    entity["id"].as_str().unwrap_or_else(|| panic!("no id: {entity}")).to_owned()
}

/// The path of what hangs on an application.
pub fn below(application: &Value, rest: &str) -> String {
    format!("/applications/{}/{rest}", id(application))
}

pub fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}
