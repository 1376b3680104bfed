//! A gateway with something to lose: a service behind oauth2, and an application that calls it.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Folder, Gateway, Start, client};

pub const SECRET: &str = "the-secret-of-the-app";

pub struct Site {
    pub gateway: Gateway,
    pub folder: Folder,
}

fn start(folder: &Path, database: &str) -> Start {
    Start::serve(folder, database).env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1")
}

impl Site {
    /// A new one, on an empty database.
    pub async fn open(database: impl FnOnce(&Path) -> String) -> Self {
        let folder = Folder::new();
        let gateway = start(folder.path(), &database(folder.path())).ready();
        let site = Self { gateway, folder };
        let upstream = site.gateway.url("status", "/status/live");
        let config = json!({ "enable_client_credentials": true, "accept_http_if_already_terminated": true });
        for (path, body) in [
            ("/services", json!({ "name": "api", "url": upstream })),
            ("/services/api/routes", json!({ "name": "api", "paths": ["/api"] })),
            ("/services/api/plugins", json!({ "name": "oauth2", "config": config })),
            ("/consumers", json!({ "username": "shop" })),
            ("/consumers/shop/oauth2", json!({ "name": "app", "client_id": "app", "client_secret": SECRET })),
        ] {
            let made = client().post(site.gateway.admin(path)).json(&body).send().await.unwrap();
            assert_eq!(made.status(), 201, "{path}");
        }
        site
    }

    /// One in a folder that has a keyring already, on a database that is there.
    pub async fn come_back(folder: Folder, database: &str) -> Self {
        let gateway = start(folder.path(), database).ready();
        // The service is the gateway's own status, which has another port now.
        let upstream = json!({ "url": gateway.url("status", "/status/live") });
        let changed = client().patch(gateway.admin("/services/api")).json(&upstream).send().await.unwrap();
        assert_eq!(changed.status(), 200);
        Self { gateway, folder }
    }

    /// Another gateway beside it, on the same database, with a copy of the keyring.
    pub fn with_a_copy(&self, database: &str) -> Self {
        let folder = Folder::new();
        std::fs::copy(self.folder.join("keyring"), folder.join("keyring")).unwrap();
        let gateway = start(folder.path(), database).ready();
        Self { gateway, folder }
    }

    /// Another gateway beside it, on the same database, with the same keyring file.
    pub fn beside(&self, database: &str) -> Self {
        let folder = Folder::new();
        let keyring = self.folder.join("keyring");
        std::fs::copy(&keyring, folder.join("keyring")).unwrap();
        let gateway = start(folder.path(), database).env("TOLLGATE_KEYRING_FILE", keyring.to_str().unwrap()).ready();
        Self { gateway, folder }
    }

    pub async fn token(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", SECRET)];
        let asked = client().post(self.gateway.url("proxy", "/api/oauth2/token")).form(&form);
        let answer = asked.header("x-forwarded-proto", "https").send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn call(&self, token: &str) -> u16 {
        let asked = client().get(self.gateway.url("proxy", "/api")).bearer_auth(token);
        asked.send().await.unwrap().status().as_u16()
    }

    pub async fn delete(&self, path: &str) {
        let done = client().delete(self.gateway.admin(path)).send().await.unwrap();
        assert!(done.status().is_success(), "{path}: {}", done.status());
    }

    pub async fn get(&self, path: &str) -> Value {
        client().get(self.gateway.admin(path)).send().await.unwrap().json().await.unwrap()
    }
}

/// The URL of a SQLite database in a folder.
pub fn sqlite(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("tollgate.db").display())
}
