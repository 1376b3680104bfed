//! Logging in and out, sessions, and who gets in.

use crate::browser::Desk;
use crate::html::{form_to, text};

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
