//! docs/key-rotation.md.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::postgres::Database;
use crate::site::{SECRET, Site};
use crate::support::{Folder, tollgate};

/// `tollgate keyring rotate` with these flags.
fn rotation(flags: &[&str], database: &str, keyring: &Path) -> Command {
    let mut command = tollgate();
    command.args(["keyring", "rotate"]).args(flags).env("TOLLGATE_DATABASE_URL", database);
    command.env("TOLLGATE_KEYRING_FILE", keyring);
    command
}

async fn rotated(flags: &'static [&'static str], database: &Database, folder: &Folder) -> String {
    let mut command = rotation(flags, &database.url, &folder.join("keyring"));
    let Output { status, stdout, stderr } = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Clients that get tokens from each gateway and call by the other, until they are told to end.
struct Load {
    ended: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    fn on(one: &Arc<Site>, other: &Arc<Site>) -> Self {
        let (ended, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let callers = [(one, other), (other, one)].map(|(issuer, server)| {
            let (issuer, server) = (Arc::clone(issuer), Arc::clone(server));
            let (ended, calls) = (Arc::clone(&ended), Arc::clone(&calls));
            tokio::spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    let token = issuer.token().await;
                    assert_eq!(server.call(&token).await, 200);
                    // Shown as it is: both can open what the other has sealed.
                    assert_eq!(server.get(&format!("/oauth2_tokens/{token}")).await["access_token"], token.as_str());
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        Self { ended, calls, callers: callers.into() }
    }

    /// Panics where a call has failed.
    async fn end(self) {
        self.ended.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.unwrap();
        }
        assert!(self.calls.load(Ordering::Relaxed) > 20, "they did serve meanwhile");
    }
}

/// Takes the first key out of the keyring: everything must be readable without it.
async fn does_without_the_first_key(site: Site, database: &Database, token: &str) {
    let Site { mut gateway, folder } = site;
    assert_eq!(gateway.stop(), Some(0));
    let keyring = folder.join("keyring");
    let text = fs::read_to_string(&keyring).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("1:")).collect();
    assert!(kept.len() < text.lines().count(), "the first key is taken out");
    fs::write(&keyring, kept.join("\n")).unwrap();
    let site = Site::come_back(folder, &database.url).await;
    assert_eq!(site.get("/oauth2/app").await["client_secret"], SECRET);
    assert_eq!(site.call(token).await, 200);
    assert_eq!(site.get(&format!("/oauth2_tokens/{token}")).await["access_token"], token);
    let every = site.get("/oauth2_tokens?size=1000").await;
    let every = every["data"].as_array().unwrap();
    assert!(every.len() > 20 && every.iter().all(|token| token["access_token"].is_string()), "{}", every.len());
    assert_eq!(site.call(&site.token().await).await, 200);
}

#[tokio::test]
async fn keys_are_rotated_while_gateways_serve_and_the_old_one_can_go() {
    let database = Database::create().await;
    let site = Site::open(|_| database.url.clone()).await;
    let other = site.beside(&database.url);
    let before = site.token().await;
    let (site, other) = (Arc::new(site), Arc::new(other));
    let load = Load::on(&site, &other);
    let told = rotated(&[], &database, &site.folder).await;
    assert!(told.contains("sealed anew with key 2") && !told.starts_with("0 "), "{told}");
    load.end().await;
    drop(other);
    does_without_the_first_key(Arc::into_inner(site).unwrap(), &database, &before).await;
    database.drop().await;
}

/// Gateways with copies of their own, as on several machines.
#[tokio::test]
async fn a_key_reaches_every_copy_before_it_seals() {
    let database = Database::create().await;
    let site = Site::open(|_| database.url.clone()).await;
    let other = site.with_a_copy(&database.url);
    let before = site.token().await;
    let (site, other) = (Arc::new(site), Arc::new(other));
    let load = Load::on(&site, &other);
    let copy = || fs::copy(site.folder.join("keyring"), other.folder.join("keyring")).unwrap();
    let told = rotated(&["--add-only"], &database, &site.folder).await;
    assert!(told.contains("key 1 seals until"), "{told}");
    copy();
    // Gateways look at their files every second.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let told = rotated(&["--reseal-only"], &database, &site.folder).await;
    assert!(told.contains("sealed anew with key 2") && !told.starts_with("0 "), "{told}");
    copy();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    // What the other one has sealed with the old key meanwhile.
    rotated(&["--reseal-only"], &database, &site.folder).await;
    load.end().await;
    drop(other);
    does_without_the_first_key(Arc::into_inner(site).unwrap(), &database, &before).await;
    database.drop().await;
}

#[tokio::test]
async fn a_rotation_that_was_interrupted_goes_on() {
    let database = Database::create().await;
    let site = Site::open(|_| database.url.clone()).await;
    let before = site.token().await;
    for _ in 0..25 {
        site.token().await;
    }
    let mut interrupted = rotation(&[], &database.url, &site.folder.join("keyring")).spawn().unwrap();
    let keyring = site.folder.join("keyring");
    while !fs::read_to_string(&keyring).unwrap().contains("\n2:") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // It pauses now, so that gateways can read the key.
    interrupted.kill().unwrap();
    interrupted.wait().unwrap();
    let told = rotated(&["--reseal-only"], &database, &site.folder).await;
    assert!(told.contains("sealed anew with key 2") && !told.starts_with("0 "), "{told}");
    assert!(rotated(&["--reseal-only"], &database, &site.folder).await.starts_with("0 values"), "nothing is left");
    does_without_the_first_key(site, &database, &before).await;
    database.drop().await;
}
