//! `tollgate dev` and the commands around it, as a newcomer meets them.

mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use support::{Folder, Start, client, tollgate};

/// Runs the lines that `dev` prints, as someone would who pastes them into a shell.
fn pasted(stdout: &str) -> String {
    let lines: Vec<&str> =
        stdout.lines().filter(|line| line.starts_with("TOKEN=") || line.starts_with("curl ")).collect();
    assert!(lines.len() >= 2, "dev prints no lines to paste:\n{stdout}");
    let output = Command::new("bash").arg("-ec").arg(lines.join("\n")).output().unwrap();
    assert!(output.status.success(), "{}\n{}", lines.join("\n"), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_printed_lines_work_when_pasted_and_again_after_a_restart() {
    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).ready();
    let first = fs::read_to_string(&gateway.stdout).unwrap();
    assert!(pasted(&first).to_lowercase().contains("x-consumer-username"), "the echo shows who called");
    assert_eq!(gateway.stop(), Some(0));
    let gateway = Start::dev(folder.path()).ready();
    let second = fs::read_to_string(&gateway.stdout).unwrap();
    assert!(pasted(&second).to_lowercase().contains("x-consumer-username"));
}

#[tokio::test]
async fn a_restart_keeps_everything_tokens_included() {
    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).ready();
    let made = client().post(gateway.admin("/consumers")).json(&json!({ "username": "bob" })).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let form = [
        ("credential.id", demo_credential(&gateway).await),
        ("expires_in", "3600".into()),
        ("access_token", "mine".into()),
    ];
    let made = client().post(gateway.admin("/oauth2_tokens")).form(&form).send().await.unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    gateway.kill();
    let gateway = Start::dev(folder.path()).ready();
    let bob = client().get(gateway.admin("/consumers/bob")).send().await.unwrap();
    assert_eq!(bob.status(), 200);
    let token: Value = client().get(gateway.admin("/oauth2_tokens/mine")).send().await.unwrap().json().await.unwrap();
    assert_eq!(token["access_token"], "mine");
}

async fn demo_credential(gateway: &support::Gateway) -> String {
    let page: Value = client().get(gateway.admin("/oauth2")).send().await.unwrap().json().await.unwrap();
    page["data"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn empty_means_empty() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    let page: Value = client().get(gateway.admin("/services")).send().await.unwrap().json().await.unwrap();
    assert_eq!(page["data"], json!([]));
}

#[test]
fn what_a_first_start_makes_is_private() {
    let folder = Folder::new();
    let _gateway = Start::dev(folder.path()).ready();
    for name in ["keyring", "admin-token", "tls/key.pem"] {
        let mode = fs::metadata(folder.join("data").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} can be read by others");
    }
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = tollgate()
        .arg("dev")
        .arg("--data-dir")
        .arg(folder.path())
        .env("TOLLGATE_PROXY_LISTEN", &address)
        .env("TOLLGATE_PROXY_LISTEN_TLS", "127.0.0.1:0")
        .env("TOLLGATE_ADMIN_LISTEN", "127.0.0.1:0")
        .env("TOLLGATE_STATUS_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = text.lines().find(|line| line.starts_with("tollgate: ")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("proxy.listen") && line.contains(&address), "{line}");
}

#[test]
fn bad_settings_are_told_all_at_once_with_exit_64() {
    let output = tollgate()
        .args(["config", "check"])
        .env("TOLLGATE_PROXY_LISTEN", "nonsense")
        .env("TOLLGATE_LOG_FORMAT", "xml")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64));
    for name in ["proxy.listen", "log.format", "database.url"] {
        assert!(text.contains(name), "{name} is not told:\n{text}");
    }
}

#[test]
fn explain_shows_origins_and_masks_secrets() {
    let folder = Folder::new();
    let file = folder.join("tollgate.toml");
    fs::write(&file, "[proxy]\nworkers = 3\ntrusted_ips = [\"10.0.0.0/8\"]\n").unwrap();
    let output = tollgate()
        .args(["config", "explain", "--config"])
        .arg(&file)
        .env("TOLLGATE_DATABASE_URL", "postgres://user:hunter2@localhost/x")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("hunter2"));
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("proxy.workers").contains("file "), "{text}");
    assert!(line("database.url").contains("environment TOLLGATE_DATABASE_URL"));
    assert!(line("log.level").contains("default"));
}

#[test]
fn health_tells_ready_from_not() {
    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).ready();
    let url = gateway.url("status", "");
    let healthy = tollgate().args(["health", "--url", &url]).output().unwrap();
    assert_eq!(healthy.status.code(), Some(0), "{}", String::from_utf8_lossy(&healthy.stderr));
    gateway.stop();
    let gone = tollgate().args(["health", "--url", &url]).output().unwrap();
    assert_eq!(gone.status.code(), Some(1));
}

#[tokio::test]
async fn a_rotated_keyring_seals_everything_anew_under_a_running_gateway() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let data = folder.join("data");
    let rotated = tollgate().args(["keyring", "rotate", "--data-dir"]).arg(&data).output().unwrap();
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let text = String::from_utf8(rotated.stdout).unwrap();
    assert!(text.contains("sealed anew with key 2"), "{text}");
    assert!(!text.starts_with("0 "), "{text}");
    let page: Value = client().get(gateway.admin("/oauth2")).send().await.unwrap().json().await.unwrap();
    assert!(page["data"][0]["client_secret"].as_str().is_some_and(|secret| !secret.is_empty()), "{page}");
    let listed = tollgate().args(["keyring", "list", "--data-dir"]).arg(&data).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "1\n2  seals\n");
}

#[test]
fn a_missing_keyring_beside_a_database_is_not_replaced() {
    let folder = Folder::new();
    drop(Start::dev(folder.path()).ready());
    fs::remove_file(folder.join("data/keyring")).unwrap();
    let output = tollgate().arg("dev").arg("--data-dir").arg(folder.join("data")).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("keyring") && text.contains("put the keyring back"), "{text}");
    assert!(!folder.join("data/keyring").exists());
}

#[tokio::test]
async fn an_open_admin_api_is_not_served_beyond_loopback_without_a_token() {
    let folder = Folder::new();
    let database = format!("sqlite:{}", folder.join("tollgate.db").display());
    let keyring = folder.join("keyring");
    assert!(tollgate().args(["keyring", "init"]).arg(&keyring).output().unwrap().status.success());
    let refused = tollgate()
        .arg("serve")
        .env("TOLLGATE_DATABASE_URL", &database)
        .env("TOLLGATE_DATABASE_AUTO_MIGRATE", "true")
        .env("TOLLGATE_KEYRING_FILE", &keyring)
        .env("TOLLGATE_ADMIN_LISTEN", "0.0.0.0:0")
        .env("TOLLGATE_PROXY_LISTEN", "127.0.0.1:0")
        .env("TOLLGATE_PROXY_LISTEN_TLS", "")
        .env("TOLLGATE_STATUS_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("admin-token create"));
    let made = tollgate()
        .args(["admin-token", "create", "ops", "--role", "read-only"])
        .env("TOLLGATE_DATABASE_URL", &database)
        .env("TOLLGATE_KEYRING_FILE", &keyring)
        .output()
        .unwrap();
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert_eq!(token.len(), 32, "{}", String::from_utf8_lossy(&made.stderr));
    let gateway = Start::serve(folder.path(), &database).env("TOLLGATE_ADMIN_LISTEN", "0.0.0.0:0").ready();
    let url = gateway.admin("/services").replace("0.0.0.0", "127.0.0.1");
    assert_eq!(client().get(&url).send().await.unwrap().status(), 401);
    let read = client().get(&url).header("Kong-Admin-Token", &token).send().await.unwrap();
    assert_eq!(read.status(), 200);
    let write = client().post(&url).bearer_auth(&token).json(&json!({ "host": "example.com" })).send().await.unwrap();
    assert_eq!(write.status(), 403);
}
