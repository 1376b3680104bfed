//! Guessing passwords, and finding out who has an account.

use crate::browser::{Browser, Seen};
use crate::desk::Desk;
use crate::html::{Form, form_to, text};
use crate::stage::{PASSWORD, looked_at};

/// Two addresses of one length: one that has an account, and one that has not.
const KNOWN: &str = "known-a@example.com";
const UNKNOWN: &str = "nobody-@example.com";

/// Sends a form as somebody at another address.
async fn sent_from(browser: &mut Browser<'_>, address: &str, form: &Form) -> Seen {
    let request = browser.request("POST", &form.action).form(&form.fields).header("x-forwarded-for", address);
    looked_at(browser.see(request).await)
}

/// What somebody who looks for a difference sees, but for the address they sent and the token of their own form.
fn told(seen: &Seen, email: &str, form: &Form) -> (u16, Vec<(String, String)>, String) {
    let alike = |name: &str| !matches!(name, "date" | "x-request-id" | "set-cookie");
    let headers = seen.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut headers: Vec<_> = headers.filter(|(name, _)| alike(name)).collect();
    headers.sort();
    (seen.status, headers, seen.html.replace(email, "EMAIL").replace(form.get("csrf_token"), "TOKEN"))
}

async fn log_in_form<'d>(desk: &'d Desk, email: &str, password: &str) -> (Browser<'d>, Form) {
    let mut browser = desk.visitor();
    let form = form_to(&browser.page("/account/login").await, "/account/login");
    (browser, form.set("email", email).set("password", password))
}

#[tokio::test]
async fn guesses_are_throttled_alike_for_known_and_unknown_addresses() {
    let desk = Desk::of_many_addresses();
    desk.account(KNOWN).await;
    let mut answers = Vec::new();
    for (email, address) in [(KNOWN, "192.0.2.1"), (UNKNOWN, "192.0.2.2")] {
        let (mut browser, form) = log_in_form(&desk, email, "not the password").await;
        let mut all = Vec::new();
        for _ in 0..7 {
            let seen = sent_from(&mut browser, address, &form).await;
            assert!(!seen.headers.contains_key("set-cookie"));
            assert_eq!(seen.status == 429, seen.headers.contains_key("retry-after"), "{}", seen.status);
            let seconds: String = seen.header("retry-after").to_owned();
            let (status, headers, html) = told(&seen, email, &form);
            // The clock may tick between the two.
            let headers: Vec<_> =
                headers.into_iter().filter(|(name, _)| name != "retry-after" && name != "content-length").collect();
            all.push((status, headers, html.replace(&format!(" {seconds} seconds"), " N seconds")));
        }
        answers.push(all);
    }
    let statuses: Vec<u16> = answers[0].iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn the_right_password_does_not_pass_a_lock_and_nobody_is_locked_out_by_others() {
    let desk = Desk::of_many_addresses();
    desk.account(KNOWN).await;
    let (mut browser, form) = log_in_form(&desk, KNOWN, "not the password").await;
    while sent_from(&mut browser, "192.0.2.1", &form).await.status != 429 {}
    let right = form.clone().set("password", PASSWORD);
    for email in [KNOWN, "KNOWN-A@example.com", " known-a@EXAMPLE.com "] {
        let seen = sent_from(&mut browser, "192.0.2.1", &right.clone().set("email", email)).await;
        assert_eq!(seen.status, 429, "{email}");
        let seconds: i64 = seen.header("retry-after").parse().unwrap();
        assert!((1..=900).contains(&seconds) && text(&seen.html).contains("tried too often"), "{seconds}");
        assert!(!browser.cookies.contains_key("portal_session"));
    }
    // A new browser at that address is the same address; what is said of it by the client itself is not believed.
    let (mut other, form) = log_in_form(&desk, KNOWN, PASSWORD).await;
    assert_eq!(sent_from(&mut other, "198.51.100.9, 192.0.2.1", &form).await.status, 429);
    assert_eq!(sent_from(&mut other, "192.0.2.77", &form).await.status, 303, "elsewhere the developer logs in");
}

#[tokio::test]
async fn guesses_at_the_old_password_are_throttled() {
    let desk = Desk::of_many_addresses();
    let mut browser = desk.developer_with_browser(KNOWN).await;
    let form = form_to(&browser.page("/account").await, "/account/password");
    let form = form.set("old_password", "not the password").set("password", "five other words go here");
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(sent_from(&mut browser, "192.0.2.1", &form).await.status);
    }
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429]);
    let seen = sent_from(&mut browser, "192.0.2.1", &form.set("old_password", PASSWORD)).await;
    assert_eq!(seen.status, 429);
    assert!(!seen.header("retry-after").is_empty() && text(&seen.html).contains("tried too often"));
}

#[tokio::test]
async fn asking_for_mails_tells_nothing_and_is_throttled() {
    let desk = Desk::of_many_addresses();
    for path in ["/account/forgot", "/account/resend"] {
        // Each path has addresses of its own: mails to one are counted together.
        let own = |email: &str| email.replace("example", path.trim_start_matches("/account/"));
        desk.account(&own(KNOWN)).await;
        if path == "/account/resend" {
            let unverified = serde_json::json!({ "status": 5 });
            assert_eq!(desk.patch(&format!("/developers/{}", own(KNOWN)), unverified).await.0, 200);
        }
        let mut answers = Vec::new();
        for (email, address) in [(KNOWN, "192.0.2.1"), (UNKNOWN, "192.0.2.2"), ("no example address", "192.0.2.3")] {
            let mut browser = desk.visitor();
            let email = own(email);
            let form = form_to(&browser.page(path).await, path).set("email", &email);
            let mut all = Vec::new();
            for _ in 0..4 {
                let seen = sent_from(&mut browser, address, &form).await;
                all.push((seen.status, seen.headers.contains_key("retry-after"), told(&seen, &email, &form)));
            }
            let statuses: Vec<u16> = all.iter().map(|(status, ..)| *status).collect();
            assert_eq!(statuses, [200, 200, 200, 429], "{path} {email}");
            assert!(all[3].1, "{path}");
            answers.push(all.into_iter().take(3).collect::<Vec<_>>());
        }
        assert_eq!(answers[0], answers[1], "{path}");
        assert_eq!(answers[1], answers[2], "{path}");
        // Only who has an account gets mails, once per time they were asked for.
        let mails = loop {
            let page = desk.visitor().page("/mails").await;
            if page.matches(&own(KNOWN)).count() == 3 {
                break page;
            }
        };
        assert!(!mails.contains(&own(UNKNOWN)));
    }
}

#[tokio::test]
async fn registrations_are_throttled_and_tell_nothing_where_accounts_are_hidden() {
    let desk = Desk::open_with(|start| {
        start.env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1/32").env("TOLLGATE_PORTAL_HIDE_ACCOUNTS", "true")
    });
    desk.account(KNOWN).await;
    let mut answers = Vec::new();
    for email in [KNOWN, UNKNOWN] {
        let mut browser = desk.visitor();
        let form = form_to(&browser.page("/account/register").await, "/account/register");
        let form = form.set("full_name", "Bob").set("email", email).set("password", PASSWORD);
        let seen = sent_from(&mut browser, "192.0.2.1", &form).await;
        answers.push(told(&seen, email, &form));
        // The password that somebody registered with tells no more than a wrong one.
        let wrong = if email == KNOWN { "not the password" } else { PASSWORD };
        let (mut browser, form) = log_in_form(&desk, email, wrong).await;
        let seen = sent_from(&mut browser, "192.0.2.2", &form).await;
        assert_eq!(seen.status, 401);
    }
    assert_eq!(answers[0].0, 200);
    assert_eq!(answers[0], answers[1]);

    let mut browser = desk.visitor();
    let form = form_to(&browser.page("/account/register").await, "/account/register");
    let mut last = 0;
    for nth in 0..21 {
        let form = form.clone().set("email", &format!("no address {nth}"));
        let seen = sent_from(&mut browser, "192.0.2.9", &form).await;
        assert_eq!(seen.status == 429, seen.headers.contains_key("retry-after"));
        last = seen.status;
    }
    assert_eq!(last, 429);
}
