//! Things that break: power, disks, databases, keys. What was answered holds; what fails is told in one line.

mod support;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Folder, Gateway, Start, client, tollgate};

const ISSUANCES: usize = 1000;

async fn ask_token(gateway_token_url: &str, id: &str, secret: &str) -> Option<String> {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let answer = client().post(gateway_token_url).form(&form).send().await.ok()?;
    let body: Value = answer.json().await.ok()?;
    Some(body["access_token"].as_str()?.to_owned())
}

async fn demo_application(gateway: &Gateway) -> (String, String) {
    let page: Value = client().get(gateway.admin("/oauth2")).send().await.unwrap().json().await.unwrap();
    let text = |field: &str| page["data"][0][field].as_str().unwrap().to_owned();
    (text("client_id"), text("client_secret"))
}

async fn call(gateway: &Gateway, token: &str) -> u16 {
    client().get(gateway.url("proxy", "/demo")).bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answered_token_works_after_kill_9_during_1000_issuances() {
    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).ready();
    let (id, secret) = demo_application(&gateway).await;
    let url = gateway.url("proxy_tls", "/demo/oauth2/token");
    let (asked, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let crowd: Vec<_> = (0..40)
        .map(|_| {
            let (asked, answered) = (Arc::clone(&asked), Arc::clone(&answered));
            let (url, id, secret) = (url.clone(), id.clone(), secret.clone());
            tokio::spawn(async move {
                while asked.fetch_add(1, Ordering::Relaxed) < ISSUANCES {
                    let Some(token) = ask_token(&url, &id, &secret).await else { break };
                    answered.lock().unwrap().push(token);
                }
            })
        })
        .collect();
    while answered.lock().unwrap().len() < ISSUANCES / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    gateway.kill();
    for one in crowd {
        one.await.unwrap();
    }
    let answered = answered.lock().unwrap().clone();
    assert!(answered.len() < ISSUANCES, "the kill came too late to prove anything");
    let gateway = Start::dev(folder.path()).ready();
    for token in &answered {
        assert_eq!(call(&gateway, token).await, 200, "a token that was answered is lost");
    }
}

/// Starts the gateway and expects it to refuse with one line.
fn refused(data: &Path) -> (i32, String) {
    let mut command = tollgate();
    for listener in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN", "PORTAL_LISTEN"] {
        command.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
    }
    command.env("TOLLGATE_LOG_FILE", data.join("refused.log"));
    let output = command.arg("dev").arg("--data-dir").arg(data).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "not one line: {text}");
    (output.status.code().unwrap(), text)
}

#[test]
fn a_corrupted_database_is_told_and_left_alone() {
    let folder = Folder::new();
    Start::dev(folder.path()).ready().stop();
    let data = folder.join("data");
    let path = data.join("tollgate.db");
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&[0x5a; 8192]).unwrap();
    drop(file);
    let before = fs::read(&path).unwrap();
    let (code, text) = refused(&data);
    assert_eq!(code, 1);
    assert!(text.contains("database"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_database_is_told_and_left_alone() {
    let folder = Folder::new();
    Start::dev(folder.path()).ready().stop();
    let data = folder.join("data");
    let database = rusqlite::Connection::open(data.join("tollgate.db")).unwrap();
    let columns: String = database
        .query_row("SELECT group_concat(name) FROM pragma_table_info('schema_migrations')", [], |row| row.get(0))
        .unwrap();
    let rest = columns.replace("version", "9999");
    database
        .execute_batch(&format!(
            "INSERT INTO schema_migrations ({columns}) SELECT {rest} FROM schema_migrations LIMIT 1"
        ))
        .unwrap();
    drop(database);
    let (code, text) = refused(&data);
    assert_eq!(code, 1);
    assert!(text.contains("newer"), "{text}");
}

#[tokio::test]
async fn a_missing_sealing_key_is_told_and_calls_go_on() {
    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).ready();
    let (id, secret) = demo_application(&gateway).await;
    let token = ask_token(&gateway.url("proxy_tls", "/demo/oauth2/token"), &id, &secret).await.unwrap();
    gateway.stop();
    // The lookup key stays, the sealing key is another: sealed values do not open any more.
    let path = folder.join("data/keyring");
    let other = Folder::new().join("keyring");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    assert!(tollgate().args(["keyring", "init"]).arg(&other).output().unwrap().status.success());
    let (kept, foreign) = (fs::read_to_string(&path).unwrap(), fs::read_to_string(&other).unwrap());
    let _ = fs::remove_dir_all(other.parent().unwrap());
    let lookup = kept.lines().find(|line| line.starts_with("lookup:")).unwrap();
    let sealing = foreign.lines().find(|line| line.starts_with("1:")).unwrap().replacen("1:", "7:", 1);
    fs::write(&path, format!("{lookup}\n{sealing}\n")).unwrap();
    let (code, text) = refused(&folder.join("data"));
    assert_eq!(code, 1);
    assert!(text.contains("keyring has no key 1"), "{text}");
    fs::write(&path, kept).unwrap();
    let gateway = Start::dev(folder.path()).ready();
    assert_eq!(call(&gateway, &token).await, 200);
}

/// A disk of 8 MiB that only this gateway sees.
fn on_a_small_disk(folder: &Folder) -> Gateway {
    let disk = folder.join("disk");
    fs::create_dir_all(&disk).unwrap();
    Start::dev_on_tmpfs(folder.path(), &disk, "8m").ready()
}

#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_serving_and_recovers() {
    let folder = Folder::new();
    let gateway = on_a_small_disk(&folder);
    let (id, secret) = demo_application(&gateway).await;
    let token_url = gateway.url("proxy_tls", "/demo/oauth2/token");
    let token = ask_token(&token_url, &id, &secret).await.unwrap();
    // The mount is the gateway's own; it is reached through its root.
    let disk = format!("/proc/{}/root{}", gateway.pid(), folder.join("disk").display());
    let filler = format!("{disk}/filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let mut refused = None;
    for number in 0..2000 {
        let body = json!({ "username": format!("user-{number}"), "tags": ["x".repeat(2000)] });
        let answer = client().post(gateway.admin("/consumers")).json(&body).send().await.unwrap();
        if answer.status() != 201 {
            refused = Some((number, answer.status().as_u16(), answer.text().await.unwrap()));
            break;
        }
    }
    let (number, status, text) = refused.expect("the disk is full, so some write is refused");
    assert_eq!(status, 503, "{text}");
    let missing = client().get(gateway.admin(&format!("/consumers/user-{number}"))).send().await.unwrap();
    assert_eq!(missing.status(), 404, "what was refused is not there");
    assert_eq!(call(&gateway, &token).await, 200, "known tokens keep working");
    fs::remove_file(&filler).unwrap();
    let body = json!({ "username": format!("user-{number}") });
    let again = client().post(gateway.admin("/consumers")).json(&body).send().await.unwrap();
    assert_eq!(again.status(), 201, "{}", again.text().await.unwrap());
    assert!(ask_token(&token_url, &id, &secret).await.is_some());
}
