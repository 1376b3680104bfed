//! Mail servers that are away, refuse or hang: nobody waits for them, and no mail is lost or sent twice.

use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::clean::{HOSTILE, tags};
use crate::desk::{Desk, id};
use crate::html::{form_to, forms, text};
use crate::post::{Letter, Mood, Post, nowhere};
use crate::stage::{PASSWORD, looked_at, new_application};

fn desk(url: &str) -> Desk {
    Desk::open_with(|start| start.env("TOLLGATE_SMTP_URL", url).env("TOLLGATE_SMTP_ADMIN_EMAILS", "admin@example.com"))
}

async fn register(desk: &Desk, email: &str) {
    let mut browser = desk.visitor();
    let form = form_to(&browser.page("/account/register").await, "/account/register");
    let form = form.set("full_name", "Ana").set("email", email).set("password", PASSWORD);
    let seen = looked_at(browser.send(&form).await);
    assert_eq!(seen.status, 200, "{}", text(&seen.html));
    assert!(text(&seen.html).contains("Check your mail"));
}

/// The page of mails, when it says so; it never says what is in a mail.
async fn mails_saying(console: &mut Browser<'_>, state: &str, what: &str) -> String {
    loop {
        let page = console.page(&format!("/console/mails?state={state}")).await;
        for inside in ["token=", "Someone registered", "Follow", "account/verify"] {
            assert!(!page.contains(inside), "{inside}: {}", text(&page));
        }
        if text(&page).contains(what) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The mails to an address, once there is one.
async fn arrived(post: &Post, email: &str) -> Vec<Letter> {
    loop {
        let found: Vec<Letter> = post.taken().into_iter().filter(|letter| letter.recipient == email).collect();
        if !found.is_empty() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn try_now(console: &mut Browser<'_>, page: &str) {
    let retry = forms(page).into_iter().find(|form| form.action.ends_with("/retry")).expect("a mail to be tried again");
    console.done(&retry).await;
}

#[tokio::test]
async fn a_mail_is_tried_again_by_itself_when_the_server_was_away() {
    let address = nowhere();
    let desk = desk(&format!("smtp://{address}"));
    let mut console = desk.console().await;
    register(&desk, "ana@example.com").await;
    mails_saying(&mut console, "waiting", "ana@example.com").await;
    mails_saying(&mut console, "waiting", "onnection").await;
    assert_eq!(desk.visitor().get("/mails").await.status, 404, "where mails are sent, nobody may read them");
    let post = Post::open_at(address, Mood::Takes);
    let letters = arrived(&post, "ana@example.com").await;
    assert!(letters[0].text().contains("/account/verify?token="));
    mails_saying(&mut console, "sent", "ana@example.com").await;
    register(&desk, "bob@example.com").await;
    arrived(&post, "bob@example.com").await;
    assert_eq!(arrived(&post, "ana@example.com").await.len(), 1, "it came once");
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_waits_and_one_that_is_refused_for_good_is_given_up() {
    let post = Post::open(Mood::Refuses("451 not now"));
    let desk = desk(&post.url());
    let mut console = desk.console().await;
    register(&desk, "ana@example.com").await;
    let page = mails_saying(&mut console, "waiting", "451").await;
    post.becomes(Mood::Takes);
    try_now(&mut console, &page).await;
    arrived(&post, "ana@example.com").await;
    mails_saying(&mut console, "sent", "ana@example.com").await;

    post.becomes(Mood::Refuses("550 no such <b>user</b>"));
    register(&desk, "bob@example.com").await;
    let page = mails_saying(&mut console, "failed", "550").await;
    assert!(forms(&page).iter().all(|form| !form.action.ends_with("/retry")) && !page.contains("<b>"));
    let log = desk.gateway.log_text();
    assert!(!log.contains("bob@example.com") && !log.contains("token="), "neither address nor link is in the log");
    // Who did not get it asks again.
    post.becomes(Mood::Takes);
    let mut browser = desk.visitor();
    let form = form_to(&browser.page("/account/resend").await, "/account/resend").set("email", "bob@example.com");
    browser.send(&form).await;
    assert_eq!(arrived(&post, "bob@example.com").await.len(), 1);
    assert_eq!(arrived(&post, "ana@example.com").await.len(), 1, "it came once");
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_hangs() {
    let post = Post::open(Mood::Hangs);
    let desk = desk(&post.url());
    let mut console = desk.console().await;
    let service = id(&desk.gated("orders", false).await).to_owned();
    register(&desk, "bob@example.com").await;
    while post.callers() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut browser = desk.developer_with_browser("ana@example.com").await;
    let application = new_application(&mut browser, HOSTILE).await;
    let page = browser.page(&format!("/catalog/{service}")).await;
    let page = browser.done(&form_to(&page, &format!("/apps/{application}/contracts"))).await;
    assert!(text(&page).contains("Your request is sent"));
    let (_, contracts) = desk.get("/services/orders/application_instances").await;
    let contract = format!("/services/orders/application_instances/{}", id(&contracts["data"][0]));
    assert_eq!(desk.patch(&contract, json!({ "status": 0, "note": HOSTILE })).await.0, 200);
    assert!(post.taken().is_empty(), "it still hangs");
    let page = mails_saying(&mut console, "waiting", "admin@example.com").await;
    assert!(text(&page).contains("bob@example.com") && text(&page).contains("ana@example.com"));

    post.becomes(Mood::Takes);
    let wanted = ["Access to Service orders is asked for", "was approved", "Confirm your e-mail address"];
    while post.taken().len() < 4 {
        // What failed would be tried in half a minute.
        let page = console.page("/console/mails?state=waiting").await;
        if forms(&page).iter().any(|form| form.action.ends_with("/retry")) {
            try_now(&mut console, &page).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let letters = post.taken();
    assert_eq!(letters.len(), 4, "each came once: {letters:?}");
    for subject in wanted {
        assert!(letters.iter().any(|letter| letter.text().contains(subject)), "{subject}");
    }
    let hostile: Vec<_> = letters.iter().filter(|letter| letter.data.contains("text/html")).collect();
    assert_eq!(hostile.len(), 4);
    for letter in hostile {
        let text = letter.text();
        let (_, html) = text.split_once("<!doctype html>").expect("HTML");
        let names: Vec<String> = tags(html.split_once("</html>").unwrap().0).into_iter().map(|tag| tag.name).collect();
        let known = ["html", "head", "meta", "title", "body", "div", "p", "blockquote", "a", "br", "span"];
        assert!(names.iter().all(|name| known.contains(&name.as_str())), "{names:?}");
    }
    assert!(letters.iter().any(|letter| letter.text().contains("&lt;x-evil") || letter.text().contains("&#60;x-evil")));
}
