//! docs/key-rotation.md.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::postgres::Database;
use crate::site::{SECRET, Site};
use crate::support::tollgate;

#[tokio::test]
async fn keys_are_rotated_while_gateways_serve_and_the_old_one_can_go() {
    let database = Database::create().await;
    let site = Site::open(|_| database.url.clone()).await;
    let other = site.beside(&database.url);
    let before = site.token().await;
    let (site, other) = (Arc::new(site), Arc::new(other));
    let (ended, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let callers = [(&site, &other), (&other, &site)].map(|(issuer, server)| {
        let (issuer, server) = (Arc::clone(issuer), Arc::clone(server));
        let (ended, calls) = (Arc::clone(&ended), Arc::clone(&calls));
        tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                let token = issuer.token().await;
                assert_eq!(server.call(&token).await, 200);
                calls.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let keyring = site.folder.join("keyring");
    let (url, file) = (database.url.clone(), keyring.clone());
    let rotate = move || {
        let mut command = tollgate();
        command.args(["keyring", "rotate"]).env("TOLLGATE_DATABASE_URL", &url).env("TOLLGATE_KEYRING_FILE", &file);
        command.output().unwrap()
    };
    let rotated = tokio::task::spawn_blocking(rotate).await.unwrap();
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let told = String::from_utf8(rotated.stdout).unwrap();
    assert!(told.contains("sealed anew with key 2") && !told.starts_with("0 "), "{told}");
    ended.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(calls.load(Ordering::Relaxed) > 20, "they did serve meanwhile");
    drop(other);
    let Some(Site { mut gateway, folder }) = Arc::into_inner(site) else { panic!("the callers have ended") };
    assert_eq!(gateway.stop(), Some(0));

    // Nothing is sealed with the old key any more: without it everything can still be read.
    let text = fs::read_to_string(&keyring).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("1:")).collect();
    assert!(kept.len() < text.lines().count(), "the first key is taken out");
    fs::write(&keyring, kept.join("\n")).unwrap();
    let site = Site::come_back(folder, &database.url).await;
    assert_eq!(site.get("/oauth2/app").await["client_secret"], SECRET);
    assert_eq!(site.call(&before).await, 200);
    let shown = site.get(&format!("/oauth2_tokens/{before}")).await;
    assert_eq!(shown["access_token"], before.as_str(), "{shown}");
    assert_eq!(site.call(&site.token().await).await, 200);
    drop(site);
    database.drop().await;
}
