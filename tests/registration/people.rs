//! Developers and applications to test with.

use serde_json::{Value, json};

use crate::desk::{Desk, id};

/// Where the applications of these tests send their users.
pub const CALLBACK: &str = "https://app.test/callback";

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
        let consumer = application["consumer"]["id"].as_str().unwrap();
        let (_, credentials) = self.get(&format!("/consumers/{consumer}/oauth2")).await;
        let [credential] = credentials["data"].as_array().unwrap().as_slice() else { panic!("{credentials}") };
        credential.clone()
    }
}
