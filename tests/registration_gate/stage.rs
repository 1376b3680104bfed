//! A gateway with two services, and the developers, applications and contracts that call them.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tollgate::domain::{Clock, Keyring};
use tollgate::storage::{Location, Role, SqliteOptions, Store};
use uuid::Uuid;

use crate::support::{Folder, Gateway, Start, client};

pub const CALLBACK: &str = "https://app.test/cb";

pub struct Stage {
    pub gateway: Gateway,
    pub http: reqwest::Client,
    pub store: Store,
    pub folder: Folder,
}

/// An application with its credential.
pub struct App {
    pub id: String,
    pub name: String,
    pub developer: String,
    pub consumer: String,
    pub credential: String,
    pub client_id: String,
    pub secret: String,
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

    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// A header field as the upstream got it.
    pub fn upstream(&self, name: &str) -> Option<&str> {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["headers"].get(name).and_then(Value::as_str)
    }

    /// That it was refused with this text.
    pub fn is_refused(&self, status: u16, message: &str) {
        assert_eq!((self.status, &self.body), (status, &json!({ "message": message })), "{self:?}");
    }

    pub fn is_forbidden(&self) {
        self.is_refused(403, "You cannot consume this service");
    }

    /// Status and `error`.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.text("error"))
    }

    pub fn is_unauthorized_client(&self) {
        let told = (self.status, self.text("error"), self.text("error_description"));
        assert_eq!(told, (400, "unauthorized_client", "The client is not approved for this service"), "{self:?}");
    }
}

impl Stage {
    /// `/api` and `/other` lead to services of these names, whose upstream tells what reached it.
    pub async fn start() -> Self {
        let folder = Folder::new();
        let gateway = Start::dev(folder.path()).ready();
        let data = folder.join("data");
        let keyring = Keyring::parse(&std::fs::read_to_string(data.join("keyring")).unwrap()).unwrap();
        let file = SqliteOptions { path: Some(data.join("tollgate.db")), role: Role::Tool, max_pages: None };
        let store = Store::open(Location::Sqlite(file), Arc::new(keyring), Clock::System).await.unwrap();
        let stage = Self { gateway, http: client(), store, folder };
        for name in ["api", "other"] {
            stage.service(name).await;
        }
        stage
    }

    /// A service, and a route of the same name that leads to it.
    pub async fn service(&self, name: &str) {
        let url = self.upstream().await;
        self.made("/services", json!({ "name": name, "url": url })).await;
        let route = json!({ "name": name, "paths": [format!("/{name}")] });
        self.made(&format!("/services/{name}/routes"), route).await;
    }

    pub async fn service_id(&self, name: &str) -> Uuid {
        let service = self.admin(Method::GET, &format!("/services/{name}"), Value::Null).await.body;
        Uuid::parse_str(&id(&service)).unwrap()
    }

    /// The gateway is told that the credential of an application has changed.
    pub async fn changed(&self, app: &App) {
        let path = format!("/consumers/{}/oauth2/{}", app.consumer, app.credential);
        self.patched(&path, json!({ "tags": ["changed"] })).await;
    }

    /// Starts the gateway anew, on what it had stored, and waits until it knows which keys were brought along.
    pub async fn restart(&mut self) {
        self.gateway.kill();
        self.gateway = Start::dev(self.folder.path()).ready();
        let url = self.upstream().await;
        self.patched("/services/api", json!({ "url": url })).await;
        for guess in 0.. {
            let before = self.meter("key_checks").await;
            sent(self.get("/api").header("apikey", format!("guess {guess}"))).await;
            if self.meter("key_checks").await == before {
                return;
            }
            assert!(guess < 1000, "every guess is looked up");
        }
    }

    /// The address of the upstream that tells what reached it.
    async fn upstream(&self) -> String {
        let demo = self.admin(Method::GET, "/services/demo", Value::Null).await.body;
        format!("http://{}:{}", demo["host"].as_str().unwrap(), demo["port"])
    }

    /// How many look-ups of this kind went to the database.
    pub async fn meter(&self, checks: &str) -> u64 {
        let metrics = self.http.get(self.gateway.admin("/metrics")).send().await.unwrap().text().await.unwrap();
        let series = format!("tollgate_{checks}_total{{tier=\"database\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(series.as_str()));
        line.unwrap_or_else(|| panic!("no {series}")).parse().unwrap()
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

    pub async fn patched(&self, path: &str, body: Value) -> Value {
        let reply = self.admin(Method::PATCH, path, body).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.body
    }

    pub async fn plugin(&self, service: &str, name: &str, config: Value) -> Value {
        self.made(&format!("/services/{service}/plugins"), json!({ "name": name, "config": config })).await
    }

    /// Puts the gate on a service.
    pub async fn gate(&self, service: &str, config: Value) -> Value {
        self.plugin(service, "application-registration", over(json!({ "display_name": service }), config)).await
    }

    /// Puts the `oauth2` plugin on a service, every grant on.
    pub async fn oauth2(&self, service: &str, config: Value) -> Value {
        self.plugin(service, "oauth2", oauth2_config(config)).await
    }

    /// An application of an approved developer, without a contract.
    pub async fn application(&self, name: &str) -> App {
        let developer = json!({ "email": format!("d{}@dev.test", Uuid::new_v4()), "status": 0 });
        let developer = self.admin(Method::POST, "/developers", developer).await;
        assert_eq!(developer.status, 200, "{developer:?}");
        let developer = id(&developer.body);
        let application = json!({ "name": name, "redirect_uri": CALLBACK });
        let application = self.made(&format!("/developers/{developer}/applications"), application).await;
        let consumer = application["consumer"]["id"].as_str().unwrap().to_owned();
        let credentials = self.admin(Method::GET, &format!("/consumers/{consumer}/oauth2"), Value::Null).await.body;
        App { developer, ..App::of(name, id(&application), consumer, &credentials["data"][0]) }
    }

    /// A contract of an application with a service, approved unless `given` says otherwise.
    pub async fn contract(&self, app: &App, service: &str, given: Value) -> String {
        let asked = json!({ "service": { "name": service } });
        let contract = self.made(&format!("/applications/{}/application_instances", app.id), asked).await;
        let contract = id(&contract);
        self.set_contract(app, &contract, over(json!({ "status": 0 }), given)).await;
        contract
    }

    pub async fn set_contract(&self, app: &App, contract: &str, given: Value) {
        self.patched(&format!("/applications/{}/application_instances/{contract}", app.id), given).await;
    }

    pub async fn set_developer(&self, app: &App, status: i64) {
        self.patched(&format!("/developers/{}", app.developer), json!({ "status": status })).await;
    }

    /// An application with an approved contract with `api`, which has the gate already.
    pub async fn approved(&self, name: &str) -> App {
        let app = self.application(name).await;
        self.contract(&app, "api", json!({})).await;
        app
    }

    /// A token request over TLS; what `extra` names takes the place of the application's own.
    pub async fn token(&self, app: &App, path: &str, extra: &[(&str, &str)]) -> Reply {
        let own =
            [("client_id", &*app.client_id), ("client_secret", &app.secret), ("grant_type", "client_credentials")];
        let own = own.iter().filter(|(name, _)| !extra.iter().any(|(other, _)| other == name));
        let form: Vec<_> = own.chain(extra).copied().collect();
        sent(self.http.post(self.gateway.url("proxy_tls", &format!("{path}/oauth2/token"))).form(&form)).await
    }

    /// An access token for `api`.
    pub async fn access(&self, app: &App) -> String {
        let reply = self.token(app, "/api", &[]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.text("access_token").to_owned()
    }

    /// A token for `api` that an administrator brings along, whatever the contract says.
    pub async fn imported(&self, owner: &App) -> String {
        let token = json!({ "credential": { "id": owner.credential }, "service": { "name": "api" }, "expires_in": 60 });
        self.made("/oauth2_tokens", token).await["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn authorize(&self, app: &App, extra: &[(&str, &str)]) -> Reply {
        let own = [
            ("client_id", &*app.client_id),
            ("provision_key", "provision"),
            ("authenticated_userid", "u"),
            ("response_type", "code"),
        ];
        let own = own.iter().filter(|(name, _)| !extra.iter().any(|(other, _)| other == name));
        let form: Vec<_> = own.chain(extra).copied().collect();
        sent(self.http.post(self.gateway.url("proxy_tls", "/api/oauth2/authorize")).form(&form)).await
    }

    /// A call that is not sent yet.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.gateway.url("proxy", path))
    }

    pub async fn call(&self, path: &str, token: &str) -> Reply {
        sent(self.get(path).bearer_auth(token)).await
    }

    /// A plain consumer, and its credential as an application of its own.
    pub async fn consumer(&self, name: &str) -> App {
        let consumer = id(&self.made("/consumers", json!({ "username": name })).await);
        let credential = json!({ "name": name, "redirect_uris": [CALLBACK] });
        let credential = self.made(&format!("/consumers/{name}/oauth2"), credential).await;
        App::of(name, String::new(), consumer, &credential)
    }
}

impl App {
    fn of(name: &str, id: String, consumer: String, credential: &Value) -> Self {
        let text = |field: &str| credential[field].as_str().unwrap().to_owned();
        Self {
            id,
            name: name.to_owned(),
            developer: String::new(),
            consumer,
            credential: text("id"),
            client_id: text("client_id"),
            secret: text("client_secret"),
        }
    }
}

/// `over` laid over `config`.
pub fn over(mut config: Value, over: Value) -> Value {
    config.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    config
}

/// A configuration of OAuth 2.0 with every grant on.
pub fn oauth2_config(config: Value) -> Value {
    let whole = json!({ "scopes": ["read", "write"], "provision_key": "provision", "enable_authorization_code": true,
        "enable_implicit_grant": true, "enable_client_credentials": true, "enable_password_grant": true });
    over(whole, config)
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
