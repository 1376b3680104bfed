//! A gateway that writes an access log, a guarded service, and an application that calls it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{Folder, Gateway, Start, client};

pub const SECRET: &str = "client-secret-7Qp2";
pub const PROVISION: &str = "provision-key-51Ac";

pub struct House {
    pub gateway: Gateway,
    pub http: Client,
    pub folder: Folder,
}

impl House {
    /// `/api` asks for tokens of every grant, `/open` for nothing.
    pub async fn open() -> Self {
        Self::open_with(&[("LOG_ACCESS", "json")]).await
    }

    /// With settings, by their environment variables without `TOLLGATE_`. The access log is the file `access.log`.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let file = folder.join("access.log");
        let mut start = Start::dev(folder.path()).arg("--empty");
        start = start.env("TOLLGATE_LOG_ACCESS_FILE", file.to_str().unwrap());
        for (name, value) in settings {
            start = start.env(&format!("TOLLGATE_{name}"), value);
        }
        let house = Self { gateway: start.ready(), http: client(), folder };
        let upstream = house.gateway.url("status", "/status/live");
        house.made("/services", json!({ "name": "api", "url": upstream })).await;
        let config = json!({ "scopes": ["read", "write"], "provision_key": PROVISION,
            "enable_authorization_code": true, "enable_implicit_grant": true, "enable_client_credentials": true,
            "enable_password_grant": true });
        for route in ["api", "open"] {
            let path = json!({ "name": route, "paths": [format!("/{route}")] });
            house.made("/services/api/routes", path).await;
        }
        house.made("/routes/api/plugins", json!({ "name": "oauth2", "config": config })).await;
        house.made("/consumers", json!({ "username": "shop" })).await;
        let application = json!({ "name": "app", "client_id": "app", "client_secret": SECRET,
            "redirect_uris": ["https://client.example/cb"] });
        house.made("/consumers/shop/oauth2", application).await;
        house
    }

    pub async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.gateway.admin(path)).json(&body).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// Asks an endpoint of `/api`.
    pub async fn ask(&self, endpoint: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let url = self.gateway.url("proxy_tls", &format!("/api/oauth2/{endpoint}"));
        let answer = self.http.post(url).form(form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A token request of the application.
    pub async fn token(&self, extra: &[(&str, &str)]) -> (u16, Value) {
        self.ask("token", &[&[("client_id", "app"), ("client_secret", SECRET)], extra].concat()).await
    }

    pub async fn access_token(&self) -> String {
        let (status, body) = self.token(&[("grant_type", "client_credentials")]).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// The status of a call.
    pub async fn call(&self, path: &str, token: Option<&str>) -> u16 {
        let request = self.http.get(self.gateway.url("proxy", path));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    }

    pub async fn metrics(&self) -> String {
        self.http.get(self.gateway.url("status", "/metrics")).send().await.unwrap().text().await.unwrap()
    }

    /// The value of a series; 0 where there is none.
    pub async fn series(&self, series: &str) -> u64 {
        let text = self.metrics().await;
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    pub fn access_file(&self) -> PathBuf {
        self.folder.join("access.log")
    }

    /// The lines written so far; all of them once the gateway has stopped.
    pub fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.access_file()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
    }

    pub fn hang_up(&self) {
        assert!(Command::new("kill").arg("-HUP").arg(self.gateway.pid().to_string()).status().unwrap().success());
    }
}
