//! Logging in, and guessing.

use serde_json::{Value, json};

use crate::house::{Answer, House, PASSWORD};

async fn guess(house: &House, client: &str, email: &str, password: &str) -> Answer {
    house.ask("GET", "/auth").from(client).basic(email, password).send().await
}

#[tokio::test]
async fn a_cookie_is_kept_from_scripts_and_other_sites() {
    let house = House::open();
    house.has("ana@b.test").await;
    let answer = house.log_in("ana@b.test", PASSWORD).await;
    let value = answer.cookie();
    assert!(value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{value}");
    let set = answer.header("set-cookie");
    assert_eq!(set, format!("portal_session={value}; Path=/; HttpOnly; SameSite=Strict; Secure"));
    assert_eq!(answer.told(), (204, Value::Null));
    let plain = House::open_with(&[("PORTAL_SECURE_COOKIES", "false")]);
    plain.has("ana@b.test").await;
    let answer = plain.log_in("ana@b.test", PASSWORD).await;
    assert!(answer.header("set-cookie").ends_with("; HttpOnly; SameSite=Strict"), "{answer:?}");
}

#[tokio::test]
async fn what_is_no_credential_is_answered_alike() {
    let house = House::open();
    house.has("ana@b.test").await;
    for (name, value) in [
        ("x-nothing", ""),
        ("authorization", "Basic"),
        ("authorization", "Basic !!!"),
        ("authorization", "Basic /w=="),
        ("authorization", "Bearer abc"),
    ] {
        let answer = house.ask("GET", "/auth").header(name, value).send().await;
        assert_eq!((answer.status, &answer.body), (401, &json!({ "message": "Unauthorized" })), "{name} {value}");
        assert!(answer.header("www-authenticate").starts_with("Session "), "{answer:?}");
    }
    let answers = [("ana@b.test", "wrong password"), ("nobody@b.test", "wrong password"), ("\0", ""), ("", "")];
    for (email, password) in answers {
        let answer = house.log_in(email, password).await;
        assert_eq!(answer.told(), (401, json!({ "message": "Invalid authentication credentials" })), "{email}");
    }
}

#[tokio::test]
async fn those_who_may_not_be_here_are_told_why_and_those_who_are_go() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    for (status, word) in [(1, "yet to be approved"), (2, "not approved"), (3, "revoked"), (5, "not verified")] {
        let moved = house.admin("PATCH", "/developers/ana@b.test", json!({ "status": status })).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        let answer = house.log_in("ana@b.test", PASSWORD).await;
        assert_eq!((answer.status, &answer.body["status"]), (403, &json!(status)));
        assert!(answer.body["message"].as_str().unwrap().contains(word), "{answer:?}");
        assert_eq!(house.get("/developer", &cookie).await.status, 401);
        assert_eq!(house.log_in("ana@b.test", "wrong password").await.status, 401);
    }
    house.admin("PATCH", "/developers/ana@b.test", json!({ "status": 0 })).await;
    assert_eq!(house.get("/developer", &cookie).await.status, 401, "an old session does not come back");
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
}

#[tokio::test]
async fn an_api_key_logs_in_its_developer() {
    let house = House::open();
    let made = json!({ "email": "ana@b.test", "key": "ana's key", "status": 0 });
    assert_eq!(house.admin("POST", "/developers", made).await.status, 200);
    house.admin("POST", "/consumers", json!({ "username": "machine" })).await;
    let key = json!({ "key": "the machine's key" });
    assert_eq!(house.admin("POST", "/consumers/machine/key-auth", key).await.status, 201);
    let with = |key: &'static str| house.ask("GET", "/auth").header("apikey", key).send();
    let answer = with("ana's key").await;
    assert_eq!(answer.status, 204);
    assert_eq!(house.get("/developer", &answer.cookie()).await.body["email"], "ana@b.test");
    for wrong in ["the machine's key", "nobody's key", ""] {
        assert_eq!(with(wrong).await.status, 401, "{wrong}");
    }
    // She has no password, and none fits.
    assert_eq!(house.log_in("ana@b.test", "").await.status, 401);
}

#[tokio::test]
async fn guesses_lock_the_address_for_whoever_guesses_and_for_nobody_else() {
    let house = House::open();
    house.has("ana@b.test").await;
    for _ in 0..5 {
        assert_eq!(guess(&house, "6.6.6.6", "ana@b.test", "wrong password").await.status, 401);
    }
    for password in ["wrong password", PASSWORD] {
        let answer = guess(&house, "6.6.6.6", "ana@b.test", password).await;
        let seconds: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&seconds), "{answer:?}");
        assert_eq!(answer.told(), (429, json!({ "message": "Too many attempts, try again later" })));
    }
    assert_eq!(guess(&house, "7.7.7.7", "ana@b.test", PASSWORD).await.status, 204);
    assert_eq!(guess(&house, "6.6.6.6", "eve@b.test", "wrong password").await.status, 401);
}

#[tokio::test]
async fn an_address_without_an_account_is_guessed_at_like_any_other() {
    let house = House::open();
    house.has("ana@b.test").await;
    for number in 0..7 {
        let known = guess(&house, "6.6.6.6", "ana@b.test", "wrong password").await;
        let unknown = guess(&house, "6.6.6.7", "nobody@b.test", "wrong password").await;
        assert_eq!(known.header("retry-after").is_empty(), unknown.header("retry-after").is_empty(), "{number}");
        assert_eq!(known.told(), unknown.told(), "{number}");
    }
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more_than_those_in_a_row() {
    let house = House::open();
    house.has("ana@b.test").await;
    let guesses = (0..40).map(|_| guess(&house, "6.6.6.6", "ana@b.test", "wrong password"));
    let answers = futures_util::future::join_all(guesses).await;
    let judged = answers.iter().filter(|answer| answer.status == 401).count();
    assert!(judged <= 5, "{judged} passwords were judged");
    assert!(answers.iter().all(|answer| [401, 429, 503].contains(&answer.status)), "{answers:?}");
}

#[tokio::test]
async fn a_stranger_does_not_choose_the_address_it_is_counted_under() {
    let house = House::open_with(&[("PROXY_TRUSTED_IPS", "10.0.0.0/8")]);
    for number in 0..5 {
        let answer = guess(&house, &format!("6.6.6.{number}"), "ana@b.test", "wrong password").await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(guess(&house, "7.7.7.7", "ana@b.test", "wrong password").await.status, 429);
}
