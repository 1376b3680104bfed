//! Showing that an address is one's own (6.3, clause 7).

use serde_json::json;

use crate::house::{House, PASSWORD};

const CONFIRM: &str = "Confirm your e-mail address";

#[tokio::test]
async fn an_unverified_developer_is_not_let_in_though_all_are_approved() {
    let house = House::open();
    house.register("ana@b.test").await;
    let refused = house.log_in("ana@b.test", PASSWORD).await;
    let told = json!({ "message": "Your e-mail address is not verified yet", "status": 5 });
    assert!(refused.header("set-cookie").is_empty());
    assert_eq!(refused.told(), (403, told));
    // Who does not know the password is not told that much.
    assert_eq!(house.log_in("ana@b.test", "wrong password").await.status, 401);
    let token = house.mail("ana@b.test", CONFIRM).await.token();
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.told(), (200, json!({ "status": 0 })));
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
}

#[tokio::test]
async fn without_auto_approval_a_verified_developer_waits_for_an_administrator() {
    let settings = [("PORTAL_AUTO_APPROVE", "false"), ("SMTP_ADMIN_EMAILS", "boss@b.test, vice@b.test")];
    let house = House::open_with(&settings);
    house.register("ana@b.test").await;
    let token = house.mail("ana@b.test", CONFIRM).await.token();
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.told(), (200, json!({ "status": 1 })));
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.body["status"], 1);
    for administrator in ["boss@b.test", "vice@b.test"] {
        let mail = house.mail(administrator, "A developer asks to be let into the portal").await;
        assert!(mail.text.contains("ana@b.test"), "{mail:?}");
    }
    let approved = house.admin("PATCH", "/developers/ana@b.test", json!({ "status": "approved" })).await;
    assert_eq!(approved.status, 200, "{approved:?}");
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
}

#[tokio::test]
async fn without_verification_approval_alone_decides() {
    for (auto_approve, status, logs_in) in [("true", 0, 204), ("false", 1, 403)] {
        let settings = [("PORTAL_EMAIL_VERIFICATION", "false"), ("PORTAL_AUTO_APPROVE", auto_approve)];
        let house = House::open_with(&settings);
        let answer = house.register("ana@b.test").await;
        assert_eq!(answer.body["developer"]["status"], status);
        assert_eq!(answer.body["email"], json!({ "sent": false, "error": null }));
        assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, logs_in);
    }
}

#[tokio::test]
async fn a_token_works_once_for_its_purpose_and_in_its_time() {
    let house = House::open();
    house.register("ana@b.test").await;
    let token = house.mail("ana@b.test", CONFIRM).await.token();
    let mut forged = token.clone();
    forged.replace_range(0..1, if token.starts_with('a') { "b" } else { "a" });
    for bad in [forged.as_str(), "x", "ä", &"A".repeat(32), &"a".repeat(10_000)] {
        let answer = house.post("/verify-account", json!({ "token": bad })).await;
        assert_eq!(answer.told(), (401, json!({ "message": "Unauthorized" })), "{bad}");
    }
    for path in ["/validate-reset", "/reset-password"] {
        let body = json!({ "token": token, "password": "another password" });
        assert_eq!(house.post(path, body).await.status, 401, "{path}");
    }
    for (body, message) in [(json!({}), "token is required"), (json!({ "token": "" }), "token is required")] {
        let answer = house.post("/verify-account", body).await;
        assert_eq!((answer.status, &answer.body["message"]), (400, &json!(message)));
        assert_eq!(answer.body["fields"], json!({ "token": "required field missing" }));
    }
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 200);
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 401);
    house.register("late@b.test").await;
    let late = house.mail("late@b.test", CONFIRM).await.token();
    assert_eq!(house.sql("UPDATE mailed_tokens SET expires_at = 1700000000000"), 1);
    assert_eq!(house.post("/verify-account", json!({ "token": late })).await.status, 401);
}

#[tokio::test]
async fn what_an_administrator_decided_meanwhile_stays() {
    let house = House::open();
    house.register("ana@b.test").await;
    let token = house.mail("ana@b.test", CONFIRM).await.token();
    house.admin("PATCH", "/developers/ana@b.test", json!({ "status": "revoked" })).await;
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.told(), (200, json!({ "status": 3 })));
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.body["status"], 3);
}

#[tokio::test]
async fn whoever_was_registered_by_somebody_else_takes_the_account_away() {
    let house = House::open();
    house.register("ana@b.test").await;
    let token = house.mail("ana@b.test", CONFIRM).await.token();
    let invalidate = |token: String| house.post("/invalidate-account-verification", json!({ "token": token }));
    assert_eq!(invalidate("A".repeat(32)).await.status, 401);
    assert_eq!(invalidate(token.clone()).await.status, 204);
    assert_eq!(invalidate(token.clone()).await.status, 401);
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 401);
    assert_eq!(house.admin("GET", "/developers/ana@b.test", json!({})).await.status, 404);
    // The address is free again for its owner, and an account in use is no longer at the mercy of old mails.
    house.register("ana@b.test").await;
    let first = house.nth_mail("ana@b.test", CONFIRM, 1).await.token();
    house.post("/resend-account-verification", json!({ "email": "ana@b.test" })).await;
    let second = house.nth_mail("ana@b.test", CONFIRM, 2).await.token();
    assert_eq!(house.post("/verify-account", json!({ "token": first })).await.status, 200);
    assert_eq!(invalidate(second).await.status, 204);
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
}

#[tokio::test]
async fn asking_again_tells_nothing_and_mails_only_whom_it_concerns() {
    let house = House::open();
    house.register("new@b.test").await;
    house.has("ana@b.test").await;
    let mut answers = Vec::new();
    for email in ["new@b.test", "NEW@b.test", "ana@b.test", "nobody@b.test", "no address"] {
        answers.push(house.post("/resend-account-verification", json!({ "email": email })).await.told());
    }
    assert!(answers.iter().all(|answer| *answer == (204, json!(null))), "{answers:?}");
    house.nth_mail("new@b.test", CONFIRM, 2).await;
    assert_eq!(house.mails("ana@b.test").len(), 1);
    assert!(house.mails("nobody@b.test").is_empty());
    assert_eq!(house.post("/resend-account-verification", json!({})).await.status, 400);
}
