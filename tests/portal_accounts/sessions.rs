//! Sessions: begun anew, ended for good.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD};

async fn is_in(house: &House, cookie: &str) -> bool {
    match house.get("/developer", cookie).await.status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_log_in_begins_a_session_and_a_planted_cookie_begins_none() {
    let house = House::open();
    house.has("ana@b.test").await;
    let planted = "A".repeat(32);
    let log_in = |cookie: String| house.ask("GET", "/auth").cookie(&cookie).basic("ana@b.test", PASSWORD).send();
    let first = log_in(planted.clone()).await.cookie();
    assert_ne!(first, planted);
    assert!(!is_in(&house, &planted).await && is_in(&house, &first).await);
    let second = log_in(first.clone()).await.cookie();
    assert_ne!(second, first);
    assert!(!is_in(&house, &first).await, "the session one comes with ends");
    assert!(is_in(&house, &second).await);
}

#[tokio::test]
async fn a_stolen_cookie_is_worth_nothing_after_the_log_out() {
    let house = House::open();
    house.has("ana@b.test").await;
    let (cookie, other) = (house.session_of("ana@b.test").await, house.session_of("ana@b.test").await);
    let answer = house.ask("DELETE", "/auth?session_logout=true").cookie(&cookie).send().await;
    assert_eq!(answer.status, 200);
    let cleared = "portal_session=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0";
    assert_eq!(answer.header("set-cookie"), cleared);
    assert!(!is_in(&house, &cookie).await && is_in(&house, &other).await);
    for gone in [cookie.as_str(), "", "A", &"A".repeat(32)] {
        assert_eq!(house.ask("DELETE", "/auth").cookie(gone).send().await.status, 200, "{gone}");
    }
}

#[tokio::test]
async fn nobody_but_us_makes_cookies() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let mut forged = cookie.clone();
    forged.replace_range(0..1, if cookie.starts_with('a') { "b" } else { "a" });
    for bad in [forged.as_str(), "", "' OR 1=1 --", &"A".repeat(5000)] {
        assert!(!is_in(&house, bad).await, "{bad}");
    }
    // Sent twice, one of them is somebody else's.
    let twice = format!("portal_session={cookie}; portal_session={forged}");
    assert_eq!(house.ask("GET", "/developer").header("cookie", &twice).send().await.status, 401);
    let among = format!("a=b; portal_session={cookie}; c=d");
    assert_eq!(house.ask("GET", "/developer").header("cookie", &among).send().await.status, 200);
    let stored = rusqlite::Connection::open(house.folder.join("data/tollgate.db")).unwrap();
    let found: i64 = stored
        .query_row("SELECT count(*) FROM sessions WHERE digest = ?1 OR id = ?1", [cookie.as_bytes()], |row| row.get(0))
        .unwrap();
    assert_eq!(found, 0, "the cookie itself is stored nowhere");
    assert!(!house.gateway.log_text().contains(&cookie));
}

#[tokio::test]
async fn a_session_ends_an_hour_after_its_use_and_twelve_after_its_beginning() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let shown = house.get("/session", &cookie).await.body;
    let begun = shown["session"]["expires"].as_i64().unwrap() - 3600;
    assert_eq!(shown["session"]["cookie"], json!({ "renew": 600, "lifetime": 3600 }));
    // Half an hour passes: the next use moves the end again.
    age(&house, 1800);
    let expires = house.get("/session", &cookie).await.body["session"]["expires"].as_i64().unwrap();
    assert!(expires >= begun + 3600, "{expires}");
    // Half a minute passes: the use is not written down, the session goes on.
    age(&house, 30);
    let later = house.get("/session", &cookie).await.body["session"]["expires"].as_i64().unwrap();
    assert!(later <= expires - 30 + 5 && later >= expires - 30, "{later} {expires}");
    age(&house, 3600);
    assert!(!is_in(&house, &cookie).await);
    // However much it is used.
    let cookie = house.session_of("ana@b.test").await;
    house.sql("UPDATE sessions SET created_at = created_at - 41400000");
    age(&house, 120);
    let shown = house.get("/session", &cookie).await.body;
    let left = shown["session"]["expires"].as_i64().unwrap() - begun;
    assert!(left <= 1800 - 120 + 60, "{left} seconds are left of the twelve hours");
    assert_eq!(house.get("/session", "").await.status, 401);
}

/// Makes every session this much older.
fn age(house: &House, seconds: i64) {
    let moved = seconds * 1000;
    house.sql(&format!(
        "UPDATE sessions SET created_at = created_at - {moved}, seen_at = seen_at - {moved},
         expires_at = expires_at - {moved}"
    ));
}

#[tokio::test]
async fn what_is_a_developers_own_is_for_those_who_are_logged_in() {
    let house = House::open();
    for (method, path) in [
        ("GET", "/session"),
        ("GET", "/developer"),
        ("DELETE", "/developer"),
        ("PATCH", "/developer/password"),
        ("PATCH", "/developer/email"),
        ("PATCH", "/developer/meta"),
        ("PUT", "/developer/meta"),
    ] {
        for path in [path.to_owned(), format!("/api{path}")] {
            let answer = house.ask(method, &path).json(&json!({})).send().await;
            assert_eq!(answer.told(), (401, json!({ "message": "Unauthorized" })), "{method} {path}");
        }
    }
    for path in ["/config", "/developer/meta_fields", "/api/config"] {
        let answer = house.get(path, "").await;
        assert!(answer.status == 200 && answer.body != Value::Null, "{path}");
    }
}
