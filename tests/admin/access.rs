//! Who may call (contract, section 6).

use std::process::Command;

use serde_json::{Value, json};

use crate::desk::{Desk, read};
use crate::support::tollgate;

const SET: &str = "ops:admin:0123456789abcdef0123,watch:read-only:fedcba9876543210fedc";
const ADMIN: &str = "0123456789abcdef0123";
const WATCH: &str = "fedcba9876543210fedc";

/// Listening beyond loopback.
fn exposed() -> Desk {
    Desk::open_with(|start| start.env("TOLLGATE_ADMIN_LISTEN", "0.0.0.0:0").env("TOLLGATE_ADMIN_TOKENS", SET))
}

async fn ask(desk: &Desk, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let port = desk.gateway.addresses["admin"].port();
    let mut request = desk.client.request(method, format!("http://127.0.0.1:{port}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn beyond_loopback_a_token_is_demanded_in_either_header() {
    let desk = exposed();
    assert_eq!(ask(&desk, "GET", "/services", &[]).await, (401, json!({ "message": "Unauthorized" })));
    for headers in [("kong-admin-token", "wrong".to_owned()), ("authorization", format!("Basic {ADMIN}"))] {
        assert_eq!(ask(&desk, "GET", "/services", &[(headers.0, &headers.1)]).await.0, 401, "{headers:?}");
    }
    for headers in [("kong-admin-token", ADMIN.to_owned()), ("authorization", format!("Bearer {ADMIN}"))] {
        assert_eq!(ask(&desk, "GET", "/services", &[(headers.0, &headers.1)]).await.0, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn a_read_only_token_reads_and_judges_but_does_not_write() {
    let desk = exposed();
    let watch = [("kong-admin-token", WATCH)];
    for path in ["/services", "/", "/tags", "/audit/requests", "/schemas/services"] {
        assert_eq!(ask(&desk, "GET", path, &watch).await.0, 200, "{path}");
    }
    assert_eq!(ask(&desk, "POST", "/schemas/consumers/validate", &watch).await.0, 400, "it is judged");
    for (method, path) in
        [("POST", "/services"), ("PUT", "/services/x"), ("PATCH", "/services/x"), ("DELETE", "/services/x")]
    {
        let refused = ask(&desk, method, path, &watch).await;
        assert_eq!(refused, (403, json!({ "message": "This token may only read" })), "{method}");
    }
}

#[tokio::test]
async fn a_token_made_by_the_command_works_at_once_and_a_revoked_one_no_more() {
    let desk = exposed();
    let run = |args: &[&str]| {
        let output = tollgate().args(args).arg("--data-dir").arg(desk.folder.join("data")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, token, errors) = run(&["admin-token", "create", "ci", "--role", "read-only"]);
    assert_eq!(code, Some(0), "{errors}");
    let token = token.trim().to_owned();
    assert_eq!(ask(&desk, "GET", "/services", &[("kong-admin-token", &token)]).await.0, 200);
    assert_eq!(ask(&desk, "DELETE", "/services/x", &[("kong-admin-token", &token)]).await.0, 403);
    let (code, _, errors) = run(&["admin-token", "create", "ci"]);
    assert!(code == Some(1) && errors.contains("there is an admin token `ci` already"), "{errors}");
    let (_, listed, _) = run(&["admin-token", "list"]);
    assert!(listed.contains("read-only  ci") && !listed.contains(&token), "{listed}");
    assert_eq!(run(&["admin-token", "revoke", "ci"]).0, Some(0));
    assert_eq!(ask(&desk, "GET", "/services", &[("kong-admin-token", &token)]).await.0, 401);
    assert_eq!(run(&["admin-token", "revoke", "ci"]).0, Some(1));
}

#[tokio::test]
async fn tokens_of_the_settings_are_read_again_on_sighup() {
    let folder = crate::support::Folder::new();
    let file = folder.join("tollgate.toml");
    let write = |token: &str| std::fs::write(&file, format!("[admin]\ntokens = \"ops:admin:{token}\"\n")).unwrap();
    write(ADMIN);
    let database = format!("sqlite:{}", folder.join("gate.db").display());
    let start = crate::support::Start::serve(folder.path(), &database).arg("--config").arg(file.to_str().unwrap());
    let gateway = start.env("TOLLGATE_ADMIN_LISTEN", "0.0.0.0:0").ready();
    let desk = Desk { gateway, client: crate::support::client(), folder };
    assert_eq!(ask(&desk, "GET", "/services", &[("kong-admin-token", ADMIN)]).await.0, 200);
    std::fs::write(&file, format!("[admin]\ntokens = \"ops:admin:{WATCH}\"\n[log]\nlevel = \"debug\"\n")).unwrap();
    assert!(Command::new("kill").arg("-HUP").arg(desk.gateway.pid().to_string()).status().unwrap().success());
    let begun = std::time::Instant::now();
    while ask(&desk, "GET", "/services", &[("kong-admin-token", WATCH)]).await.0 != 200 {
        assert!(begun.elapsed().as_secs() < 10, "{}", desk.gateway.log_text());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(ask(&desk, "GET", "/services", &[("kong-admin-token", ADMIN)]).await.0, 401);
}

#[tokio::test]
async fn allow_insecure_opens_what_is_not_loopback() {
    let desk = Desk::open_with(|start| {
        start.env("TOLLGATE_ADMIN_LISTEN", "0.0.0.0:0").env("TOLLGATE_ADMIN_ALLOW_INSECURE", "true")
    });
    assert_eq!(ask(&desk, "GET", "/services", &[]).await.0, 200);
}

#[tokio::test]
async fn pages_of_other_origins_reach_nothing() {
    let desk = Desk::open();
    for headers in [
        [("origin", "http://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
        [("host", "evil.example")],
    ] {
        for method in ["GET", "POST", "OPTIONS", "DELETE"] {
            let response = ask(&desk, method, "/services/x", &headers).await;
            assert_eq!(response.0, 403, "{method} {headers:?}");
        }
    }
    let response = desk.client.get(desk.gateway.admin("/")).send().await.unwrap();
    assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control")), "no CORS at all");
}

#[tokio::test]
async fn every_write_is_in_the_audit_log_who_what_whence() {
    let desk = exposed();
    let ops = [("kong-admin-token", ADMIN)];
    assert_eq!(ask(&desk, "POST", "/consumers", &ops).await.0, 400);
    assert_eq!(ask(&desk, "DELETE", "/oauth2_tokens/hunter2", &ops).await.0, 204);
    assert_eq!(ask(&desk, "GET", "/services", &ops).await.0, 200);
    let (_, page) = ask(&desk, "GET", "/audit/requests?size=1", &ops).await;
    let last = &page["data"][0];
    assert_eq!((&last["rbac_user_name"], &last["client_ip"]), (&json!("ops"), &json!("127.0.0.1")));
    assert_eq!(
        (&last["method"], &last["path"], &last["status"]),
        (&json!("DELETE"), &json!("/oauth2_tokens/***"), &json!(204))
    );
    assert!(last["request_timestamp"].is_i64() && last["request_id"].is_string());
    let (_, page) = ask(&desk, "GET", page["next"].as_str().unwrap(), &ops).await;
    assert_eq!((&page["data"][0]["path"], &page["data"][0]["status"]), (&json!("/consumers"), &json!(400)));
    assert_eq!(page["next"], Value::Null, "reading is not written down");
}

#[tokio::test]
async fn an_entitys_secret_stands_in_no_log() {
    let desk = Desk::open();
    desk.made("/consumers", json!({ "username": "bob" })).await;
    let body = json!({ "name": "a", "client_id": "c", "client_secret": "hunter2hunter2" });
    desk.made("/consumers/bob/oauth2", body).await;
    assert_eq!(desk.post("/oauth2", json!({ "client_secret": "hunter2hunter2", "wat": 1 })).await.0, 400);
    assert!(!desk.gateway.log_text().contains("hunter2"));
}
