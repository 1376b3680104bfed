//! A gateway with one API behind it, and calls to it.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Folder, Gateway, Start, client};

pub struct Api {
    pub gateway: Gateway,
    pub http: reqwest::Client,
    _folder: Folder,
}

/// An answer; of a call that reached the upstream, what reached it.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub challenge: Option<String>,
    pub grpc: Option<String>,
    pub body: Value,
}

impl Reply {
    /// A header field as the upstream got it.
    pub fn upstream(&self, name: &str) -> Option<&str> {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["headers"].get(name).and_then(Value::as_str)
    }

    pub fn consumer(&self) -> Option<&str> {
        self.upstream("x-consumer-username")
    }

    /// That it was refused with this text.
    pub fn is_refused(&self, message: &str) {
        assert_eq!((self.status, &self.body), (401, &json!({ "message": message })), "{self:?}");
    }
}

impl Api {
    /// `/api` leads to an upstream that tells what reached it; consumers `alice` and `guest`.
    pub async fn start() -> Self {
        let folder = Folder::new();
        let gateway = Start::dev(folder.path()).ready();
        let api = Self { gateway, http: client(), _folder: folder };
        let echo = api.admin(Method::GET, "/services/demo", Value::Null).await.1;
        let url = format!("http://{}:{}", echo["host"].as_str().unwrap(), echo["port"]);
        api.made("/services", json!({ "name": "api", "url": url })).await;
        api.made("/services/api/routes", json!({ "name": "api", "paths": ["/api"] })).await;
        api.made("/consumers", json!({ "username": "alice", "custom_id": "a-1" })).await;
        api.made("/consumers", json!({ "username": "guest" })).await;
        api
    }

    pub async fn admin(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.http.request(method, self.gateway.admin(path));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    pub async fn made(&self, path: &str, body: Value) -> Value {
        let (status, made) = self.admin(Method::POST, path, body).await;
        assert_eq!(status, 201, "{path}: {made}");
        made
    }

    pub async fn plugin(&self, name: &str, config: Value) -> Value {
        self.made("/services/api/plugins", json!({ "name": name, "config": config })).await
    }

    pub async fn deleted(&self, path: &str) {
        assert_eq!(self.admin(Method::DELETE, path, Value::Null).await.0, 204, "{path}");
    }

    /// A call that is not sent yet.
    pub fn request(&self, path: &str) -> RequestBuilder {
        self.http.get(self.gateway.url("proxy", path))
    }

    pub async fn call(&self, path: &str) -> Reply {
        sent(self.request(path)).await
    }

    pub async fn call_with(&self, path: &str, name: &str, value: &str) -> Reply {
        sent(self.request(path).header(name, value)).await
    }
}

pub async fn sent(request: RequestBuilder) -> Reply {
    let answer = request.send().await.unwrap();
    let field = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (challenge, grpc) = (field("www-authenticate"), field("grpc-status"));
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    Reply { status, challenge, grpc, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}
