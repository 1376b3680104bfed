//! A gateway with its portal, and someone who uses it.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::support::{Folder, Gateway, Start, client};

pub const PASSWORD: &str = "correct horse battery";
const PATIENCE: Duration = Duration::from_secs(30);

/// A running gateway with nothing in it. Whom a request comes from is what `X-Forwarded-For` says.
pub struct House {
    pub gateway: Gateway,
    pub client: Client,
    pub folder: Folder,
}

/// An answer; the body is null where there is none.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Self { status, body, headers }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The value of the session cookie it sets.
    pub fn cookie(&self) -> String {
        let set = self.header("set-cookie");
        let value = set.strip_prefix("portal_session=").unwrap_or_else(|| panic!("{self:?}"));
        value.split(';').next().unwrap().to_owned()
    }

    /// Status and body.
    pub fn told(self) -> (u16, Value) {
        (self.status, self.body)
    }
}

/// A mail as `dev` shows it.
#[derive(Clone, Debug)]
pub struct Mail {
    pub subject: String,
    pub text: String,
}

impl Mail {
    /// The token in its link.
    pub fn token(&self) -> String {
        let (_, rest) = self.text.split_once("token=").unwrap_or_else(|| panic!("no link in {self:?}"));
        rest.chars().take_while(char::is_ascii_alphanumeric).collect()
    }
}

/// One request, as it is put together.
pub struct Ask<'h> {
    house: &'h House,
    request: reqwest::RequestBuilder,
}

impl Ask<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn cookie(self, value: &str) -> Self {
        self.header("cookie", &format!("portal_session={value}"))
    }

    pub fn from(self, client: &str) -> Self {
        self.header("x-forwarded-for", client)
    }

    pub fn basic(self, email: &str, password: &str) -> Self {
        let encoded = STANDARD.encode(format!("{email}:{password}"));
        self.header("authorization", &format!("Basic {encoded}"))
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.header("content-type", "application/json").body(body.to_string());
        self
    }

    pub fn raw(mut self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("content-type", kind).body(body);
        self
    }

    pub async fn send(self) -> Answer {
        let _ = self.house;
        Answer::of(self.request.send().await.unwrap()).await
    }
}

impl House {
    /// `dev`: addresses are verified, and whose is known is let in.
    pub fn open() -> Self {
        Self::open_with(&[])
    }

    /// With more settings, by their environment variables without `TOLLGATE_`.
    pub fn open_with(settings: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let mut start = Start::dev(folder.path()).arg("--empty").env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1");
        for (name, value) in settings {
            start = start.env(&format!("TOLLGATE_{name}"), value);
        }
        Self { gateway: start.ready(), client: client(), folder }
    }

    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Ask { house: self, request: self.client.request(method, self.gateway.url("portal", path)) }
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask("GET", path).cookie(cookie).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path).json(&body).send().await
    }

    /// A call of the Admin API.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, self.gateway.admin(path)).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn register(&self, email: &str) -> Answer {
        self.post("/register", wish(email)).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.ask("GET", "/auth").basic(email, password).send().await
    }

    /// Registers and verifies.
    pub async fn has(&self, email: &str) {
        assert_eq!(self.register(email).await.status, 200);
        let token = self.mail(email, "Confirm your e-mail address").await.token();
        assert_eq!(self.post("/verify-account", json!({ "token": token })).await.told(), (200, json!({ "status": 0 })));
    }

    /// The cookie of a new session.
    pub async fn session_of(&self, email: &str) -> String {
        let answer = self.log_in(email, PASSWORD).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        answer.cookie()
    }

    /// Every mail to an address, the oldest first.
    pub fn mails(&self, email: &str) -> Vec<Mail> {
        let log = self.gateway.log_text();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mails = events.filter(|event| event["mail.to"] == email);
        let read = |event: Value| Mail {
            subject: event["mail.subject"].as_str().unwrap().to_owned(),
            text: event["message"].as_str().unwrap().to_owned(),
        };
        mails.map(read).collect()
    }

    /// The newest mail of this subject to an address, as soon as it is there.
    pub async fn mail(&self, email: &str, subject: &str) -> Mail {
        self.nth_mail(email, subject, 0).await
    }

    /// The mail of this subject that was written after `before` others of it.
    pub async fn nth_mail(&self, email: &str, subject: &str, before: usize) -> Mail {
        let begun = Instant::now();
        loop {
            let found: Vec<Mail> = self.mails(email).into_iter().filter(|mail| mail.subject == subject).collect();
            if found.len() > before {
                return found.last().unwrap().clone();
            }
            assert!(begun.elapsed() < PATIENCE, "no mail `{subject}` to {email}: {:?}", self.mails(email));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Changes the database behind the gateway's back.
    pub fn sql(&self, text: &str) -> usize {
        let database = rusqlite::Connection::open(self.folder.join("data/tollgate.db")).unwrap();
        database.busy_timeout(PATIENCE).unwrap();
        database.execute(text, []).unwrap()
    }
}

/// A registration.
pub fn wish(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "meta": "{\"full_name\":\"Ana Ö'Neil\"}" })
}
