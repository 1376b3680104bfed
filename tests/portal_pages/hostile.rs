//! Markup in every text that somebody can choose: it comes back as text, and nowhere as anything else.

use serde_json::json;

use crate::browser::{Browser, Seen};
use crate::clean::HOSTILE;
use crate::desk::{Desk, id};
use crate::html::{fault, form_to, text};
use crate::stage::{PASSWORD, act, csrf_token, log_in, looked_at};

/// An address that the rules let pass, with what they let pass of markup.
const EMAIL: &str = "'onx=alert`1`&lt&#60{{7*7}}@evil.test";

/// Texts between tags, as a reader sees them, without the spaces that the test's reading adds.
#[track_caller]
fn assert_told(seen: &str, what: &str) {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    assert!(squeezed(&text(seen)).contains(&squeezed(what)), "{}", text(seen));
}

async fn refused(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)], status: u16) -> Seen {
    let seen = looked_at(browser.fill(path, fields).await);
    assert_eq!(seen.status, status, "{path}: {}", text(&seen.html));
    seen
}

#[tokio::test]
async fn what_a_visitor_types_comes_back_as_text() {
    let desk = Desk::open();
    let mut browser = desk.visitor();
    let fields = [("full_name", HOSTILE), ("email", HOSTILE), ("password", "\"'><a")];
    let seen = refused(&mut browser, "/account/register", &fields, 400).await;
    let form = form_to(&seen.html, "/account/register");
    assert_eq!((form.get("full_name"), form.get("email"), form.get("password")), (HOSTILE, HOSTILE, ""));
    assert!(fault(&seen.html, "email").is_some() && fault(&seen.html, "password").is_some());
    let seen = refused(&mut browser, "/account/login", &[("email", HOSTILE), ("password", HOSTILE)], 401).await;
    let form = form_to(&seen.html, "/account/login");
    assert_eq!((form.get("email"), form.get("password")), (HOSTILE, ""));
    for path in ["/account/forgot", "/account/resend"] {
        let seen = refused(&mut browser, path, &[("email", HOSTILE)], 200).await;
        assert!(!seen.html.contains("x-evil"), "{path}");
    }
    let own = format!("/catalog?x={HOSTILE}");
    for (path, name, action, kept) in [
        ("/account/register", "email", "/account/register", HOSTILE),
        ("/account/verify", "token", "/account/verify", HOSTILE),
        ("/account/login", "next", "/account/login", "/apps"),
        ("/catalog", "name", "/catalog", HOSTILE),
    ] {
        for value in [HOSTILE, &own] {
            let request = browser.request("GET", path).query(&[(name, value), ("done", HOSTILE), (HOSTILE, "x")]);
            let seen = looked_at(browser.see(request).await);
            assert_eq!(seen.status, 200, "{path}");
            let kept = if value == HOSTILE { kept } else { &kept.replace(HOSTILE, value) };
            assert_eq!(form_to(&seen.html, action).get(name), kept, "{path}");
        }
    }
    for path in ["/account/reset", "/account/verify/refuse", "/account/verify"] {
        let token = csrf_token(&mut browser, "/account/login").await;
        let fields = [("token", HOSTILE.to_owned()), ("password", PASSWORD.to_owned())];
        let seen = looked_at(act(&mut browser, path, &fields, Some(&token)).await);
        assert_eq!((seen.status, seen.html.contains("x-evil")), (400, false), "{path}");
    }
}

#[tokio::test]
async fn no_query_breaks_out_of_a_page() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    for path in ana.pages() {
        for name in ["name", "status", "app", "offset", "done", "range", "email", "token", "next", "service", HOSTILE] {
            let path = path.split('?').next().unwrap();
            let mut query = vec![(name, HOSTILE)];
            if name == "status" {
                query.push(("app", &ana.application));
            }
            let request = browser.request("GET", path).query(&query);
            let seen = looked_at(browser.see(request).await);
            assert!(matches!(seen.status, 200 | 400), "{path} {name}: {}", seen.status);
            assert!(!seen.html.contains("<x-evil"), "{path} {name}");
        }
    }
    let request = browser.request("GET", "/apps/new").query(&[("service", HOSTILE)]);
    assert_eq!(form_to(&browser.see(request).await.html, "/apps/new").get("service"), HOSTILE);
    let withdraw = format!("/apps/{}/contracts/{}/withdraw", ana.application, ana.contract);
    let token = csrf_token(&mut browser, "/apps").await;
    let seen = looked_at(act(&mut browser, &withdraw, &[("back", HOSTILE.to_owned())], Some(&token)).await);
    assert_eq!(seen.location, format!("/apps/{}?done=withdrawn", ana.application));
}

#[tokio::test]
async fn what_a_developer_keeps_is_text_in_the_portal_and_in_the_console() {
    let desk = Desk::open();
    let mut browser = desk.visitor();
    let form = form_to(&browser.page("/account/register").await, "/account/register");
    let form = form.set("full_name", HOSTILE).set("email", EMAIL).set("password", PASSWORD);
    assert_eq!(looked_at(browser.send(&form).await).status, 200);
    let developer = desk.get("/developers").await.1["data"][0].clone();
    assert_eq!((&developer["email"], &developer["status"]), (&json!(EMAIL), &json!(5)));
    let approved = json!({ "status": 0 });
    assert_eq!(desk.patch(&format!("/developers/{}", id(&developer)), approved).await.0, 200);
    let service = desk.service("orders").await;
    let config = json!({ "display_name": HOSTILE, "description": HOSTILE, "enable_client_credentials": true,
        "scopes": [HOSTILE] });
    desk.made("/services/orders/plugins", json!({ "name": "application-registration", "config": config })).await;
    assert_eq!(log_in(&mut browser, EMAIL, PASSWORD).await.status, 303);

    let hidden = format!("/apps/new?service={}", "\"'<x-evil>");
    let faulty = form_to(&browser.page(&hidden).await, "/apps/new");
    let faulty = faulty.set("name", HOSTILE).set("redirect_uri", HOSTILE).set("description", HOSTILE);
    let seen = looked_at(browser.send(&faulty).await);
    let form = form_to(&seen.html, "/apps/new");
    assert_eq!(seen.status, 400);
    for name in ["name", "redirect_uri", "description"] {
        assert_eq!(form.get(name), HOSTILE);
    }
    assert!(fault(&seen.html, "redirect_uri").unwrap().contains("x-evil"));
    let uri = "https://shop.example/cb?x=\"'<x-evil/onx=1>$(id)`id`";
    let form = form_to(&browser.page(&format!("/apps/new?service={}", id(&service))).await, "/apps/new");
    let form = form.set("name", HOSTILE).set("redirect_uri", uri).set("description", HOSTILE);
    let seen = looked_at(browser.send(&form).await);
    assert_eq!(seen.status, 200);
    assert_told(&seen.html, HOSTILE);
    let application = id(&desk.get("/applications").await.1["data"][0]).to_owned();
    let page = browser.page(&format!("/catalog/{}", id(&service))).await;
    browser.done(&form_to(&page, &format!("/apps/{application}/contracts"))).await;
    let contract = desk.get("/services/orders/application_instances").await.1["data"][0].clone();
    let path = format!("/services/orders/application_instances/{}", id(&contract));
    assert_eq!(desk.patch(&path, json!({ "status": 0, "note": HOSTILE })).await.0, 200);

    let own = format!("/apps/{application}");
    let paths = ["/", "/catalog", "/apps", "/mails"].map(str::to_owned).into_iter().chain([
        own.clone(),
        format!("{own}/edit"),
        format!("/catalog/{}", id(&service)),
        format!("/catalog/{}/spec", id(&service)),
        format!("/catalog?app={application}"),
    ]);
    for path in paths {
        let seen = looked_at(browser.get(&path).await);
        assert_eq!(seen.status, 200, "{path}");
        assert_told(&seen.html, HOSTILE);
    }
    let account = looked_at(browser.get("/account").await);
    assert_eq!(form_to(&account.html, "/account/meta").get("full_name"), HOSTILE);
    assert_eq!(form_to(&account.html, "/account/email").get("email"), EMAIL);
    let form = form_to(&looked_at(browser.get(&format!("{own}/edit")).await).html, &format!("{own}/edit"));
    assert_eq!((form.get("name"), form.get("redirect_uri"), form.get("description")), (HOSTILE, uri, HOSTILE));
    let delete = form_to(&browser.page(&own).await, &format!("{own}/delete"));
    let asked = looked_at(browser.send(&delete).await);
    assert_told(&asked.html, &format!("“{HOSTILE}” goes"));

    let mut console = desk.console().await;
    let developer = id(&developer);
    for path in [
        "/console".to_owned(),
        "/console/developers".to_owned(),
        format!("/console/developers/{developer}"),
        "/console/applications".to_owned(),
        format!("/console/applications/{application}"),
        "/console/requests?status=approved".to_owned(),
        "/console/services".to_owned(),
        format!("/console/services/{}", id(&service)),
        "/console/mails".to_owned(),
        "/console/audit".to_owned(),
    ] {
        let seen = looked_at(console.get(&path).await);
        assert_eq!(seen.status, 200, "{path}");
        assert!(!seen.html.contains("<x-evil"));
    }
    let shown = [format!("/console/applications/{application}"), "/console/requests?status=approved".to_owned()];
    for path in shown {
        assert_told(&console.page(&path).await, HOSTILE);
    }
    assert_told(&console.page(&format!("/console/developers/{developer}")).await, EMAIL);
}

#[tokio::test]
async fn addresses_calculate_nothing_in_a_spreadsheet() {
    let desk = Desk::open();
    let mut browser = desk.visitor();
    let emails = ["=cmd|'/c'!a0@evil.test", "+1+1@evil.test", "-1@evil.test", "'=1@evil.test", "ana@example.com"];
    for email in emails {
        let form = form_to(&browser.page("/account/register").await, "/account/register");
        let form = form.set("full_name", "=1+1").set("email", email).set("password", PASSWORD);
        assert_eq!(looked_at(browser.send(&form).await).status, 200, "{email}");
    }
    let (status, table) = desk.get("/developers/export").await;
    assert_eq!(status, 200);
    let mut rows: Vec<&str> = table.as_str().unwrap().split("\r\n").collect();
    assert_eq!(rows.remove(0), "Email,Status");
    assert!(rows.contains(&"\"'=cmd|'/c'!a0@evil.test\",UNVERIFIED"), "{rows:?}");
    for row in rows {
        let cell = row.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{row}");
    }
}
