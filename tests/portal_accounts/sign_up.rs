//! Registering.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, wish};

const CONFIRM: &str = "Confirm your e-mail address";

#[tokio::test]
async fn who_registers_is_known_by_their_answers() {
    let house = House::open();
    let answer = house.register(" Ana@B.test ").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["email"], json!({ "sent": true, "error": null }));
    let developer = &answer.body["developer"];
    assert_eq!((&developer["email"], &developer["status"]), (&json!("ana@b.test"), &json!(5)));
    let meta: Value = serde_json::from_str(developer["meta"].as_str().unwrap()).unwrap();
    assert_eq!(meta, json!({ "full_name": "Ana Ö'Neil" }));
    assert!(!answer.body.to_string().contains("password"), "{answer:?}");
    let seen = house.admin("GET", "/developers/ana@b.test", json!({})).await;
    assert_eq!(seen.body["id"], developer["id"]);
}

#[tokio::test]
async fn forms_and_objects_are_read_as_json_is() {
    let house = House::open();
    let form = "email=form%40b.test&password=correct+horse+battery&meta=%7B%22full_name%22%3A%22Ana%22%7D";
    let answer = house.ask("POST", "/register").raw("application/x-www-form-urlencoded", form).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let dotted = "email=dotted%40b.test&password=correct+horse+battery&meta.full_name=Ana";
    let answer = house.ask("POST", "/register").raw("application/x-www-form-urlencoded", dotted).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let object = json!({ "email": "object@b.test", "password": PASSWORD, "meta": { "full_name": "Ana" } });
    let answer = house.post("/register", object).await;
    assert_eq!(answer.body["developer"]["meta"], "{\"full_name\":\"Ana\"}", "{answer:?}");
}

#[tokio::test]
async fn every_fault_is_told_at_once_and_nothing_is_made() {
    let house = House::open();
    let bad = json!({ "email": "ana", "password": "short", "meta": { "full_name": "" }, "status": 0, "roles": ["x"] });
    let answer = house.post("/register", bad).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!(2)));
    assert_eq!(answer.body["name"], "schema violation");
    let fields = json!({
        "email": "invalid email 'ana'",
        "meta": { "full_name": "length must be at least 1" },
        "password": "length must be at least 8",
        "roles": "unknown field",
        "status": "unknown field",
    });
    assert_eq!(answer.body["fields"], fields);
    let missing = "required field missing";
    let answer = house.post("/register", json!({ "email": null })).await;
    assert_eq!(answer.body["fields"], json!({ "email": missing, "password": missing, "meta": missing }));
    for (field, value) in [
        ("email", json!("a@b\r\nBcc: eve@b.test")),
        ("email", json!("a\u{0}@b.test")),
        ("email", json!(format!("{}@b.test", "a".repeat(300)))),
        ("email", json!(["a@b.test", "c@b.test"])),
        ("password", json!("x".repeat(2000))),
        ("password", json!(12_345_678)),
        ("meta", json!("{\"full_name\":\"A\\r\\nBcc: eve@b.test\"}")),
        ("meta", json!("{\"full_name\":\"A\\u0000\"}")),
        ("meta", json!({ "full_name": "x".repeat(300) })),
        ("meta", json!({ "full_name": "A", "admin": true })),
        ("meta", json!("nonsense")),
    ] {
        let mut wish = wish("bad@b.test");
        wish[field] = value.clone();
        let answer = house.post("/register", wish).await;
        assert_eq!(answer.status, 400, "{field} {value}: {answer:?}");
        assert!(answer.body["fields"].get(field).is_some(), "{field} {value}: {answer:?}");
    }
    let made = house.admin("GET", "/developers", json!({})).await;
    assert_eq!(made.body["data"], json!([]));
}

#[tokio::test]
async fn letters_of_every_script_are_kept() {
    let house = House::open();
    let wish = json!({ "email": "ана@пример.бг", "password": "пароль 密码 🔑", "meta": { "full_name": "山田 太郎" } });
    assert_eq!(house.post("/register", wish).await.status, 200);
    let token = house.mail("ана@пример.бг", CONFIRM).await.token();
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 200);
    let answer = house.log_in("ана@пример.бг", "пароль 密码 🔑").await;
    assert_eq!(answer.status, 204);
    let developer = house.get("/developer", &answer.cookie()).await.body;
    assert!(developer["meta"].as_str().unwrap().contains("山田 太郎"), "{developer}");
}

#[tokio::test]
async fn an_address_has_one_account() {
    let house = House::open();
    house.has("ana@b.test").await;
    let answer = house.register("ANA@b.test").await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!(5)));
    assert_eq!(answer.body["fields"], json!({ "email": "ana@b.test" }));
    assert_eq!(answer.body["message"], "UNIQUE violation detected on '{email=\"ana@b.test\"}'");
}

/// What of two answers is not the same, ids and instants aside.
fn shape(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for field in ["id", "consumer", "created_at", "updated_at"] {
        assert!(!answer["developer"][field].is_null(), "{answer}");
        answer["developer"][field] = json!("…");
    }
    answer
}

#[tokio::test]
async fn where_accounts_are_hidden_a_taken_address_is_answered_as_a_free_one() {
    let house = House::open_with(&[("PORTAL_HIDE_ACCOUNTS", "true")]);
    house.has("ana@b.test").await;
    let taken = json!({ "email": "ana@b.test", "password": "another password", "meta": { "full_name": "Eve" } });
    let mut free = taken.clone();
    free["email"] = json!("new@b.test");
    let (taken, free) = (house.post("/register", taken).await, house.post("/register", free).await);
    assert_eq!((taken.status, free.status), (200, 200));
    let mut expected = shape(&free.body);
    expected["developer"]["email"] = json!("ana@b.test");
    assert_eq!(shape(&taken.body), expected);
    // Who has just registered learns nothing by trying the password either.
    let (of_taken, of_free) =
        (house.log_in("ana@b.test", "another password").await, house.log_in("new@b.test", "another password").await);
    assert_eq!(of_taken.told(), of_free.told());
    // The owner is told, and nothing of theirs has changed.
    assert!(house.mail("ana@b.test", "You have an account already").await.text.contains("/account/login"));
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
}

#[tokio::test]
async fn where_accounts_are_hidden_whoever_reads_the_mail_gets_the_address() {
    let house = House::open_with(&[("PORTAL_HIDE_ACCOUNTS", "true")]);
    // Somebody registers with an address of Ana's, before she does.
    let mut stolen = wish("ana@b.test");
    stolen["password"] = json!("the thief's password");
    house.post("/register", stolen).await;
    let first = house.mail("ana@b.test", CONFIRM).await.token();
    house.register("ana@b.test").await;
    let second = house.nth_mail("ana@b.test", CONFIRM, 1).await.token();
    assert_eq!(house.post("/verify-account", json!({ "token": first })).await.status, 401);
    assert_eq!(house.post("/verify-account", json!({ "token": second })).await.status, 200);
    assert_eq!(house.log_in("ana@b.test", "the thief's password").await.status, 401);
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 204);
}

#[test]
fn accounts_can_be_hidden_only_where_addresses_are_verified() {
    let mut command = crate::support::tollgate();
    command.args(["config", "check"]).env("TOLLGATE_DATABASE_URL", "sqlite:/tmp/x.db");
    let output = command.env("TOLLGATE_PORTAL_HIDE_ACCOUNTS", "true").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(text.contains("portal.hide_accounts") && text.contains("portal.email_verification"), "{text}");
}

#[tokio::test]
async fn one_client_does_not_register_without_end() {
    let house = House::open();
    for number in 0..20 {
        let answer = house.ask("POST", "/register").from("6.6.6.6").json(&json!({ "email": number })).send().await;
        assert_eq!(answer.status, 400);
    }
    let again = house.ask("POST", "/register").from("6.6.6.6").json(&wish("ana@b.test")).send().await;
    assert_eq!(again.status, 429);
    assert!(again.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=30).contains(&seconds)), "{again:?}");
    let other = house.ask("POST", "/register").from("7.7.7.7").json(&wish("ana@b.test")).send().await;
    assert_eq!(other.status, 200);
}
