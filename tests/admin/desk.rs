//! A gateway to administer, and a client that does.

use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::support::{Folder, Gateway, Start, client};

/// A running gateway with nothing in it.
pub struct Desk {
    pub gateway: Gateway,
    pub client: Client,
    pub folder: Folder,
}

/// An id that nothing has.
pub const NOBODY: &str = "0191c5a4-0000-7000-8000-000000000000";

impl Desk {
    pub fn open() -> Self {
        Self::open_with(|start| start)
    }

    /// With more settings.
    pub fn open_with(more: impl FnOnce(Start) -> Start) -> Self {
        let folder = Folder::new();
        let gateway = more(Start::dev(folder.path()).arg("--empty")).ready();
        Self { gateway, client: client(), folder }
    }

    pub async fn ask(&self, method: &str, path: &str) -> Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, self.gateway.admin(path)).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        read(self.ask("GET", path).await).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        read(self.ask("DELETE", path).await).await
    }

    pub async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send_as(method, path, "application/json", body.to_string()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("POST", path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("PATCH", path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("PUT", path, body).await
    }

    pub async fn form(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.send_as(method, path, "application/x-www-form-urlencoded", body.to_owned()).await
    }

    pub async fn send_as(&self, method: &str, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, self.gateway.admin(path)).header("content-type", kind).body(body);
        read(request.send().await.unwrap()).await
    }

    /// Creates; gives the entity.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        let (status, entity) = self.post(path, body.clone()).await;
        assert_eq!(status, 201, "{path} {body}: {entity}");
        entity
    }

    /// The `fields` of a refused body.
    pub async fn faults(&self, path: &str, body: Value) -> Value {
        let (status, refusal) = self.post(path, body.clone()).await;
        assert_eq!((status, &refusal["code"]), (400, &Value::from(2)), "{path} {body}: {refusal}");
        assert_eq!(refusal["name"], "schema violation");
        refusal["fields"].clone()
    }
}

/// Status and body; the body is null where there is none.
pub async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    if text.is_empty() {
        return (status, Value::Null);
    }
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A field of an answer's head, as text.
pub fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The id of an entity.
pub fn id(entity: &Value) -> &str {
    entity["id"].as_str().unwrap()
}
