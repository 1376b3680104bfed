//! Forgotten and changed passwords.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, wish};

const RESET: &str = "Choose a new password";
const CHANGED: &str = "Your password was changed";
const NEW: &str = "another password";

async fn link(house: &House, email: &str) -> String {
    let before = house.mails(email).iter().filter(|mail| mail.subject == RESET).count();
    let asked = house.post("/forgot-password", json!({ "email": email })).await;
    assert_eq!(asked.status, 200);
    house.nth_mail(email, RESET, before).await.token()
}

async fn reset(house: &House, token: &str, password: &str) -> u16 {
    house.post("/reset-password", json!({ "token": token, "password": password })).await.status
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_mailed_link_once() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookies = [house.session_of("ana@b.test").await, house.session_of("ana@b.test").await];
    let (token, spare) = (link(&house, "ana@b.test").await, link(&house, "ana@b.test").await);
    for _ in 0..2 {
        assert_eq!(house.post("/validate-reset", json!({ "token": token })).await.told(), (200, Value::Null));
    }
    assert_eq!(reset(&house, &token, "short").await, 400);
    assert_eq!(house.post("/reset-password", json!({ "token": token })).await.body["message"], "password is required");
    assert_eq!(reset(&house, &token, NEW).await, 200, "a refused password leaves the link as it was");
    assert_eq!(reset(&house, &token, "a third password").await, 401);
    assert_eq!(house.post("/validate-reset", json!({ "token": token })).await.status, 401);
    assert_eq!(reset(&house, &spare, "a third password").await, 401, "older links end with the old password");
    for cookie in &cookies {
        assert_eq!(house.get("/developer", cookie).await.status, 401);
    }
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 401);
    assert_eq!(house.log_in("ana@b.test", NEW).await.status, 204);
    house.mail("ana@b.test", CHANGED).await;
}

#[tokio::test]
async fn whether_there_is_an_account_is_not_told() {
    let house = House::open();
    house.has("ana@b.test").await;
    let mut answers = Vec::new();
    for email in ["ana@b.test", "nobody@b.test", "no address", "a\r\nBcc: eve@b.test"] {
        let answer = house.post("/forgot-password", json!({ "email": email })).await;
        let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        answers.push((answer.told(), names));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, (200, Value::Null));
    house.mail("ana@b.test", RESET).await;
    assert!(house.mails("nobody@b.test").is_empty());
}

#[tokio::test]
async fn forged_expired_and_foreign_tokens_are_refused() {
    let house = House::open();
    house.has("ana@b.test").await;
    let token = link(&house, "ana@b.test").await;
    for bad in ["", "x", &"A".repeat(32), &token.to_lowercase()] {
        assert_ne!(reset(&house, bad, NEW).await, 200, "{bad}");
        assert_ne!(house.post("/validate-reset", json!({ "token": bad })).await.status, 200, "{bad}");
    }
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 401);
    assert_eq!(house.post("/invalidate-account-verification", json!({ "token": token })).await.status, 401);
    assert_eq!(house.post("/validate-reset", json!({ "token": token })).await.status, 200, "and it is still good");
    house.sql("UPDATE mailed_tokens SET expires_at = 1700000000000");
    assert_eq!(reset(&house, &token, NEW).await, 401);
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
}

#[tokio::test]
async fn those_who_were_shut_out_get_no_link() {
    let house = House::open();
    house.has("ana@b.test").await;
    let token = link(&house, "ana@b.test").await;
    house.admin("PATCH", "/developers/ana@b.test", json!({ "status": "revoked" })).await;
    assert_eq!(reset(&house, &token, NEW).await, 401);
    assert_eq!(house.post("/forgot-password", json!({ "email": "ana@b.test" })).await.status, 200);
    // A mail that would have come before this one has not come.
    house.has("bob@b.test").await;
    link(&house, "bob@b.test").await;
    assert_eq!(house.mails("ana@b.test").iter().filter(|mail| mail.subject == RESET).count(), 1);
}

#[tokio::test]
async fn who_can_read_the_mail_takes_an_account_from_whoever_registered_with_the_address() {
    let house = House::open();
    let mut stolen = wish("ana@b.test");
    stolen["password"] = json!("the thief's password");
    house.post("/register", stolen).await;
    let token = link(&house, "ana@b.test").await;
    assert_eq!(reset(&house, &token, NEW).await, 200);
    assert_eq!(house.log_in("ana@b.test", NEW).await.status, 204, "the address is known to be hers now");
    assert_eq!(house.log_in("ana@b.test", "the thief's password").await.status, 401);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let house = House::open();
    house.has("ana@b.test").await;
    let (mine, other) = (house.session_of("ana@b.test").await, house.session_of("ana@b.test").await);
    let change = |old: &str, new: &str| {
        let body = json!({ "old_password": old, "password": new });
        house.ask("PATCH", "/developer/password").cookie(&mine).json(&body).send()
    };
    let wrong = change("not the old one", NEW).await;
    assert_eq!((wrong.status, &wrong.body["message"]), (400, &json!("Old password is invalid")));
    let short = change(PASSWORD, "short").await;
    assert_eq!(short.body["fields"], json!({ "password": "length must be at least 8" }));
    for (missing, body) in
        [("old_password", json!({ "password": NEW })), ("password", json!({ "old_password": PASSWORD }))]
    {
        let answer = house.ask("PATCH", "/developer/password").cookie(&mine).json(&body).send().await;
        assert_eq!((answer.status, &answer.body["message"]), (400, &json!(format!("{missing} is required"))));
    }
    let token = link(&house, "ana@b.test").await;
    assert_eq!(change(PASSWORD, NEW).await.told(), (204, Value::Null));
    assert_eq!(house.get("/developer", &mine).await.status, 200);
    assert_eq!(house.get("/developer", &other).await.status, 401, "every other session ends");
    assert_eq!(reset(&house, &token, "a third password").await, 401, "and so do mailed links");
    assert_eq!(house.log_in("ana@b.test", NEW).await.status, 204);
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 401);
    house.mail("ana@b.test", CHANGED).await;
}

#[tokio::test]
async fn a_stolen_session_does_not_guess_the_password() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let body = json!({ "old_password": "a guess", "password": NEW });
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let ask = house.ask("PATCH", "/developer/password").from("6.6.6.6").cookie(&cookie).json(&body);
        statuses.push(ask.send().await.status);
    }
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429]);
}

#[tokio::test]
async fn nobodys_mailbox_is_flooded() {
    let house = House::open();
    house.has("ana@b.test").await;
    let ask = |client: String, email: &'static str| {
        house.ask("POST", "/forgot-password").from(&client).json(&json!({ "email": email })).send()
    };
    for email in ["ana@b.test", "nobody@b.test"] {
        let mut statuses = Vec::new();
        for number in 0..4 {
            statuses.push(ask(format!("6.6.6.{number}"), email).await.status);
        }
        assert_eq!(statuses, [200, 200, 200, 429], "{email}");
    }
    let again = house.post("/resend-account-verification", json!({ "email": "ana@b.test" })).await;
    assert_eq!(again.status, 429);
    assert!(!again.header("retry-after").is_empty());
}
