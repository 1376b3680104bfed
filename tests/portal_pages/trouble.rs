//! Texts that are too long, too many, or of letters that break things.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::browser::Browser;
use crate::databases::Postgres;
use crate::desk::{Desk, id};
use crate::html::{fault, form_to, text};
use crate::stage::{PASSWORD, act, csrf_token, looked_at};

/// Names that are to be kept letter by letter.
const NAMES: [&str; 6] = [
    "Приложение 应用 アプリ",
    "متجر עברית",
    "\u{202e}txt.exe\u{202c} a\u{202e}b",
    "🛒👩‍👩‍👧‍👦 e\u{301}\u{301}\u{301}",
    "zero\u{200b}width\u{feff}\u{2060}",
    "O'Neil & Söhne <GmbH> \"x\"",
];

#[tokio::test]
async fn what_is_too_long_is_told_and_the_page_goes_on() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    let token = csrf_token(&mut browser, "/apps").await;
    let before = desk.everything().await;
    let mut visitor = desk.visitor();
    let visitors = csrf_token(&mut visitor, "/account/login").await;
    let public = ["/account/login", "/account/register", "/account/forgot", "/account/resend", "/account/reset"];
    let public = public.iter().chain(&["/account/verify", "/account/verify/refuse"]);
    let paths: Vec<(String, bool)> = (ana.acts().into_iter().map(|(path, _)| (path, true)))
        .chain(public.map(|path| ((*path).to_owned(), false)))
        .collect();
    for (path, is_own) in paths {
        let (who, token) = if is_own { (&mut browser, &token) } else { (&mut visitor, &visitors) };
        let long = [("name", "x".repeat(1024 * 1024))];
        let seen = looked_at(act(who, &path, &long, Some(token)).await);
        assert_eq!(seen.status, 413, "{path}");
        assert!(text(&seen.html).contains("What you sent is too long"), "{path}: {}", text(&seen.html));
        let many: Vec<(&str, String)> = (0..10_000).map(|_| ("a", "b".to_owned())).collect();
        let seen = looked_at(act(who, &path, &many, Some(token)).await);
        assert_eq!(seen.status, 413, "{path}");
    }
    let query = "name=x&".repeat(5_000);
    for path in ["/catalog", "/apps", "/account/login", "/account/register"] {
        let seen = looked_at(visitor.get(&format!("{path}?{query}")).await);
        assert!(matches!(seen.status, 200 | 303), "{path}: {}", seen.status);
    }
    assert_eq!(desk.everything().await, before);
    assert!(text(&browser.page("/apps").await).contains("Shop"));
}

#[tokio::test]
async fn long_names_are_refused_at_their_field() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    let before = desk.everything().await;
    let long = "ä".repeat(1100);
    let own = format!("/apps/{}/edit", ana.application);
    for path in ["/apps/new", own.as_str()] {
        for (field, value) in [
            ("name", long.clone()),
            ("redirect_uri", format!("https://a.example/{}", "x".repeat(2100))),
            ("description", "é".repeat(5000)),
        ] {
            let form = form_to(&browser.page(path).await, path).set("name", "Fine");
            let form = form.set("redirect_uri", "https://a.example/").set(field, &value);
            let seen = looked_at(browser.send(&form).await);
            assert_eq!(seen.status, 400, "{path} {field}");
            assert!(fault(&seen.html, field).is_some(), "{path} {field}: {}", text(&seen.html));
            assert_eq!(form_to(&seen.html, path).get(field), value, "what was typed comes back");
        }
    }
    for (path, field) in [("/account/meta", "full_name"), ("/account/email", "email")] {
        let form = form_to(&browser.page("/account").await, path).set(field, &format!("{long}@example.com"));
        let seen = looked_at(browser.send(&form).await);
        assert_eq!((seen.status, fault(&seen.html, field).is_some()), (400, true), "{path}");
    }
    let form = form_to(&browser.page("/account").await, "/account/password");
    let seen = looked_at(browser.send(&form.set("old_password", PASSWORD).set("password", &long)).await);
    assert_eq!((seen.status, fault(&seen.html, "password").is_some()), (400, true));
    let form = form_to(&desk.visitor().page("/account/register").await, "/account/register");
    assert_eq!(form.get("full_name"), "");
    let mut visitor = desk.visitor();
    let form = form_to(&visitor.page("/account/register").await, "/account/register");
    let form = form.set("full_name", &long).set("email", &long).set("password", &long);
    let seen = looked_at(visitor.send(&form).await);
    assert_eq!(seen.status, 400);
    for field in ["full_name", "email", "password"] {
        assert!(fault(&seen.html, field).is_some(), "{field}");
    }
    for (path, status) in [("/account/login", 401), ("/account/forgot", 200), ("/account/resend", 200)] {
        let mut form = form_to(&visitor.page(path).await, path).set("email", &long);
        if path == "/account/login" {
            form = form.set("password", &long);
        }
        assert_eq!(looked_at(visitor.send(&form).await).status, status, "{path}");
    }
    assert_eq!(desk.everything().await, before);
}

#[tokio::test]
async fn every_alphabet_is_kept_letter_by_letter() {
    let desk = Desk::open();
    let mut browser = desk.developer_with_browser("ana@example.com").await;
    let long = format!("{} end", "long ".repeat(59));
    for name in NAMES.into_iter().chain([long.as_str()]) {
        let form = form_to(&browser.page("/apps/new").await, "/apps/new");
        let form = form.set("name", name).set("redirect_uri", "https://a.example/").set("description", name);
        assert_eq!(looked_at(browser.send(&form).await).status, 200, "{name}");
        let short: String = name.chars().take(255).collect();
        let form = form_to(&browser.page("/account").await, "/account/meta").set("full_name", &short);
        let page = browser.done(&form).await;
        assert_eq!(form_to(&page, "/account/meta").get("full_name"), short.trim());
        let page = browser.page("/apps").await;
        assert!(text(&page).contains(&name.split_whitespace().collect::<Vec<_>>().join(" ")), "{name}");
    }
    let (_, kept) = desk.get("/applications").await;
    let kept: Vec<_> = kept["data"].as_array().unwrap().iter().map(|kept| &kept["name"]).collect();
    for name in NAMES.into_iter().chain([long.as_str()]) {
        assert!(kept.contains(&&json!(name)), "{name}: {kept:?}");
    }
}

/// A browser shows no answer to a form before it has sent the whole of it.
#[test]
fn a_form_that_is_far_too_long_is_read_before_it_is_refused() {
    let desk = Desk::open();
    let address = desk.gateway.addresses["portal"];
    let mut stream = TcpStream::connect(address).unwrap();
    let length = 3 * 1024 * 1024;
    let head = format!(
        "POST /account/login HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![b'x'; length]).expect("the whole form is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("What you sent is too long"), "{answer}");
}

#[tokio::test]
async fn a_name_that_nobody_can_see_is_none() {
    let desk = Desk::open();
    let mut browser = desk.developer_with_browser("ana@example.com").await;
    for name in ["\u{200b}", " \u{feff}\u{2060} ", "\u{202e}\u{200f}", "\u{3164}\u{00ad}"] {
        let fields = [("name", name), ("redirect_uri", "https://a.example/")];
        let seen = looked_at(browser.fill("/apps/new", &fields).await);
        assert_eq!((seen.status, fault(&seen.html, "name").is_some()), (400, true), "{name:?}");
    }
    assert_eq!(desk.total("/applications").await, 0);
}

/// Sends texts with NUL and line ends to every field.
async fn control_characters(desk: &Desk) {
    let mut visitor = desk.visitor();
    let visitors = csrf_token(&mut visitor, "/account/login").await;
    let odd = ["a\u{0}b", "\u{0}", "a\u{0}@example.com", "a@example.com\r\nBcc: b@example.com", "a\u{1b}[31m\u{7f}"];
    let mut ana = desk.developer_with_browser("ana@example.com").await;
    let token = csrf_token(&mut ana, "/apps").await;
    let before = desk.everything().await;
    for odd in odd {
        for path in ["login", "forgot", "resend", "register", "verify", "verify/refuse", "reset"] {
            let fields = [("email", odd), ("password", odd), ("token", odd), ("full_name", odd), ("next", odd)];
            let fields = fields.map(|(name, value)| (name, value.to_owned()));
            let seen = looked_at(act(&mut visitor, &format!("/account/{path}"), &fields, Some(&visitors)).await);
            assert!(matches!(seen.status, 200 | 400 | 401 | 429), "{path} {odd:?}: {}", seen.status);
        }
        for (path, name) in [
            ("/account/meta", "full_name"),
            ("/account/email", "email"),
            ("/apps/new", "name"),
            ("/apps/new", "redirect_uri"),
        ] {
            let mut form = form_to(&ana.page(if path == "/apps/new" { path } else { "/account" }).await, path);
            if path == "/apps/new" {
                form = form.set("name", "Fine").set("redirect_uri", "https://a.example/");
            }
            let seen = looked_at(ana.send(&form.set(name, odd)).await);
            assert_eq!(seen.status, 400, "{path} {name} {odd:?}");
            assert!(fault(&seen.html, name).is_some(), "{path} {name} {odd:?}: {}", text(&seen.html));
        }
        for (path, name) in [
            ("/catalog", "name"),
            ("/catalog", "offset"),
            ("/catalog", "app"),
            ("/apps", "offset"),
            ("/account/login", "next"),
            ("/account/reset", "token"),
            ("/account/verify", "token"),
            ("/apps/new", "service"),
        ] {
            let request = ana.request("GET", path).query(&[(name, odd)]);
            let seen = looked_at(ana.see(request).await);
            assert!(matches!(seen.status, 200 | 303 | 400), "{path} {name} {odd:?}: {}", seen.status);
        }
    }
    assert_eq!(desk.everything().await, before);
    described(&mut ana, desk, &token).await;
}

/// A description has lines; what no text has is refused.
async fn described(ana: &mut Browser<'_>, desk: &Desk, token: &str) {
    let described = |text: &str| {
        let fields = [("name", "Shop"), ("redirect_uri", "https://a.example/"), ("description", text)];
        fields.map(|(name, value)| (name, value.to_owned()))
    };
    let seen = looked_at(act(ana, "/apps/new", &described("a\u{0}b"), Some(token)).await);
    assert_eq!(seen.status, 400, "{}", text(&seen.html));
    assert!(fault(&seen.html, "description").is_some());
    let seen = looked_at(act(ana, "/apps/new", &described("one\n\ttwo"), Some(token)).await);
    assert_eq!(seen.status, 200, "{}", text(&seen.html));
    let (_, kept) = desk.get("/applications").await;
    assert_eq!(kept["data"][0]["description"], "one\n\ttwo", "{}", id(&kept["data"][0]));
}

#[tokio::test]
async fn control_characters_break_nothing_on_sqlite() {
    control_characters(&Desk::of_many_addresses()).await;
}

#[tokio::test]
async fn control_characters_break_nothing_on_postgres() {
    let postgres = Postgres::new().await;
    let desk = postgres.desk_with(|start| {
        start.env("TOLLGATE_PORTAL_ENABLED", "true").env("TOLLGATE_PORTAL_EMAIL_VERIFICATION", "true")
    });
    let desk = desk.await;
    control_characters(&desk).await;
    drop(desk);
    postgres.clear().await;
}
