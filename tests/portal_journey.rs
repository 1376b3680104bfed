//! A developer's way through the portal in a real browser, from the registration to a called service and to its end; every
//! page on the way is photographed for phone and desktop and looked over by axe-core.

mod browser;
mod support;

use std::process::Command;

use browser::Browser;
use serde_json::{Value, json};
use support::{Folder, Gateway, Start, client};

const PASSWORD: &str = "four quiet words here";

/// A gateway with the demo, and a person's browser.
struct Stage {
    browser: Browser,
    gateway: Gateway,
    folder: Folder,
}

impl Stage {
    async fn set() -> Self {
        let folder = Folder::new();
        let gateway = Start::dev(folder.path()).ready();
        let browser = Browser::open(folder.path()).await;
        Self { browser, gateway, folder }
    }

    async fn go(&self, path: &str) {
        self.browser.go(&self.gateway.url("portal", path)).await;
    }

    async fn console(&self, path: &str) {
        self.browser.go(&self.gateway.admin(path)).await;
    }

    /// Keeps pictures of the page and makes sure that people with disabilities can use it.
    async fn look(&self, name: &str) {
        self.browser.picture(name).await;
        let faults = self.browser.accessibility_faults().await;
        assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
        let missed = self.browser.out_of_keyboards_reach().await;
        assert!(missed.is_empty(), "{name} cannot be used by keyboard alone:\n{}", missed.join("\n"));
        let headings = self.browser.run("return document.querySelectorAll('h1').length").await;
        assert_eq!(headings, 1, "{name} has one heading of the first level");
    }

    async fn heading(&self) -> String {
        self.browser.text("h1").await
    }

    async fn admin(&self, path: &str) -> Value {
        client().get(self.gateway.admin(path)).send().await.unwrap().json().await.unwrap()
    }

    async fn register(&self, email: &str) {
        self.go("/account/register").await;
        self.browser.write("#full_name", "Ana Müller").await;
        self.browser.write("#email", email).await;
        self.browser.write("#password", PASSWORD).await;
        self.browser.follow("main form button").await;
    }

    /// Opens the link of a mail that leads to `path`. Mails are written behind the answer, which tells nobody whether
    /// there is one.
    async fn follow_mail(&self, path: &str) {
        let found = format!("return document.querySelector('.told a[href*=\"{path}\"]')?.href ?? null");
        loop {
            self.go("/mails").await;
            if let Some(link) = self.browser.run(&found).await.as_str() {
                return self.browser.go(link).await;
            }
        }
    }

    async fn verify(&self) {
        self.follow_mail("/account/verify").await;
        self.browser.follow("main form button").await;
    }

    async fn log_in(&self, email: &str) {
        self.browser.write("#email", email).await;
        self.browser.write("#password", PASSWORD).await;
        self.browser.follow("main form button").await;
    }
}

/// Runs lines as someone would who pastes them into a shell; gives what the last one wrote.
fn pasted(lines: &str) -> String {
    let output = Command::new("bash").arg("-ec").arg(lines).output().unwrap();
    assert!(output.status.success(), "{lines}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn from_the_registration_to_a_call_and_to_its_end() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.go("/").await;
    stage.look("portal-01-start").await;
    stage.go("/account/register").await;
    stage.look("portal-02-register").await;
    stage.register("ana@example.com").await;
    assert_eq!(stage.heading().await, "Check your mail");
    stage.look("portal-03-check-your-mail").await;

    stage.go("/account/login").await;
    stage.log_in("ana@example.com").await;
    assert!(browser.text(".notice").await.contains("Confirm your address first"));
    stage.go("/mails").await;
    stage.look("portal-04-mails").await;
    stage.verify().await;
    assert!(browser.text(".notice").await.contains("Your address is confirmed"));
    stage.look("portal-05-log-in").await;
    stage.log_in("ana@example.com").await;
    assert_eq!(stage.heading().await, "My applications");
    stage.look("portal-06-no-application").await;

    let service = stage.admin("/services/demo-orders").await["id"].as_str().unwrap().to_owned();
    stage.go("/catalog?name=ORD").await;
    stage.look("portal-07-services").await;
    browser.follow(".cards h2 a").await;
    stage.look("portal-08-service").await;
    browser.follow("main .card .button").await;
    assert_eq!(stage.heading().await, "Create an application");
    browser.write("#name", "Ana's shop").await;
    browser.write("#redirect_uri", "https://shop.example/callback").await;
    browser.write("#description", "Sells things.\nShips them too.").await;
    stage.look("portal-09-new-application").await;
    browser.follow("main form button").await;
    assert_eq!(stage.heading().await, "Ana's shop");
    stage.look("portal-10-secret-shown-once").await;
    let client_secret = browser.text("#client-secret").await;
    assert_eq!(client_secret.len(), 32);
    let lines = browser.text(".secret .copy[data-what='Client credentials'] code").await;
    assert!(lines.contains(&client_secret) && !lines.contains("provision"), "{lines}");

    // The access is not there yet, so the lines get no token.
    assert!(pasted(&lines).contains("The access token is"), "no token without a contract");
    stage.go(&format!("/catalog/{service}")).await;
    browser.follow("td.acts button").await;
    assert!(browser.text(".notice").await.contains("Your request is sent"));
    assert_eq!(browser.text("td .badge").await, "Pending approval");
    stage.look("portal-11-requested").await;

    decide(&stage, "approve").await;
    stage.go(&format!("/catalog/{service}")).await;
    assert_eq!(browser.text("td .badge").await, "Active");
    stage.look("portal-12-approved").await;
    // The secret is not known any more: typed in, it goes into the lines, and nowhere else.
    let shown = browser.text("#calls .copy code").await;
    assert!(shown.contains("CLIENT_SECRET"), "{shown}");
    browser.write("#secret", &client_secret).await;
    assert!(browser.text("#calls .copy code").await.contains(&client_secret));
    let echoed: Value = serde_json::from_str(&pasted(&lines)).unwrap();
    assert_eq!(echoed["path"], "/", "the service was called");
    assert_eq!(echoed["headers"]["x-application-name"], "Ana's shop");

    // A token from while the access was open.
    let token = pasted(&format!("{}\necho \"$TOKEN\"", lines.rsplit_once('\n').unwrap().0));
    let call = || client().get(stage.gateway.url("proxy", "/demo-orders")).bearer_auth(token.trim()).send();
    assert_eq!(call().await.unwrap().status(), 200);
    decide(&stage, "revoke").await;
    assert_eq!(call().await.unwrap().status(), 401, "the next call is refused");
    stage.go(&format!("/catalog/{service}")).await;
    assert_eq!(browser.text("td .badge").await, "Revoked");
    assert!(browser.text("td[data-label=Access]").await.contains("for a good reason"), "the note is shown");
    stage.look("portal-13-revoked").await;
}

/// An administrator decides in the console, with a note. (The browser keeps both sessions: the console has its own cookie.)
async fn decide(stage: &Stage, act: &str) {
    let browser = &stage.browser;
    let tab = if act == "approve" { "requested" } else { "approved" };
    stage.console(&format!("/console/requests?status={tab}")).await;
    if stage.heading().await == "Log in" {
        stage.look("console-01-log-in").await;
        let token = std::fs::read_to_string(stage.folder.join("data/admin-token")).unwrap();
        browser.write("#token", token.trim()).await;
        browser.follow("main form button").await;
    }
    assert_eq!(stage.heading().await, "Requests");
    stage.look(&format!("console-02-requests-{tab}")).await;
    browser.write("input[name=note]", "for a good reason").await;
    browser.follow(&format!("button[formaction$='/{act}']")).await;
}

/// Every page that a link of the menu or a list leads to is finished for phone and desktop, and axe-core has nothing serious
/// to say of it.
#[tokio::test]
async fn every_page_of_the_console_can_be_used_by_everybody() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.register("ana@example.com").await;
    stage.verify().await;
    let developer = stage.admin("/developers/ana@example.com").await["id"].as_str().unwrap().to_owned();
    let application = json!({ "name": "Shop", "redirect_uri": "https://shop.example/cb" });
    let made = client().post(stage.gateway.admin(&format!("/developers/{developer}/applications"))).json(&application);
    let application: Value = made.send().await.unwrap().json().await.unwrap();
    let application = application["id"].as_str().unwrap();
    let asked = client().post(stage.gateway.admin(&format!("/applications/{application}/application_instances")));
    let asked = asked.form(&[("service.id", stage.admin("/services/demo-orders").await["id"].as_str().unwrap())]);
    assert_eq!(asked.send().await.unwrap().status(), 201);
    decide(&stage, "approve").await;
    let mut waiting = vec!["/console".to_owned()];
    let mut seen: Vec<String> = Vec::new();
    // Pages of one kind look alike: one of each is looked at.
    let kind = |path: &str| {
        let path = path.split(['?', '#']).next().unwrap();
        let parts = path.split('/').map(|part| if part.len() == 36 && part.contains('-') { "{id}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    while let Some(path) = waiting.pop() {
        if seen.iter().any(|known| kind(known) == kind(&path)) {
            continue;
        }
        stage.console(&path).await;
        seen.push(path.clone());
        let name = kind(&path).trim_matches('/').replace(['/', '{', '}'], "-");
        stage.look(&format!("console-{name}")).await;
        let links = "return [...document.querySelectorAll('a')].map(link => link.getAttribute('href'))";
        let links = browser.run(links).await;
        let links = links.as_array().unwrap().iter().filter_map(Value::as_str);
        waiting.extend(links.filter(|link| link.starts_with("/console")).map(str::to_owned));
    }
    let kinds: Vec<String> = seen.iter().map(|path| kind(path)).collect();
    for kind in
        ["developers/{id}", "applications/{id}", "services/{id}", "entities/plugins/{id}", "tokens", "mails", "audit"]
    {
        assert!(kinds.iter().any(|known| known.ends_with(kind)), "no link leads to {kind}: {kinds:?}");
    }
}

/// The pages beside the journey: those of accounts, of changes, of mistakes, and of what cannot be taken back.
#[tokio::test]
async fn every_other_page_of_the_portal_can_be_used_by_everybody() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.go("/account/register").await;
    browser.run("document.querySelector('main form').noValidate = true").await;
    browser.follow("main form button").await;
    stage.look("portal-20-register-mistakes").await;
    stage.register("ana@example.com").await;
    stage.follow_mail("/account/verify").await;
    stage.look("portal-21-confirm-address").await;
    browser.follow("main form button").await;
    for (path, name) in [("/account/forgot", "portal-22-forgot"), ("/account/resend", "portal-23-resend")] {
        stage.go(path).await;
        stage.look(name).await;
    }
    stage.go("/account/forgot").await;
    browser.write("#email", "ana@example.com").await;
    browser.follow("main form button").await;
    stage.look("portal-24-sent").await;
    stage.follow_mail("/account/reset").await;
    stage.look("portal-25-new-password").await;
    stage.go("/account/login").await;
    stage.log_in("ana@example.com").await;
    stage.go("/apps/new").await;
    browser.write("#name", "Shop").await;
    browser.write("#redirect_uri", "https://shop.example/cb").await;
    browser.follow("main form button").await;
    let application =
        browser.run("return document.querySelector('form[action*=\"/apps/\"]').getAttribute('action')").await;
    let application = application.as_str().unwrap().split('/').nth(2).unwrap().to_owned();
    let service = stage.admin("/services/demo-orders").await["id"].as_str().unwrap().to_owned();
    for (path, name) in [
        ("/apps".to_owned(), "portal-26-applications"),
        (format!("/apps/{application}?range=month"), "portal-27-application"),
        (format!("/apps/{application}/edit"), "portal-28-edit"),
        (format!("/catalog?app={application}"), "portal-29-services-of-application"),
        ("/catalog?name=nothing-is-called-this".to_owned(), "portal-30-nothing-found"),
        (format!("/catalog/{service}/spec"), "portal-31-documentation"),
        ("/account".to_owned(), "portal-32-account"),
        ("/nowhere".to_owned(), "portal-33-not-found"),
    ] {
        stage.go(&path).await;
        stage.look(name).await;
    }
    for (path, form, name) in [
        (format!("/apps/{application}"), format!("/apps/{application}/delete"), "portal-34-delete-application"),
        ("/account".to_owned(), "/account/delete".to_owned(), "portal-35-delete-account"),
    ] {
        stage.go(&path).await;
        browser.run("window.confirm = () => true").await;
        browser.follow(&format!("form[action='{form}'] button")).await;
        stage.look(name).await;
    }
}

/// Everything a mouse can do, a keyboard can.
#[tokio::test]
async fn a_keyboard_is_enough() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.go("/account/register").await;
    let (tab, enter) = ("\u{E004}", "\u{E007}");
    browser.press(tab).await;
    assert_eq!(browser.run("return document.activeElement.className").await, "skip", "the first stop skips the menu");
    browser.press(enter).await;
    assert_eq!(browser.run("return document.activeElement.id").await, "content");
    for text in ["Ana Müller", "ana@example.com", PASSWORD] {
        browser.press(tab).await;
        browser.press(text).await;
    }
    browser.press(enter).await;
    browser.wait_for("return document.querySelector('h1').textContent", "Check your mail").await;
    stage.verify().await;
    for text in ["ana@example.com", PASSWORD] {
        let script =
            format!("return document.activeElement.id != '{}'", if text == PASSWORD { "password" } else { "email" });
        while browser.run(&script).await == true {
            browser.press(tab).await;
        }
        browser.press(text).await;
    }
    browser.press(enter).await;
    browser.wait_for("return document.querySelector('h1').textContent", "My applications").await;
    // Whoever sees where the focus is can follow it.
    browser.press(tab).await;
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle").await;
    assert_ne!(outline, "none");
}
