//! Developers with browsers, and what the gateway knows of them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::browser::{Browser, Seen};
use crate::clean::assert_clean;
use crate::desk::{Desk, id};
use crate::html::{Form, form_to, text};

pub const PASSWORD: &str = "four quiet words here";
/// Of every cookie of the portal.
const ATTRIBUTES: &str = "; Path=/; HttpOnly; SameSite=Strict; Secure";

/// Ana with an application that waits for access to a service.
pub struct Ana<'d> {
    pub browser: Browser<'d>,
    pub application: String,
    pub contract: String,
    pub credential: String,
    pub secret: String,
    pub service: String,
}

impl Desk {
    /// A gateway that believes whoever says for whom they ask, so that tests have many addresses.
    pub fn of_many_addresses() -> Self {
        Self::open_with(|start| start.env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1/32"))
    }

    /// Someone with a browser who has visited nothing.
    pub fn visitor(&self) -> Browser<'_> {
        self.visits("portal", ATTRIBUTES)
    }

    fn visits(&self, listener: &'static str, attributes: &'static str) -> Browser<'_> {
        Browser { gateway: &self.gateway, client: &self.client, listener, attributes, cookies: BTreeMap::new() }
    }

    /// An account that may log in.
    pub async fn account(&self, email: &str) -> Value {
        let body = json!({ "email": email, "password": PASSWORD, "status": 0, "meta": { "full_name": "Ana" } });
        let (status, developer) = self.post("/developers", body).await;
        assert_eq!(status, 200, "{developer}");
        developer
    }

    /// A browser that is logged in to this account.
    pub async fn logged_in(&self, email: &str) -> Browser<'_> {
        let mut browser = self.visitor();
        let seen = log_in(&mut browser, email, PASSWORD).await;
        assert_eq!((seen.status, seen.location.as_str()), (303, "/apps"), "{}", text(&seen.html));
        browser
    }

    /// A new account, logged in.
    pub async fn developer_with_browser(&self, email: &str) -> Browser<'_> {
        self.account(email).await;
        self.logged_in(email).await
    }

    /// A browser of an administrator in the console.
    pub async fn console(&self) -> Browser<'_> {
        let mut browser = self.visits("admin", "; Path=/console; HttpOnly; SameSite=Strict");
        let token = fs::read_to_string(self.folder.join("data").join("admin-token")).unwrap();
        let seen = browser.fill("/console/login", &[("token", token.trim())]).await;
        assert_eq!(seen.status, 303);
        browser
    }

    /// Ana, with one of everything.
    pub async fn ana(&self) -> Ana<'_> {
        let service = id(&self.gated("orders", false).await).to_owned();
        let mut browser = self.developer_with_browser("ana@example.com").await;
        let application = new_application(&mut browser, "Shop").await;
        let page = browser.page(&format!("/catalog/{service}")).await;
        browser.done(&form_to(&page, &format!("/apps/{application}/contracts"))).await;
        let (_, contracts) = self.get(&format!("/applications/{application}/application_instances")).await;
        let contract = id(&contracts["data"][0]).to_owned();
        let (_, credentials) = self.get(&format!("/applications/{application}/credentials/oauth2")).await;
        let credential = id(&credentials["data"][0]).to_owned();
        let page = browser.page(&format!("/apps/{application}")).await;
        let add = format!("/apps/{application}/credentials/{credential}/secrets");
        let seen = browser.send(&form_to(&page, &add)).await;
        let (_, rest) = seen.html.split_once("/secrets/").unwrap();
        let secret = rest.split_once("/retire").unwrap().0.to_owned();
        Ana { browser, application, contract, credential, secret, service }
    }

    /// What developers have, as the Admin API tells it: to see that nothing was changed.
    pub async fn everything(&self) -> Value {
        let (_, developers) = self.get("/developers").await;
        let (_, applications) = self.get("/applications").await;
        let mut all = json!({ "developers": developers });
        for application in applications["data"].as_array().unwrap() {
            let own = format!("/applications/{}", id(application));
            let (_, contracts) = self.get(&format!("{own}/application_instances")).await;
            let (_, credentials) = self.get(&format!("{own}/credentials/oauth2")).await;
            let mut secrets = Vec::new();
            for credential in credentials["data"].as_array().unwrap() {
                secrets.push(self.get(&format!("{own}/credentials/oauth2/{}/secrets", id(credential))).await.1);
            }
            all[&own] = json!([application, contracts, credentials, secrets]);
        }
        all
    }
}

impl Ana<'_> {
    /// Every path that a form is sent to, with the fields that would have it done.
    pub fn acts(&self) -> Vec<(String, Vec<(&'static str, String)>)> {
        let Self { application, contract, credential, secret, service, .. } = self;
        let app = format!("/apps/{application}");
        let fields = |fields: &[(&'static str, &str)]| {
            fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>()
        };
        let described = fields(&[("name", "Other"), ("redirect_uri", "https://other.example/cb")]);
        vec![
            ("/apps/new".to_owned(), described.clone()),
            (format!("{app}/edit"), described),
            (format!("{app}/contracts"), fields(&[("service", service)])),
            (format!("{app}/contracts/{contract}/withdraw"), Vec::new()),
            (format!("{app}/credentials"), Vec::new()),
            (format!("{app}/credentials/{credential}/secrets"), Vec::new()),
            (format!("{app}/credentials/{credential}/secrets/{secret}/retire"), Vec::new()),
            (format!("{app}/credentials/{credential}/delete"), Vec::new()),
            (format!("{app}/delete"), fields(&[("confirmed", "yes")])),
            ("/account/meta".to_owned(), fields(&[("full_name", "Other")])),
            ("/account/email".to_owned(), fields(&[("email", "other@example.com")])),
            (
                "/account/password".to_owned(),
                fields(&[("old_password", PASSWORD), ("password", "five other words go here")]),
            ),
            ("/account/delete".to_owned(), fields(&[("confirmed", "yes")])),
            ("/account/logout".to_owned(), Vec::new()),
        ]
    }

    /// Every page that a log-in leads to.
    pub fn pages(&self) -> Vec<String> {
        let (application, service) = (&self.application, &self.service);
        let mut pages = ["/", "/catalog", "/apps", "/apps/new", "/account", "/mails"].map(str::to_owned).to_vec();
        pages.extend([format!("/apps/{application}"), format!("/apps/{application}/edit")]);
        pages.extend([format!("/catalog/{service}"), format!("/catalog/{service}/spec")]);
        pages.push(format!("/catalog?app={application}"));
        pages
    }
}

/// Sends the form of the log-in page.
pub async fn log_in(browser: &mut Browser<'_>, email: &str, password: &str) -> Seen {
    browser.fill("/account/login", &[("email", email), ("password", password)]).await
}

/// Makes an application by its form; gives its id.
pub async fn new_application(browser: &mut Browser<'_>, name: &str) -> String {
    let fields = [("name", name), ("redirect_uri", "https://shop.example/cb")];
    let seen = browser.fill("/apps/new", &fields).await;
    assert_eq!(seen.status, 200, "{}", text(&seen.html));
    let (_, rest) = seen.html.split_once("action=\"/apps/").unwrap();
    rest[..36].to_owned()
}

/// The token of this browser's forms, as a page carries it.
pub async fn csrf_token(browser: &mut Browser<'_>, path: &str) -> String {
    let page = browser.page(path).await;
    let (_, rest) = page.split_once("name=\"csrf_token\" value=\"").expect("a form");
    rest.split_once('"').unwrap().0.to_owned()
}

/// Sends fields to a path, with a token or without.
pub async fn act(
    browser: &mut Browser<'_>,
    path: &str,
    fields: &[(&'static str, String)],
    token: Option<&str>,
) -> Seen {
    let mut form = Form { action: path.to_owned(), ..Form::default() };
    form.fields.extend(token.map(|token| ("csrf_token".to_owned(), token.to_owned())));
    form.fields.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    browser.send(&form).await
}

/// A page, whatever its status; nothing in it is inline or somebody else's.
#[track_caller]
pub fn looked_at(seen: Seen) -> Seen {
    assert!(seen.status < 500, "{}: {}", seen.status, text(&seen.html));
    let policy = seen.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy:?}");
    if seen.header("content-type").starts_with("text/html") {
        assert_clean(&seen.html);
    }
    seen
}
