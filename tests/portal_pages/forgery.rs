//! Forms that were not made for who sends them, and pages of other sites.

use crate::desk::Desk;
use crate::html::{form_to, text};
use crate::stage::{PASSWORD, act, csrf_token, log_in, looked_at};

#[tokio::test]
async fn a_form_without_its_own_token_does_nothing() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    let mut eve = desk.developer_with_browser("eve@example.com").await;
    let mut visitor = desk.visitor();
    let own = csrf_token(&mut browser, "/apps").await;
    let forged = "A".repeat(own.len());
    let eves = csrf_token(&mut eve, "/apps").await;
    let visitors = csrf_token(&mut visitor, "/account/login").await;
    let mut again = desk.visitor();
    let before_log_in = csrf_token(&mut again, "/account/login").await;
    let visitor_cookie = again.cookies["portal_visitor"].clone();
    log_in(&mut again, "ana@example.com", PASSWORD).await;
    assert!(!again.cookies.contains_key("portal_visitor"), "log-in ends the visitor");
    // A browser that kept the visitor's cookie all the same.
    again.cookies.insert("portal_visitor".to_owned(), visitor_cookie);
    let before = desk.everything().await;
    for (path, fields) in ana.acts() {
        let others = [&forged, &own[1..], &eves, &visitors, &before_log_in];
        let tokens = [None, Some("")].into_iter().chain(others.map(Some));
        for token in tokens {
            let seen = looked_at(act(&mut browser, &path, &fields, token).await);
            assert_eq!(seen.status, 403, "{path} {token:?}");
            assert!(text(&seen.html).contains("Nothing was done"), "{path}: {}", text(&seen.html));
        }
        assert_eq!(act(&mut again, &path, &fields, Some(&before_log_in)).await.status, 403, "{path}");
        assert_eq!(act(&mut visitor, &path, &fields, Some(&own)).await.status, 403, "{path}");
        assert_eq!(desk.everything().await, before, "{path}");
    }
    // With its token the first of them is done.
    let (path, fields) = ana.acts().remove(0);
    assert_eq!(act(&mut browser, &path, &fields, Some(&own)).await.status, 200);
    assert_ne!(desk.everything().await, before);
}

#[tokio::test]
async fn a_form_sent_again_after_the_log_out_does_nothing() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut stolen = ana.browser.clone();
    let mut browser = ana.browser.clone();
    let token = csrf_token(&mut browser, "/apps").await;
    let before = desk.everything().await;
    act(&mut browser, "/account/logout", &[], Some(&token)).await;
    for (path, fields) in ana.acts() {
        for browser in [&mut browser, &mut stolen] {
            assert_eq!(act(browser, &path, &fields, Some(&token)).await.status, 403, "{path}");
        }
    }
    log_in(&mut browser, "ana@example.com", PASSWORD).await;
    for (path, fields) in ana.acts() {
        assert_eq!(act(&mut browser, &path, &fields, Some(&token)).await.status, 403, "{path} in a new session");
    }
    assert_eq!(desk.everything().await, before);
}

#[tokio::test]
async fn visitors_forms_are_theirs() {
    let desk = Desk::open();
    desk.account("ana@example.com").await;
    let before = desk.everything().await;
    let (mut browser, mut other) = (desk.visitor(), desk.visitor());
    let others = csrf_token(&mut other, "/account/register").await;
    let credentials = [("email", "ana@example.com".to_owned()), ("password", PASSWORD.to_owned())];
    let register =
        [("full_name", "Bob".to_owned()), ("email", "bob@example.com".to_owned()), ("password", PASSWORD.to_owned())];
    let forgot = [("email", "ana@example.com".to_owned())];
    browser.page("/account/login").await;
    let acts: [(&str, &[(&str, String)]); 4] = [
        ("/account/login", &credentials),
        ("/account/register", &register),
        ("/account/forgot", &forgot),
        ("/account/resend", &forgot),
    ];
    for (path, fields) in acts {
        for token in [None, Some(others.as_str()), Some("x")] {
            let seen = looked_at(act(&mut browser, path, fields, token).await);
            assert_eq!((seen.status, seen.header("set-cookie").contains("portal_session")), (403, false), "{path}");
        }
        // A cookie that somebody chose is not one to bind a form to.
        let mut planted = desk.visitor();
        planted.cookies.insert("portal_visitor".to_owned(), "x".repeat(43));
        assert_eq!(act(&mut planted, path, fields, Some(&others)).await.status, 403, "{path}");
    }
    assert_eq!(desk.everything().await, before);
    assert!(text(&browser.page("/mails").await).contains("No mail yet"));
}

#[tokio::test]
async fn pages_of_other_sites_are_refused_with_a_good_token_too() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    let token = csrf_token(&mut browser, "/apps").await;
    let before = desk.everything().await;
    let foreign = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (path, fields) in ana.acts() {
        for (name, value) in foreign {
            let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            form.push(("csrf_token", &token));
            let request = browser.request("POST", &path).form(&form).header(name, value);
            assert_eq!(browser.see(request).await.status, 403, "{path} {name}: {value}");
        }
    }
    assert_eq!(desk.everything().await, before);
    let own = desk.gateway.url("portal", "");
    let form = form_to(&browser.page("/account").await, "/account/meta").set("full_name", "Other");
    let request = browser.request("POST", &form.action).form(&form.fields).header("origin", own);
    assert_eq!(browser.see(request.header("sec-fetch-site", "same-origin")).await.status, 303, "our own pages pass");
}

#[tokio::test]
async fn nothing_is_done_by_a_get() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    let token = csrf_token(&mut browser, "/apps").await;
    let before = desk.everything().await;
    for (path, fields) in ana.acts() {
        let mut query: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.push(("csrf_token", &token));
        let request = browser.request("GET", &path).query(&query);
        let seen = looked_at(browser.see(request).await);
        assert!(matches!(seen.status, 200 | 404 | 405), "{path}: {}", seen.status);
    }
    assert_eq!(desk.everything().await, before);
    browser.page("/apps").await;
    // Nor by what is no form.
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
        let body = format!("csrf_token={token}&full_name=Other");
        let request = browser.request("POST", "/account/meta").header("content-type", kind).body(body);
        let seen = looked_at(browser.see(request).await);
        assert_eq!(seen.status, 400, "{kind}");
        assert!(text(&seen.html).contains("could not be read"), "{kind}: {}", text(&seen.html));
    }
    assert_eq!(desk.everything().await, before);
}
