//! Cookies: planted, stolen, and ended.

use serde_json::json;

use crate::browser::Browser;
use crate::desk::Desk;
use crate::html::{form_to, text};
use crate::stage::{PASSWORD, act, csrf_token, log_in, looked_at};

const SESSION: &str = "portal_session";

async fn is_let_in(browser: &mut Browser<'_>) -> bool {
    let seen = looked_at(browser.get("/apps").await);
    assert!(seen.status == 200 || seen.location == "/account/login?next=%2Fapps", "{}", seen.status);
    seen.status == 200
}

#[tokio::test]
async fn a_planted_cookie_is_not_adopted() {
    let desk = Desk::open();
    desk.account("ana@example.com").await;
    let eve = desk.developer_with_browser("eve@example.com").await;
    // Chosen freely; one of ours for visitors; one that has ended.
    let mut visitor = desk.visitor();
    visitor.page("/account/login").await;
    let mut ended = desk.logged_in("ana@example.com").await;
    let old = ended.cookies[SESSION].clone();
    let page = ended.page("/apps").await;
    ended.done(&form_to(&page, "/account/logout")).await;
    for planted in ["chosen".to_owned(), "A".repeat(43), visitor.cookies["portal_visitor"].clone(), old] {
        let mut ana = desk.visitor();
        ana.cookies.insert(SESSION.to_owned(), planted.clone());
        assert!(!is_let_in(&mut ana).await, "{planted}");
        assert_eq!(log_in(&mut ana, "ana@example.com", PASSWORD).await.status, 303);
        assert_ne!(ana.cookies[SESSION], planted, "a log-in begins a session of its own");
        let mut thief = desk.visitor();
        thief.cookies.insert(SESSION.to_owned(), planted);
        assert!(!is_let_in(&mut thief).await);
        assert!(is_let_in(&mut ana).await);
    }
    // A live session of Eve's in Ana's browser ends when Ana logs in.
    let mut ana = desk.visitor();
    ana.cookies.insert(SESSION.to_owned(), eve.cookies[SESSION].clone());
    let token = csrf_token(&mut ana, "/apps").await;
    let credentials = [("email", "ana@example.com".to_owned()), ("password", PASSWORD.to_owned())];
    assert_eq!(act(&mut ana, "/account/login", &credentials, Some(&token)).await.status, 303);
    assert!(text(&ana.page("/apps").await).contains("ana@example.com"));
    assert!(!is_let_in(&mut eve.clone()).await, "the session that was there before has ended");
}

#[tokio::test]
async fn a_cookie_sent_twice_counts_for_nothing() {
    let desk = Desk::open();
    let mut browser = desk.developer_with_browser("ana@example.com").await;
    let cookie = format!("{SESSION}={}", browser.cookies[SESSION]);
    for cookies in [format!("{cookie}; {SESSION}=x"), format!("{SESSION}=x; {cookie}"), format!("{cookie}; {cookie}")] {
        let request = desk.visitor().request("GET", "/apps").header("cookie", cookies);
        assert_eq!(browser.clone().see(request).await.status, 303);
    }
    assert!(is_let_in(&mut browser).await);
}

#[tokio::test]
async fn a_stolen_cookie_ends_with_the_log_out() {
    let desk = Desk::open();
    let mut browser = desk.developer_with_browser("ana@example.com").await;
    let mut stolen = browser.clone();
    let mut elsewhere = desk.logged_in("ana@example.com").await;
    assert!(is_let_in(&mut stolen).await);
    let page = browser.page("/apps").await;
    browser.done(&form_to(&page, "/account/logout")).await;
    assert!(!browser.cookies.contains_key(SESSION), "the browser forgets it");
    assert!(!is_let_in(&mut stolen).await);
    assert!(is_let_in(&mut elsewhere).await, "one logs out of one browser");
    let request = stolen.request("GET", "/session");
    assert_eq!(stolen.see(request).await.status, 401, "for the API it has ended as well");
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let desk = Desk::open();
    let mut browser = desk.developer_with_browser("ana@example.com").await;
    let mut others = [desk.logged_in("ana@example.com").await, desk.logged_in("ana@example.com").await];
    let form = form_to(&browser.page("/account").await, "/account/password");
    let wrong = form.clone().set("old_password", "not the old password").set("password", "five other words go here");
    let seen = looked_at(browser.send(&wrong).await);
    assert!(seen.status == 400 && text(&seen.html).contains("This is not your password"));
    assert!(is_let_in(&mut others[0]).await, "a wrong one ends nothing");
    browser.done(&form.set("old_password", PASSWORD).set("password", "five other words go here")).await;
    assert!(is_let_in(&mut browser).await);
    for other in &mut others {
        assert!(!is_let_in(other).await);
    }
    // By a mailed link all of them end.
    let form = form_to(&desk.visitor().page("/account/forgot").await, "/account/forgot");
    assert_eq!(form.get("email"), "");
    let mut forgetful = desk.visitor();
    let form = form_to(&forgetful.page("/account/forgot").await, "/account/forgot").set("email", "ana@example.com");
    forgetful.send(&form).await;
    let token = loop {
        let page = forgetful.page("/mails").await;
        if let Some((_, rest)) = page.split_once("/account/reset?token=") {
            break rest.split_once('"').unwrap().0.to_owned();
        }
    };
    let page = forgetful.page(&format!("/account/reset?token={token}")).await;
    let form = form_to(&page, "/account/reset").set("password", PASSWORD);
    assert_eq!(forgetful.send(&form).await.location, "/account/login?done=reset");
    assert!(!is_let_in(&mut browser).await);
    assert_eq!(looked_at(forgetful.send(&form).await).status, 400, "the link works once");
}

#[tokio::test]
async fn who_is_shut_out_or_gone_is_sent_to_the_log_in() {
    let desk = Desk::open();
    let developer = desk.account("ana@example.com").await;
    let own = format!("/developers/{}", developer["id"].as_str().unwrap());
    for status in [3, 2, 1, 5] {
        let mut browser = desk.logged_in("ana@example.com").await;
        let token = csrf_token(&mut browser, "/apps").await;
        assert_eq!(desk.patch(&own, json!({ "status": status })).await.0, 200);
        let seen = act(&mut browser, "/account/meta", &[("full_name", "Other".to_owned())], Some(&token)).await;
        assert_eq!(seen.status, 403, "{status}");
        assert!(!is_let_in(&mut browser).await, "{status}");
        let seen = looked_at(log_in(&mut browser, "ana@example.com", PASSWORD).await);
        assert_eq!((seen.status, seen.header("set-cookie").contains(SESSION)), (403, false), "{status}");
        assert_eq!(desk.patch(&own, json!({ "status": 0 })).await.0, 200);
    }
    let mut browser = desk.logged_in("ana@example.com").await;
    assert_eq!(desk.delete(&own).await.0, 204);
    assert!(!is_let_in(&mut browser).await);

    let mut browser = desk.developer_with_browser("bob@example.com").await;
    let mut other = desk.logged_in("bob@example.com").await;
    let page = browser.page("/account").await;
    let asked = browser.send(&form_to(&page, "/account/delete")).await;
    browser.done(&form_to(&asked.html, "/account/delete")).await;
    assert!(!browser.cookies.contains_key(SESSION));
    assert!(!is_let_in(&mut other).await);
}

#[tokio::test]
async fn the_way_on_after_the_log_in_is_one_of_ours() {
    let desk = Desk::open();
    desk.account("ana@example.com").await;
    let foreign = [
        "//evil.example",
        "https://evil.example/",
        "\\\\evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "@evil.example",
        "/\u{0}",
        "/\u{7f}",
        "/apps\r\nSet-Cookie: portal_session=x",
        "/ü",
        "",
    ];
    for next in foreign {
        let mut browser = desk.visitor();
        let request = browser.request("GET", "/account/login").query(&[("next", next)]);
        let seen = looked_at(browser.see(request).await);
        let form = form_to(&seen.html, "/account/login");
        assert_eq!(form.get("next"), "/apps", "{next:?}");
        let form = form.set("next", next).set("email", "ana@example.com").set("password", PASSWORD);
        let seen = looked_at(browser.send(&form).await);
        assert_eq!((seen.status, seen.location.as_str()), (303, "/apps"), "{next:?}");
        // And for who is logged in already.
        let request = browser.request("GET", "/account/login").query(&[("next", next)]);
        assert_eq!(looked_at(browser.see(request).await).location, "/apps", "{next:?}");
        let page = browser.page("/account").await;
        browser.done(&form_to(&page, "/account/logout")).await;
    }
    let mut browser = desk.visitor();
    let seen = browser.get("/catalog?name=a%26b&app=").await;
    assert_eq!(seen.status, 200);
    let seen = browser.get("/apps?offset=a%26b").await;
    let form = form_to(&browser.page(&seen.location).await, "/account/login");
    let seen = browser.send(&form.set("email", "ana@example.com").set("password", PASSWORD)).await;
    assert_eq!(seen.location, "/apps?offset=a%26b", "one goes on where one was");
}
