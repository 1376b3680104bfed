//! The example `authorization-page` in a real browser, from the first click to a called API.

mod browser;
mod support;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use browser::Browser;
use serde_json::{Value, json};
use support::{Folder, Gateway, Start, client};

/// A gateway with the demo, the example beside it, and a person's browser.
struct Stage {
    page: Page,
    browser: Browser,
    gateway: Gateway,
    provision_key: String,
    _folder: Folder,
}

/// The running example; killed when dropped.
struct Page {
    child: Child,
    address: String,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the example as this test was built (nobody else does where only tests are asked for) and gives its place.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile_folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--example", "authorization-page", "--profile", profile])
        .arg("--target-dir")
        .arg(profile_folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    profile_folder.join("examples/authorization-page")
}

impl Page {
    fn start(gateway: &Gateway, folder: &Folder) -> Self {
        let stdout = folder.join("page");
        let child = Command::new(built())
            .args(["--admin", &gateway.admin(""), "--proxy", &gateway.url("proxy_tls", "")])
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"))
            .stdout(File::create(&stdout).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut page = Self { child, address: String::new() };
        let begun = Instant::now();
        while page.address.is_empty() {
            let said = fs::read_to_string(&stdout).unwrap();
            if let Some((address, _)) = said.strip_prefix("Open ").and_then(|rest| rest.split_once("/ ")) {
                page.address = address.to_owned();
            }
            assert!(page.child.try_wait().unwrap().is_none(), "the example ended");
            assert!(begun.elapsed() < Duration::from_secs(30), "the example does not start: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
        page
    }
}

impl Stage {
    async fn set() -> Self {
        let folder = Folder::new();
        let gateway = Start::dev(folder.path()).ready();
        let page = Page::start(&gateway, &folder);
        let browser = Browser::open(folder.path()).await;
        let mut stage = Self { page, browser, gateway, provision_key: String::new(), _folder: folder };
        let plugins = stage.admin("/services/demo/plugins").await;
        stage.provision_key = plugins["data"][0]["config"]["provision_key"].as_str().unwrap().to_owned();
        assert_eq!(stage.provision_key.len(), 32);
        stage
    }

    async fn admin(&self, path: &str) -> Value {
        client().get(self.gateway.admin(path)).send().await.unwrap().json().await.unwrap()
    }

    async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.page.address)).await;
    }

    /// The title of the page, after making sure that nothing on it is a secret of the owner.
    async fn title(&self) -> String {
        let (source, address) = (self.browser.source().await, self.browser.address().await);
        assert!(!source.contains(&self.provision_key) && !address.contains(&self.provision_key), "at {address}");
        self.browser.text("h1").await
    }

    async fn log_in(&self, username: &str, password: &str) {
        assert_eq!(self.title().await, "Log in");
        self.browser.run("document.querySelector('#username').value = ''").await;
        self.browser.write("#username", username).await;
        self.browser.write("#password", password).await;
        self.browser.follow("button.primary").await;
    }

    async fn tokens(&self) -> Vec<Value> {
        self.admin("/oauth2_tokens").await["data"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn from_the_first_click_to_a_called_api() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.go("/").await;
    assert_eq!(stage.title().await, "Send cards to your friends");
    browser.picture("1-application").await;
    browser.follow("a.primary").await;

    let before = browser.cookie("session").await;
    assert_eq!((&before["httpOnly"], &before["sameSite"]), (&json!(true), &json!("Lax")));
    stage.log_in("alice", "wrong").await;
    assert_eq!(browser.text(".complaint").await, "That user name and password do not belong together.");
    browser.picture("2-log-in-refused").await;
    stage.log_in("alice", "wonderland").await;
    let after = browser.cookie("session").await;
    assert_ne!(before["value"], after["value"], "a session from before the log-in is worth nothing after it");

    assert_eq!(stage.title().await, "Postcards asks for access");
    let scopes = browser.text(".scopes").await;
    assert!(scopes.contains("Your e-mail address") && scopes.contains("Your profile"), "{scopes}");
    assert!(browser.text(".foot").await.contains("Alice Liddell"));
    browser.picture("3-consent").await;
    assert_eq!(stage.tokens().await, Vec::<Value>::new(), "nothing is given before the answer");
    browser.follow("button[value=allow]").await;

    assert_eq!(stage.title().await, "You are connected");
    assert_eq!(browser.text("#status").await, "200");
    let seen = browser.text("#seen").await;
    for value in ["user-1", "email profile", "postcards", "demo"] {
        assert!(seen.contains(value), "no {value} in {seen}");
    }
    browser.picture("4-connected").await;
    assert_eq!(browser.run("return document.cookie").await, "", "no script sees a cookie");
    let tokens = stage.tokens().await;
    assert_eq!((tokens.len(), &tokens[0]["authenticated_userid"]), (1, &json!("user-1")));

    // The answer was for that one request: the same address again leads nowhere.
    let again = browser.address().await;
    browser.go(&again).await;
    assert_eq!(stage.title().await, "Not what we asked for");
}

#[tokio::test]
async fn a_no_goes_back_to_the_application_and_gives_nothing() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.go("/start").await;
    browser.picture("2-log-in").await;
    stage.log_in("alice", "wonderland").await;
    browser.follow("button.link").await;
    stage.log_in("bob", "builder").await;
    assert_eq!(stage.title().await, "Postcards asks for access");
    assert!(browser.text(".foot").await.contains("Bob Smith"), "who was not Bob has left");
    browser.follow("button[value=deny]").await;
    // The application takes the answer only with its own `state`.
    assert_eq!(stage.title().await, "No access");
    assert_eq!(browser.text("#error").await, "access_denied");
    let address = browser.address().await;
    assert!(address.starts_with(&format!("{}/callback?error=access_denied&", stage.page.address)), "{address}");
    assert!(address.contains("&state="), "{address}");
    browser.picture("4-denied").await;
    assert_eq!(stage.tokens().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_forged_form_is_refused() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.go("/start").await;
    let forged = "document.querySelectorAll('[name=csrf]').forEach(field => { field.value = 'forged' })";
    browser.run(forged).await;
    stage.log_in("alice", "wonderland").await;
    assert_eq!(stage.title().await, "Please begin again");
    stage.go("/start").await;
    stage.log_in("alice", "wonderland").await;
    let address = browser.address().await;
    browser.run(forged).await;
    browser.follow("button[value=allow]").await;
    assert_eq!(stage.title().await, "Please begin again");
    browser.picture("5-forged").await;
    assert_eq!(stage.tokens().await, Vec::<Value>::new());

    // The same without a browser: the status, and that the cookie alone is not enough.
    let cookie = format!("session={}", browser.cookie("session").await["value"].as_str().unwrap());
    for form in [&[("decision", "allow")][..], &[("decision", "allow"), ("csrf", "forged")]] {
        for cookie in [cookie.as_str(), "session=unknown", ""] {
            let answer = client().post(&address).header("cookie", cookie).form(form).send().await.unwrap();
            assert_eq!(answer.status(), 403);
            assert!(answer.headers().get("location").is_none());
        }
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let stage = Stage::set().await;
    for (query, title) in [
        ("client_id=postcards&redirect_uri=https%3A%2F%2Fevil.example%2F", "Unknown address"),
        ("client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example%2F", "Unknown application"),
        ("redirect_uri=https%3A%2F%2Fevil.example%2F", "Unknown application"),
        ("client_id=postcards&client_id=nobody", "The request is unclear"),
    ] {
        for path in ["/authorize", "/sign-in"] {
            let path = format!("{path}?response_type=code&{query}");
            let answer = client().get(format!("{}{path}", stage.page.address)).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{path}");
            assert!(answer.headers().get("location").is_none());
            stage.go(&path).await;
            assert_eq!(stage.title().await, title);
            assert!(stage.browser.address().await.starts_with(&stage.page.address));
        }
    }
    stage.go("/authorize?client_id=postcards&redirect_uri=https%3A%2F%2Fevil.example%2F").await;
    stage.browser.picture("5-unknown-address").await;
}

#[tokio::test]
async fn an_application_elsewhere_gets_its_code_and_the_browser_cannot_speak_for_the_owner() {
    let stage = Stage::set().await;
    // Any page of another origin will do as the application's.
    let callback = stage.gateway.url("status", "/status/live");
    let body = json!({ "name": "<b>Else</b> & where", "client_id": "elsewhere", "redirect_uris": [callback] });
    let made = client().post(stage.gateway.admin("/consumers/demo/oauth2")).json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    stage
        .go("/authorize?response_type=code&client_id=elsewhere&state=a%26b%20c&scope=email\
             &authenticated_userid=user-2&provision_key=guess")
        .await;
    stage.log_in("alice", "wonderland").await;
    assert_eq!(stage.title().await, "<b>Else</b> & where asks for access");
    stage.browser.follow("button[value=allow]").await;
    let address = stage.browser.address().await;
    assert!(address.starts_with(&format!("{callback}?code=")) && address.ends_with("&state=a%26b%20c"), "{address}");
    let code = address.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap();
    let credential = stage.admin("/oauth2/elsewhere").await;
    let secret = credential["client_secret"].as_str().unwrap();
    let form =
        [("grant_type", "authorization_code"), ("code", code), ("client_id", "elsewhere"), ("client_secret", secret)];
    let url = stage.gateway.url("proxy_tls", "/demo/oauth2/token");
    let told: Value = client().post(url).form(&form).send().await.unwrap().json().await.unwrap();
    let token = told["access_token"].as_str().unwrap_or_else(|| panic!("{told}"));
    let row = stage.admin(&format!("/oauth2_tokens/{token}")).await;
    assert_eq!((&row["authenticated_userid"], &row["scope"]), (&json!("user-1"), &json!("email")));
}
