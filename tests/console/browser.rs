//! A browser without a script, its cookies kept by hand.

use std::collections::BTreeMap;
use std::fs;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

use crate::html::{Form, form_to, text};
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
        Browser { desk: self, cookies: BTreeMap::new() }
    }

    /// A browser that is logged in with the admin token of the gateway.
    pub async fn logged_in(&self) -> Browser<'_> {
        let mut browser = self.browser();
        browser.log_in(&self.token).await;
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

/// What a page came as.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub location: String,
    pub html: String,
}

#[derive(Clone)]
pub struct Browser<'d> {
    pub desk: &'d Desk,
    pub cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.desk.client.request(method, self.desk.gateway.admin(path));
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    pub async fn see(&mut self, request: RequestBuilder) -> Seen {
        let answer = request.send().await.unwrap();
        self.keep_cookies(&answer);
        let location = answer.headers().get("location").map(|path| path.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        Seen { status, location: location.unwrap_or_default(), html: answer.text().await.unwrap() }
    }

    fn keep_cookies(&mut self, answer: &Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; Path=/console; HttpOnly; SameSite=Strict"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn get(&mut self, path: &str) -> Seen {
        self.see(self.request("GET", path)).await
    }

    /// A page that must be there.
    pub async fn page(&mut self, path: &str) -> String {
        let seen = self.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {} {}", seen.location, text(&seen.html));
        seen.html
    }

    /// Sends a form.
    pub async fn send(&mut self, form: &Form) -> Seen {
        // Line ends as browsers send them.
        let fields: Vec<(String, String)> =
            form.fields.iter().map(|(name, value)| (name.clone(), value.replace('\n', "\r\n"))).collect();
        self.see(self.request("POST", &form.action).form(&fields)).await
    }

    /// Sends a form and gives the page that it leads to.
    pub async fn done(&mut self, form: &Form) -> String {
        let seen = self.send(form).await;
        assert_eq!(seen.status, 303, "{}: {}", form.action, text(&seen.html));
        self.page(&seen.location).await
    }

    pub async fn log_in(&mut self, token: &str) -> Seen {
        let page = self.page("/console/login").await;
        self.send(&form_to(&page, "/console/login").set("token", token)).await
    }
}
