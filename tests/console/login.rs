//! Logging in and out, sessions, and who gets in.

use serde_json::json;

use crate::browser::{Browser, Desk};
use crate::html::{Form, form_to, forms, text};
use crate::stage::{Stage, id};

/// Paths of every kind of page that shows something of the stage.
async fn pages(stage: &Stage) -> Vec<String> {
    let desk = &stage.desk;
    let mut paths: Vec<String> =
        ["", "/requests", "/requests?status=approved", "/developers", "/applications", "/services"]
            .into_iter()
            .chain(["/entities", "/tokens", "/mails", "/audit"])
            .map(|path| format!("/console{path}"))
            .collect();
    paths.push(format!("/console/developers/{}", stage.developer));
    paths.push(format!("/console/applications/{}", stage.application.id));
    paths.push(format!("/console/services/{}", stage.service));
    let kinds = "services routes plugins consumers oauth2 key-auths jwts certificates ca_certificates snis";
    for kind in kinds.split(' ') {
        paths.push(format!("/console/entities/{kind}"));
        let (_, listed) = desk.api(&format!("/{kind}")).await;
        paths.extend(
            listed["data"].as_array().unwrap().iter().map(|entity| format!("/console/entities/{kind}/{}", id(entity))),
        );
    }
    paths
}

#[tokio::test]
async fn an_admin_token_logs_in_and_out() {
    let desk = Desk::open();
    let mut browser = desk.browser();
    let seen = browser.get("/console/entities/services").await;
    assert_eq!(seen.location, "/console/login?next=%2Fconsole%2Fentities%2Fservices");
    let page = browser.page(&seen.location).await;
    let seen = browser.send(&form_to(&page, "/console/login").set("token", &desk.token)).await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/console/entities/services"));
    let page = browser.page("/console/entities/services").await;
    assert!(text(&page).contains("dev Log out"), "{page}");

    let before = browser.clone();
    let page = browser.done(&form_to(&page, "/console/logout")).await;
    assert!(text(&page).contains("You are logged out."));
    for mut browser in [browser, before] {
        let seen = browser.get("/console").await;
        assert_eq!(seen.location, "/console/login?next=%2Fconsole");
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_guessing_has_to_wait() {
    let desk = Desk::open();
    let mut browser = desk.browser();
    let seen = browser.fill("/console/login", &[("token", "nobody's <b>")]).await;
    assert_eq!(seen.status, 401);
    assert!(text(&seen.html).contains("No admin token is like this one.") && !seen.html.contains("nobody"));
    assert!(!browser.cookies.contains_key("console_session"));
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(browser.fill("/console/login", &[("token", "guess")]).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 9, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 3, "{statuses:?}");
    let seen = browser.fill("/console/login", &[("token", &desk.token)]).await;
    assert_eq!(seen.status, 429, "who guesses does not learn which guess is right");
    assert!(text(&seen.html).contains("Too many attempts"));
}

#[tokio::test]
async fn a_right_token_takes_the_wrong_ones_back() {
    let desk = Desk::open();
    let mut browser = desk.browser();
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(browser.fill("/console/login", &[("token", "guess")]).await.status, 401);
        }
        assert_eq!(browser.fill("/console/login", &[("token", &format!(" {} ", desk.token))]).await.status, 303);
        browser.cookies.clear();
    }
}

#[tokio::test]
async fn a_read_only_token_sees_everything_and_changes_nothing() {
    let stage = Stage::open().await;
    let token = stage.desk.make_token("reader", "read-only");
    let mut browser = stage.desk.browser();
    assert_eq!(browser.fill("/console/login", &[("token", &token)]).await.status, 303);
    let paths = pages(&stage).await;
    for path in &paths {
        let page = browser.page(path).await;
        let writing: Vec<_> = forms(&page).into_iter().filter(|form| form.method == "post").collect();
        let harmless = |action: &str| action == "/console/logout" || page.contains("Your token may only read.");
        for form in writing {
            assert!(harmless(&form.action) || form.action.ends_with("/roles"), "{path}: a form to {}", form.action);
        }
        assert!(!page.contains("/new\"") && !page.contains("/delete\""), "{path}");
    }
    // Forms that it is not given, sent all the same.
    let csrf = forms(&browser.page("/console").await)[0].get("csrf_token").to_owned();
    let contract = format!("/console/contracts/{}", stage.contract);
    let service = format!("/console/entities/services/{}", stage.service);
    let acts = [
        format!("{contract}/approve"),
        format!("{contract}/withdraw"),
        format!("/console/developers/{}/revoke", stage.developer),
        "/console/developers/invite".to_owned(),
        format!("/console/applications/{}/delete", stage.application.id),
        format!("/console/services/{}/document", stage.service),
        "/console/entities/consumers/new".to_owned(),
        service.clone(),
        format!("{service}/delete"),
        "/console/tokens/revoke".to_owned(),
    ];
    let before = stage.desk.api("/audit/requests").await.1;
    for act in acts {
        let fields = vec![("csrf_token".to_owned(), csrf.clone()), ("username".to_owned(), "x".to_owned())];
        let seen = browser.send(&Form { action: act.clone(), fields, ..Form::default() }).await;
        assert_eq!(seen.status, 403, "{act}");
        assert!(text(&seen.html).contains("This token may only read."));
    }
    assert_eq!(stage.desk.api("/audit/requests").await.1, before);
    assert_eq!(stage.desk.api(&format!("/services/{}", stage.service)).await.0, 200);
    assert_eq!(stage.desk.api("/consumers").await.1["total"], 0);
}

#[tokio::test]
async fn no_page_prints_a_secret() {
    let stage = Stage::open().await;
    let desk = &stage.desk;
    let party = desk.made("/consumers", json!({ "username": "party" })).await;
    let key = desk.made("/consumers/party/key-auth", json!({ "key": "hunter2-key" })).await;
    let jwt = desk.made("/consumers/party/jwt", json!({ "secret": "hunter2-jwt" })).await;
    let mut browser = desk.logged_in().await;
    let page = browser.page("/console/requests").await;
    browser.done(&form_to(&page, &format!("/console/contracts/{}/approve", stage.contract))).await;
    let token = stage.token().await["access_token"].as_str().unwrap().to_owned();
    let (_, plugins) = desk.api("/services/orders/plugins").await;
    let found =
        plugins["data"].as_array().unwrap().iter().find_map(|plugin| plugin["config"]["provision_key"].as_str());
    let provision_key = found.unwrap().to_owned();
    let mut paths = pages(&stage).await;
    paths.push(format!("/console/entities/key-auths/{}", id(&key)));
    paths.push(format!("/console/entities/jwts/{}", id(&jwt)));
    paths.push(format!("/console/entities/consumers/{}", id(&party)));
    for path in paths {
        let page = browser.page(&path).await;
        for secret in ["hunter2", &token, &provision_key, &stage.application.client_secret, &desk.token] {
            assert!(!page.contains(secret), "{path}");
        }
    }
}

#[tokio::test]
async fn a_revoked_token_ends_its_sessions_at_once() {
    let desk = Desk::open();
    let token = desk.make_token("gone", "admin");
    let mut browser = desk.browser();
    browser.fill("/console/login", &[("token", &token)]).await;
    let page = browser.page("/console/entities/services/new").await;
    let form = form_to(&page, "/console/entities/services/new").set("host", "a.example").set("name", "late");
    desk.revoke_token("gone");
    assert_eq!(browser.send(&form).await.location, "/console/login");
    assert_eq!(browser.get("/console").await.location, "/console/login?next=%2Fconsole");
    assert_eq!(desk.api("/services/late").await.0, 404);
    // A new token of the same name is another one.
    desk.make_token("gone", "admin");
    assert_eq!(browser.get("/console").await.status, 303);
}

#[tokio::test]
async fn a_form_counts_only_in_the_session_it_was_made_for() {
    let desk = Desk::open();
    let path = "/console/entities/consumers/new";
    let mut browser = desk.logged_in().await;
    let mut other = desk.logged_in().await;
    let form = form_to(&browser.page(path).await, path).set("username", "bob");
    let theirs = form_to(&other.page(path).await, path).get("csrf_token").to_owned();
    let visitors = form_to(&desk.browser().page("/console/login").await, "/console/login").get("csrf_token").to_owned();
    for forged in ["", "x", &theirs, &visitors] {
        let seen = browser.send(&form.clone().set("csrf_token", forged)).await;
        assert_eq!(seen.status, 403);
        assert!(text(&seen.html).contains("The form was not made for this session."));
    }
    let mut missing = form.clone();
    missing.fields.retain(|(name, _)| name != "csrf_token");
    assert_eq!(browser.send(&missing).await.status, 403);

    // After log-out and a new log-in, the old form is nobody's.
    let page = browser.page("/console").await;
    browser.done(&form_to(&page, "/console/logout")).await;
    assert_eq!(browser.send(&form).await.location, "/console/login");
    browser.fill("/console/login", &[("token", &desk.token)]).await;
    assert_eq!(browser.send(&form).await.status, 403);
    assert_eq!(desk.api("/consumers").await.1["total"], 0);
    let seen = other.send(&form.clone().set("csrf_token", &theirs)).await;
    assert_eq!(seen.status, 303, "its own token counts");
}

#[tokio::test]
async fn pages_of_other_origins_reach_nothing() {
    let desk = Desk::open();
    let path = "/console/entities/consumers/new";
    let mut browser = desk.logged_in().await;
    let form = form_to(&browser.page(path).await, path).set("username", "bob");
    let own = format!("http://{}", desk.gateway.addresses["admin"]);
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("host", "evil.example", 403),
        ("origin", own.as_str(), 303),
    ] {
        let request = browser.request("POST", path).header(name, value).form(&form.fields);
        assert_eq!(browser.see(request).await.status, status, "{name}: {value}");
        let request = browser.request("GET", "/console").header(name, value);
        assert_eq!(browser.see(request).await.status, if status == 403 { 403 } else { 200 }, "{name}: {value}");
    }
    assert_eq!(desk.api("/consumers").await.1["total"], 1);
}

#[tokio::test]
async fn who_follows_a_link_from_elsewhere_gets_a_button() {
    let desk = Desk::open();
    let mut browser = desk.browser();
    let followed = |browser: &Browser<'_>, method: &str, path: &str| {
        let headers =
            [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        headers.into_iter().fold(browser.request(method, path), |request, (name, value)| request.header(name, value))
    };
    let request = followed(&browser, "GET", "/console/requests?done=saved");
    let seen = browser.see(request).await;
    assert_eq!(seen.status, 200);
    assert!(seen.html.contains("href=\"/console/requests\"") && browser.cookies.is_empty(), "{}", text(&seen.html));
    let request = followed(&browser, "POST", "/console/login");
    assert_eq!(browser.see(request).await.status, 403);
}

#[tokio::test]
async fn a_session_is_new_at_every_log_in_and_never_one_that_was_planted() {
    let desk = Desk::open();
    let mut first = desk.logged_in().await;
    let theirs = first.cookies["console_session"].clone();
    // A session of the attacker's own, or a made-up one, planted into a browser that then logs in.
    for planted in [theirs.as_str(), "0123456789abcdefghijklmnopqrstuv"] {
        let mut browser = desk.browser();
        let page = browser.page("/console/login").await;
        browser.cookies.insert("console_session".to_owned(), planted.to_owned());
        let seen = browser.send(&form_to(&page, "/console/login").set("token", &desk.token)).await;
        assert_eq!(seen.status, 303);
        assert_ne!(browser.cookies["console_session"], planted);
        assert_eq!(browser.get("/console").await.status, 200);
    }
    assert_eq!(first.get("/console").await.status, 303, "who logs in anew leaves the session before");
}

#[tokio::test]
async fn a_log_in_belongs_to_the_browser_that_was_given_the_form() {
    let desk = Desk::open();
    let mut browser = desk.browser();
    let form = form_to(&browser.page("/console/login").await, "/console/login").set("token", &desk.token);
    for visitor in [None, Some("0123456789abcdefghijklmnopqrstuv"), Some("")] {
        let mut other = desk.browser();
        other.cookies.extend(visitor.map(|value| ("console_visitor".to_owned(), value.to_owned())));
        let seen = other.send(&form).await;
        assert_eq!(seen.status, 403);
        assert!(!other.cookies.contains_key("console_session"));
    }
    assert_eq!(browser.send(&form).await.status, 303);
}

#[tokio::test]
async fn a_log_in_leads_to_the_console_and_nowhere_else() {
    let desk = Desk::open();
    for next in ["https://evil.example", "//evil.example", "/services", "/console\r\nSet-Cookie: a=b", "/console/../.."]
    {
        let mut browser = desk.browser();
        let form = form_to(&browser.page("/console/login").await, "/console/login").set("next", next);
        let seen = browser.send(&form.set("token", &desk.token)).await;
        assert_eq!((seen.status, seen.location.as_str()), (303, "/console"), "{next}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_of_a_page() {
    let desk = Desk::open();
    let browser = desk.logged_in().await;
    for path in ["/console", "/console/", "/console/nothing", "/console/login", "/console/entities/services/x"] {
        let answer = browser.request("GET", path).send().await.unwrap();
        let header =
            |name: &str| answer.headers().get(name).unwrap_or_else(|| panic!("{path}: {name}")).to_str().unwrap();
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!((header("cache-control"), header("x-frame-options")), ("no-store", "DENY"));
        assert_eq!((header("x-content-type-options"), header("x-request-id").len()), ("nosniff", 32));
    }
    let page = browser.clone().page("/console").await;
    let style = page.split_once("rel=\"stylesheet\" href=\"").unwrap().1.split_once('"').unwrap().0;
    let mut visitor = desk.browser();
    let seen = visitor.get(style).await;
    assert_eq!(seen.status, 200);
    assert!(seen.html.contains(":root"));
    let request = browser.request("DELETE", "/console");
    assert_eq!(visitor.see(request).await.status, 405);
    let root = browser.request("GET", "/").send().await.unwrap();
    assert_eq!(root.headers()["content-type"], "application/json; charset=utf-8", "the Admin API stays what it is");
}

#[tokio::test]
async fn every_change_and_log_in_is_in_the_audit_log() {
    let desk = Desk::open();
    let token = desk.make_token("Ada <b>", "admin");
    let mut browser = desk.browser();
    browser.fill("/console/login", &[("token", &token)]).await;
    let path = "/console/entities/consumers/new";
    let page = browser.page(path).await;
    browser.done(&form_to(&page, path).set("username", "bob")).await;
    browser.send(&form_to(&page, path).set("username", "bob")).await;
    let (_, log) = desk.api("/audit/requests").await;
    let told: Vec<_> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            let text = |field: &str| record[field].as_str().unwrap().to_owned();
            (text("rbac_user_name"), text("method"), text("path"), record["status"].as_u64().unwrap())
        })
        .collect();
    let record = |path: &str, status| ("Ada <b>".to_owned(), "POST".to_owned(), path.to_owned(), status);
    assert_eq!(told, [record(path, 409), record(path, 303), record("/console/login", 303)]);
    let page = browser.page("/console/audit").await;
    let shown = text(&page);
    assert!(shown.contains("Ada <b> 127.0.0.1 POST /console/entities/consumers/new"), "{shown}");
    assert!(!page.contains("Ada <b>"));
}
