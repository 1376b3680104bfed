//! A gateway, and browsers that visit its console.

use std::collections::BTreeMap;
use std::fs;

use reqwest::Client;
use serde_json::Value;

pub use crate::support::browser::Browser;
use crate::support::{Folder, Gateway, Start, client, tollgate};

/// A running gateway with nothing in it, and its admin token.
pub struct Desk {
    pub gateway: Gateway,
    pub client: Client,
    pub token: String,
    pub folder: Folder,
}

impl Desk {
    pub fn open() -> Self {
        Self::open_with(|start| start)
    }

    pub fn open_with(more: impl FnOnce(Start) -> Start) -> Self {
        let folder = Folder::new();
        let gateway = more(Start::dev(folder.path()).arg("--empty")).ready();
        let token = fs::read_to_string(folder.join("data").join("admin-token")).unwrap().trim().to_owned();
        Self { gateway, client: client(), token, folder }
    }

    /// A browser that has visited nothing.
    pub fn browser(&self) -> Browser<'_> {
        let (gateway, client, cookies) = (&self.gateway, &self.client, BTreeMap::new());
        Browser {
            gateway,
            client,
            listener: "admin",
            attributes: "; Path=/console; HttpOnly; SameSite=Strict",
            cookies,
        }
    }

    /// A browser that is logged in with the admin token of the gateway.
    pub async fn logged_in(&self) -> Browser<'_> {
        let mut browser = self.browser();
        browser.fill("/console/login", &[("token", &self.token)]).await;
        browser
    }

    /// One more admin token.
    pub fn make_token(&self, name: &str, role: &str) -> String {
        let made = self.admin_token(&["create", name, "--role", role]);
        made.trim().to_owned()
    }

    pub fn revoke_token(&self, name: &str) {
        self.admin_token(&["revoke", name]);
    }

    fn admin_token(&self, args: &[&str]) -> String {
        let data = self.folder.join("data");
        let url = format!("sqlite:{}", data.join("tollgate.db").display());
        let mut command = tollgate();
        command.arg("admin-token").args(args).env("TOLLGATE_DATABASE_URL", url);
        let output = command.env("TOLLGATE_KEYRING_FILE", data.join("keyring")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Creates by the Admin API.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        let sent = self.client.post(self.gateway.admin(path)).json(&body).send().await.unwrap();
        let (status, text) = (sent.status().as_u16(), sent.text().await.unwrap());
        assert!((200..300).contains(&status), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Reads by the Admin API.
    pub async fn api(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(self.gateway.admin(path)).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }
}
