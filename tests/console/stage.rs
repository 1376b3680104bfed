//! A service that takes applications, and an application that asks for it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use crate::browser::Desk;

/// Closes a script tag, an attribute and a comment, and is letters that only some alphabets have.
pub const HOSTILE: &str = "</script><script>alert(1)</script>\"'>--><b>día 日本</b>";

pub struct Stage {
    pub desk: Desk,
    pub service: String,
    pub developer: String,
    pub application: App,
    pub contract: String,
}

pub struct App {
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
}

pub fn id(entity: &Value) -> String {
    entity["id"].as_str().unwrap_or_else(|| panic!("no id: {entity}")).to_owned()
}

/// An upstream that says yes to everything; its address.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            if stream.read(&mut bytes).unwrap_or(0) > 0 {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            }
        }
    });
    format!("http://{address}")
}

impl Stage {
    /// `/orders` leads to a service with oauth2 and application-registration; Ada's application Shop asks for it.
    pub async fn open() -> Self {
        Self::of(Desk::open()).await
    }

    pub async fn of(desk: Desk) -> Self {
        let service = id(&desk.made("/services", json!({ "name": "orders", "url": upstream() })).await);
        desk.made("/services/orders/routes", json!({ "name": "orders", "paths": ["/orders"] })).await;
        let oauth2 = json!({ "name": "oauth2", "config": { "enable_client_credentials": true } });
        desk.made("/services/orders/plugins", oauth2).await;
        let registration = json!({ "name": "application-registration", "config": { "display_name": "Orders" } });
        desk.made("/services/orders/plugins", registration).await;
        let ada = json!({ "email": "ada@example.com", "status": 0, "meta": "{\"full_name\":\"Ada L\"}" });
        let developer = id(&desk.made("/developers", ada).await);
        let application = desk.application(&developer, "Shop").await;
        let contract = desk.contract(&application.id, &service).await;
        Self { desk, service, developer, application, contract }
    }

    /// A token of the application for the service.
    pub async fn token(&self) -> Value {
        let app = &self.application;
        let body = [
            ("grant_type", "client_credentials"),
            ("client_id", app.client_id.as_str()),
            ("client_secret", app.client_secret.as_str()),
        ];
        let url = self.desk.gateway.url("proxy_tls", "/orders/oauth2/token");
        self.desk.client.post(url).form(&body).send().await.unwrap().json().await.unwrap()
    }

    /// The status of a call with a token.
    pub async fn call(&self, token: &str) -> u16 {
        let url = self.desk.gateway.url("proxy", "/orders");
        self.desk.client.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    }
}

impl Desk {
    pub async fn application(&self, developer: &str, name: &str) -> App {
        let body = json!({ "name": name, "redirect_uri": "https://shop.example/cb", "description": "sells" });
        let application = self.made(&format!("/developers/{developer}/applications"), body).await;
        let (_, credentials) = self.api(&format!("/applications/{}/credentials/oauth2", id(&application))).await;
        let text = |field: &str| credentials["data"][0][field].as_str().unwrap().to_owned();
        App { id: id(&application), client_id: text("client_id"), client_secret: text("client_secret") }
    }

    pub async fn contract(&self, application: &str, service: &str) -> String {
        let path = format!("/applications/{application}/application_instances");
        id(&self.made(&path, json!({ "service": { "id": service } })).await)
    }
}
