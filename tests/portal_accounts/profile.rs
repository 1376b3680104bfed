//! What developers change of themselves.

use serde_json::{Value, json};

use crate::house::{Answer, House, PASSWORD};

const CONFIRM: &str = "Confirm your new e-mail address";

async fn change(house: &House, cookie: &str, path: &str, body: Value) -> Answer {
    house.ask("PATCH", path).cookie(cookie).json(&body).send().await
}

#[tokio::test]
async fn an_address_changes_when_the_new_one_is_known_to_be_hers() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    house.post("/forgot-password", json!({ "email": "ana@b.test" })).await;
    let reset = house.mail("ana@b.test", "Choose a new password").await.token();
    let answer = change(&house, &cookie, "/developer/email", json!({ "email": "Ana@New.test" })).await;
    assert_eq!((answer.status, &answer.body["email"]), (200, &json!("ana@b.test")), "the old one stays for now");
    let token = house.mail("ana@new.test", CONFIRM).await.token();
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
    assert_eq!(house.log_in("ana@new.test", PASSWORD).await.status, 401);
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.told(), (200, json!({ "status": 0 })));
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 401);
    assert_eq!(house.log_in("ana@new.test", PASSWORD).await.status, 204);
    assert_eq!(house.get("/developer", &cookie).await.body["email"], "ana@new.test");
    house.mail("ana@b.test", "Your e-mail address was changed").await;
    let old_link = json!({ "token": reset, "password": "another password" });
    assert_eq!(house.post("/reset-password", old_link).await.status, 401, "links to the old address are void");
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 401);
}

#[tokio::test]
async fn an_address_of_another_is_refused_at_once_or_when_it_is_too_late() {
    let house = House::open();
    house.has("ana@b.test").await;
    house.has("eve@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let answer = change(&house, &cookie, "/developer/email", json!({ "email": "EVE@b.test" })).await;
    assert_eq!((answer.status, &answer.body["fields"]), (409, &json!({ "email": "eve@b.test" })));
    for (email, status) in [("ana@b.test", 200), ("no address", 400), ("a@b\r\nBcc: eve@b.test", 400), ("", 400)] {
        let answer = change(&house, &cookie, "/developer/email", json!({ "email": email })).await;
        assert_eq!(answer.status, status, "{email}: {answer:?}");
    }
    change(&house, &cookie, "/developer/email", json!({ "email": "late@b.test" })).await;
    let token = house.mail("late@b.test", CONFIRM).await.token();
    house.has("late@b.test").await;
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 409);
    assert_eq!(house.get("/developer", &cookie).await.body["email"], "ana@b.test");
}

#[tokio::test]
async fn where_accounts_are_hidden_an_address_of_another_is_not_told() {
    let house = House::open_with(&[("PORTAL_HIDE_ACCOUNTS", "true")]);
    house.has("ana@b.test").await;
    house.has("eve@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let taken = change(&house, &cookie, "/developer/email", json!({ "email": "eve@b.test" })).await;
    let free = change(&house, &cookie, "/developer/email", json!({ "email": "free@b.test" })).await;
    assert_eq!(taken.told(), free.told());
    house.mail("eve@b.test", "You have an account already").await;
    assert!(house.mails("eve@b.test").iter().all(|mail| mail.subject != CONFIRM));
}

#[tokio::test]
async fn where_addresses_are_not_verified_they_change_at_once() {
    let house = House::open_with(&[("PORTAL_EMAIL_VERIFICATION", "false")]);
    house.register("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let answer = change(&house, &cookie, "/developer/email", json!({ "email": "ana@new.test" })).await;
    assert_eq!((answer.status, &answer.body["email"]), (200, &json!("ana@new.test")));
    assert_eq!(house.log_in("ana@new.test", PASSWORD).await.status, 204);
    house.mail("ana@b.test", "Your e-mail address was changed").await;
}

#[tokio::test]
async fn answers_are_changed_and_what_administrators_keep_there_stays() {
    let house = House::open();
    house.has("ana@b.test").await;
    let kept = json!({ "meta": "{\"full_name\":\"Ana\",\"tier\":\"gold\"}" });
    assert_eq!(house.admin("PATCH", "/developers/ana@b.test", kept).await.status, 200);
    let cookie = house.session_of("ana@b.test").await;
    for method in ["PATCH", "PUT"] {
        for meta in [json!({ "full_name": method }), json!(format!("{{\"full_name\":\"{method}\"}}"))] {
            let body = json!({ "meta": meta });
            let answer = house.ask(method, "/developer/meta").cookie(&cookie).json(&body).send().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let meta: Value = serde_json::from_str(answer.body["meta"].as_str().unwrap()).unwrap();
            assert_eq!(meta, json!({ "full_name": method, "tier": "gold" }));
        }
    }
    for meta in [json!({ "tier": "platinum" }), json!({ "full_name": "" }), json!("x"), json!(null)] {
        let answer = change(&house, &cookie, "/developer/meta", json!({ "meta": meta })).await;
        assert_eq!(answer.status, 400, "{meta}: {answer:?}");
    }
}

#[tokio::test]
async fn the_form_and_the_portal_tell_of_themselves() {
    let house = House::open();
    let fields = house.get("/developer/meta_fields", "").await.body;
    let full_name = json!({ "title": "full_name", "label": "Full Name", "is_email": false,
        "validator": { "type": "string", "required": true } });
    assert_eq!(fields, json!([full_name]));
    for name in ["key-auth", "oauth2", "oauth2"] {
        let service = json!({ "name": uuid::Uuid::new_v4().to_string(), "url": "http://localhost:1" });
        let service = house.admin("POST", "/services", service).await.body;
        let config = if name == "oauth2" { json!({ "enable_client_credentials": true }) } else { json!({}) };
        let plugin = json!({ "name": name, "service": { "id": service["id"] }, "config": config });
        assert_eq!(house.admin("POST", "/plugins", plugin).await.status, 201);
    }
    let off = json!({ "name": "jwt", "enabled": false });
    assert_eq!(house.admin("POST", "/plugins", off).await.status, 201);
    let shown = house.get("/config", "").await.body;
    assert_eq!(shown["plugins"], json!({ "enabled_in_cluster": ["key-auth", "oauth2"] }));
    assert_eq!(shown["portal_app_auth"], "kong-oauth2");
}

#[tokio::test]
async fn an_account_goes_with_all_that_hung_on_it() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookies = [house.session_of("ana@b.test").await, house.session_of("ana@b.test").await];
    let application = json!({ "name": "app", "redirect_uri": "http://localhost/" });
    let made = house.admin("POST", "/developers/ana@b.test/applications", application).await;
    assert_eq!(made.status, 201, "{made:?}");
    let answer = house.ask("DELETE", "/developer").cookie(&cookies[0]).send().await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    for cookie in &cookies {
        assert_eq!(house.get("/developer", cookie).await.status, 401);
    }
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 401);
    let path = format!("/applications/{}", made.body["id"].as_str().unwrap());
    assert_eq!(house.admin("GET", &path, json!({})).await.status, 404);
    house.has("ana@b.test").await;
}
