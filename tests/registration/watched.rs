//! What is kept of writes, and who may make them.

use serde_json::{Value, json};

use crate::desk::{Desk, id, read};
use crate::people::{CALLBACK, served};

const TOKENS: &str = "ops:admin:0123456789abcdef0123,watch:read-only:fedcba9876543210fedc";

/// Asks over an address that demands a token.
async fn ask(desk: &Desk, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let port = desk.gateway.addresses["admin"].port();
    let request = desk.client.request(method, format!("http://127.0.0.1:{port}{path}"));
    read(request.header("kong-admin-token", token).json(&body).send().await.unwrap()).await
}

#[tokio::test]
async fn a_read_only_token_registers_nothing() {
    let desk =
        Desk::open_with(|start| start.env("TOLLGATE_ADMIN_LISTEN", "0.0.0.0:0").env("TOLLGATE_ADMIN_TOKENS", TOKENS));
    let (ops, watch) = ("0123456789abcdef0123", "fedcba9876543210fedc");
    let (status, developer) = ask(&desk, ops, "POST", "/developers", json!({ "email": "a@b.c" })).await;
    assert_eq!(status, 200);
    for path in ["/developers", "/developers/a@b.c", "/developers/export", "/applications", "/developers/roles"] {
        assert_eq!(ask(&desk, watch, "GET", path, json!({})).await.0, 200, "{path}");
    }
    let one = format!("/developers/{}", id(&developer));
    for (method, path) in [
        ("POST", "/developers"),
        ("PATCH", one.as_str()),
        ("DELETE", one.as_str()),
        ("POST", "/developers/invite"),
        ("POST", "/developers/roles"),
        ("POST", "/applications"),
        ("DELETE", "/oauth2_tokens?authenticated_userid=bob"),
        ("POST", "/services/x"),
    ] {
        let refused = ask(&desk, watch, method, path, json!({})).await;
        assert_eq!(refused, (403, json!({ "message": "This token may only read" })), "{method} {path}");
    }
}

#[tokio::test]
async fn writes_are_in_the_audit_log_without_keys() {
    let desk = Desk::open();
    desk.developer("a@b.c").await;
    let key = desk.made("/developers/a@b.c/credentials/key-auth", json!({ "key": "hunter2" })).await;
    assert_eq!(desk.delete("/developers/a@b.c/credentials/key-auth/hunter2").await.0, 204);
    desk.delete("/oauth2_tokens?authenticated_userid=bob").await;
    let (_, log) = desk.get("/audit/requests").await;
    let kept: Vec<_> = log["data"].as_array().unwrap().iter().map(|row| (&row["method"], &row["path"])).collect();
    let wanted = [
        ("DELETE", "/oauth2_tokens"),
        ("DELETE", "/developers/a@b.c/credentials/key-auth/***"),
        ("POST", "/developers/a@b.c/credentials/key-auth"),
        ("POST", "/developers"),
    ]
    .map(|(method, path)| (json!(method), json!(path)));
    assert_eq!(kept, wanted.iter().map(|(method, path)| (method, path)).collect::<Vec<_>>());
    assert!(id(&key).len() == 36 && !log.to_string().contains("hunter2"), "{log}");
}

#[tokio::test]
async fn moves_are_told_to_the_log_by_ids_only() {
    let desk = served();
    let service = desk.gated("orders", false).await;
    let body =
        json!({ "email": "very@private.test", "password": "a secret password", "meta": "{\"full_name\":\"Bob\"}" });
    let (_, developer) = desk.post("/developers", body).await;
    let application = desk.application(&developer, "private app").await;
    let contract = desk.contract(&application, &service).await;
    let path = format!("/services/orders/application_instances/{}", id(&contract));
    assert_eq!(desk.patch(&path, json!({ "status": "approved", "note": "private note" })).await.0, 200);
    assert_eq!(desk.patch(&path, json!({ "suspended": true })).await.0, 200);
    assert_eq!(desk.patch(&format!("/developers/{}", id(&developer)), json!({ "status": 0 })).await.0, 200);
    let secrets = format!("/applications/{}/credentials/oauth2", id(&application));
    let credential = desk.credential(&application).await;
    let secret = desk.made(&format!("{secrets}/{}/secrets", id(&credential)), json!({})).await;
    assert_eq!(
        desk.delete(&path.replace("/services/orders", &format!("/applications/{}", id(&application)))).await.0,
        204
    );
    let log = desk.gateway.log_text();
    for told in [
        format!("contract {0} was made and is requested", id(&contract)),
        format!("contract {0} was requested and is approved", id(&contract)),
        format!("contract {0} was approved and is approved", id(&contract)),
        format!("contract {0} was withdrawn", id(&contract)),
        format!("developer {0} was requested and is approved", id(&developer)),
    ] {
        assert!(log.contains(&told), "{told}\n{log}");
    }
    let clear = [credential["client_secret"].as_str().unwrap(), secret["client_secret"].as_str().unwrap()];
    for hidden in ["very@private.test", "a secret password", "Bob", "private app", "private note", clear[0], clear[1]] {
        assert!(!log.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn odd_texts_are_kept_or_refused_and_break_nothing() {
    let desk = Desk::open();
    let developer = desk.developer("ана@пример.бг").await;
    let odd = ["日本語のアプリ", "o'dd \"$1\"", "\u{202e}rtl", "😀"];
    for name in odd {
        let application = desk.application(&developer, name).await;
        assert_eq!(application["name"], name);
        let (_, found) = desk.get(&format!("/applications/{}", id(&application))).await;
        assert_eq!(found, application);
    }
    assert_eq!(
        desk.get("/developers/%D0%B0%D0%BD%D0%B0@%D0%BF%D1%80%D0%B8%D0%BC%D0%B5%D1%80.%D0%B1%D0%B3").await.0,
        200
    );
    for name in ["a\nb", "a\r\nX-Admin: yes", " ", "a\u{7f}"] {
        let body = json!({ "name": name, "redirect_uri": CALLBACK });
        let faults = desk.faults(&format!("/developers/{}/applications", id(&developer)), body).await;
        assert_eq!(faults, json!({ "name": "must be one line that is not blank" }));
    }
    let path = format!("/developers/{}", id(&developer));
    let long = "x".repeat(20_000);
    for body in [
        json!({ "email": format!("{long}@b.c") }),
        json!({ "custom_id": long }),
        json!({ "meta": format!("{{\"a\":\"{long}\"}}") }),
        json!({ "meta": "{\"a\":\"\\u0000" }),
        json!({ "custom_id": "a\u{0}b" }),
        json!({ "roles": vec!["x"; 101] }),
        json!({ "roles": "x" }),
    ] {
        let (status, refusal) = desk.patch(&path, body).await;
        assert_eq!((status, &refusal["code"]), (400, &json!(2)), "{refusal}");
    }
    let (status, refusal) = desk.get("/developers?role=a%00b").await;
    assert_eq!((status, &refusal["total"]), (200, &json!(0)), "{refusal}");
    assert_eq!(desk.get("/developers?email=a%00b").await.1["total"], 0);
    assert_eq!(desk.get("/developers/a%00b").await.0, 404);
    assert_eq!(desk.delete("/oauth2_tokens?authenticated_userid=%00").await, (200, json!({ "deleted": 0 })));
}
