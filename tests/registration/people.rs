//! Developers, applications and services to test with.

use serde_json::{Value, json};

use crate::desk::{Desk, id};
use crate::support::{Folder, Start, client};

/// Where the applications of these tests send their users.
pub const CALLBACK: &str = "https://app.test/callback";

/// A gateway as it is run, without a mail server; `dev` would show mails in the log.
pub fn served() -> Desk {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.join("gate.db").display());
    let gateway = Start::serve(folder.path(), &url).ready();
    Desk { gateway, client: client(), folder }
}

impl Desk {
    /// A developer who is approved.
    pub async fn developer(&self, email: &str) -> Value {
        let (status, developer) = self.post("/developers", json!({ "email": email, "status": 0 })).await;
        assert_eq!(status, 200, "{developer}");
        developer
    }

    pub async fn application(&self, developer: &Value, name: &str) -> Value {
        let path = format!("/developers/{}/applications", id(developer));
        self.made(&path, json!({ "name": name, "redirect_uri": CALLBACK })).await
    }

    /// The only credential of an application.
    pub async fn credential(&self, application: &Value) -> Value {
        let (_, credentials) = self.get(&format!("/applications/{}/credentials/oauth2", id(application))).await;
        let [credential] = credentials["data"].as_array().unwrap().as_slice() else { panic!("{credentials}") };
        credential.clone()
    }

    /// A service behind a path of its name.
    pub async fn service(&self, name: &str) -> Value {
        let upstream = self.gateway.url("admin", "/status");
        let service = self.made("/services", json!({ "name": name, "url": upstream })).await;
        self.made(&format!("/services/{name}/routes"), json!({ "paths": [format!("/{name}")] })).await;
        service
    }

    /// A service that takes applications and gives them tokens.
    pub async fn gated(&self, name: &str, auto_approve: bool) -> Value {
        let service = self.service(name).await;
        let config = json!({ "display_name": format!("Service {name}"), "auto_approve": auto_approve,
            "enable_client_credentials": true });
        let plugin = json!({ "name": "application-registration", "config": config });
        self.made(&format!("/services/{name}/plugins"), plugin).await;
        service
    }

    /// Asks for a contract.
    pub async fn contract(&self, application: &Value, service: &Value) -> Value {
        let path = format!("/applications/{}/application_instances", id(application));
        self.made(&path, json!({ "service": { "id": id(service) } })).await
    }

    /// What a token request of an application answers.
    pub async fn ask_token(&self, application: &Value, service: &str) -> (u16, Value) {
        let credential = self.credential(application).await;
        self.ask_token_with(&credential, credential["client_secret"].as_str().unwrap(), service).await
    }

    pub async fn ask_token_with(&self, credential: &Value, secret: &str, service: &str) -> (u16, Value) {
        let url = self.gateway.url("proxy_tls", &format!("/{service}/oauth2/token"));
        let client_id = credential["client_id"].as_str().unwrap();
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
        crate::desk::read(self.client.post(url).form(&form).send().await.unwrap()).await
    }

    /// A token of an application that may have one.
    pub async fn token(&self, application: &Value, service: &str) -> String {
        let (status, issued) = self.ask_token(application, service).await;
        assert_eq!(status, 200, "{issued}");
        issued["access_token"].as_str().unwrap().to_owned()
    }

    /// What a call with a token answers.
    pub async fn call(&self, service: &str, token: &str) -> u16 {
        let request = self.client.get(self.gateway.url("proxy", &format!("/{service}"))).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }

    pub async fn delete_owned(&self, path: String) -> (u16, Value) {
        self.delete(&path).await
    }

    pub async fn total(&self, path: &str) -> i64 {
        let (status, page) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {page}");
        page["total"].as_i64().unwrap()
    }
}
