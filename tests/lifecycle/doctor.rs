//! `tollgate doctor` beside a running gateway.

use std::process::Output;

use serde_json::json;

use crate::support::{Folder, Gateway, Start, client, tollgate};

fn doctor(arguments: &[&str]) -> Output {
    tollgate().arg("doctor").args(arguments).output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

fn line<'a>(lines: &'a [String], what: &str) -> &'a str {
    lines.iter().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no line of {what}: {lines:#?}"))
}

async fn with_oauth2(gateway: &Gateway) -> String {
    let mut id = String::new();
    for (path, body) in [
        ("/services", json!({ "name": "orders", "url": "http://127.0.0.1:9" })),
        ("/services/orders/routes", json!({ "name": "orders", "paths": ["/orders"], "protocols": ["http", "https"] })),
        ("/services/orders/plugins", json!({ "name": "oauth2", "config": { "enable_password_grant": true } })),
    ] {
        let made = client().post(gateway.admin(path)).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let made: serde_json::Value = made.json().await.unwrap();
        id = made["id"].as_str().unwrap().to_owned();
    }
    id
}

#[tokio::test]
async fn what_is_changed_changes_the_score() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    let plugin = with_oauth2(&gateway).await;
    let admin = gateway.admin("");
    let before = doctor(&["--url", &admin]);
    assert_eq!(before.status.code(), Some(0), "{}", String::from_utf8_lossy(&before.stderr));
    let before = lines(&before);
    let password = line(&before, "no password grant");
    assert!(password.starts_with("FAIL") && password.contains("oauth2 on service orders"), "{password}");
    let strict = doctor(&["--strict", "--url", &admin]);
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&strict.stderr).lines().count(), 1);

    let better = json!({ "config": {
        "enable_password_grant": false, "enable_client_credentials": true, "profile": "rfc9700",
        "scopes": ["read"], "mandatory_scope": true
    } });
    let changed = client().patch(gateway.admin(&format!("/plugins/{plugin}"))).json(&better).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    let after = doctor(&["--strict", "--url", &admin]);
    assert_eq!(after.status.code(), Some(0), "{}", String::from_utf8_lossy(&after.stderr));
    let after = lines(&after);
    assert!(line(&after, "no password grant").starts_with("ok"), "{after:#?}");
    assert!(line(&after, "TLS reaches").contains("on routes orders"), "{after:#?}");
    assert_eq!(after.len(), before.len());
}

#[tokio::test]
async fn who_cannot_be_asked_is_told_in_a_line() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    let proxy = gateway.url("proxy", "");
    let missing = folder.join("missing").display().to_string();
    for (arguments, code, what) in [
        (&["--url", "127.0.0.1:9"][..], 1, "no answer from http://127.0.0.1:9: cannot connect"),
        (&["--url", "ftp://a"], 64, "should begin with http:// or https://"),
        (&["--url", "http://"], 64, "--url http://"),
        (&["--url", &proxy], 1, "answers 404"),
        (&["--url", &proxy, "--token-file", &missing], 64, "--token-file"),
    ] {
        let output = doctor(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(what) && told.lines().count() == 1, "{arguments:?}: {told}");
    }
}
