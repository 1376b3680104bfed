//! docs/backup.md.

use std::fs;

use crate::postgres::{Database, program};
use crate::site::{SECRET, Site, sqlite};
use crate::support::Folder;

/// The first token was there before, the second was revoked before, the third came afterwards.
async fn as_it_was(site: &Site, [kept, revoked, later]: [&str; 3]) {
    assert_eq!((site.call(kept).await, site.call(revoked).await, site.call(later).await), (200, 401, 401));
    assert_eq!(site.get("/oauth2/app").await["client_secret"], SECRET);
    assert_eq!(site.call(&site.token().await).await, 200);
}

#[tokio::test]
async fn a_copy_of_sqlite_made_while_it_runs_is_whole() {
    let site = Site::open(sqlite).await;
    let (kept, revoked) = (site.token().await, site.token().await);
    site.delete(&format!("/oauth2_tokens/{revoked}")).await;
    let elsewhere = Folder::new();
    let copy = elsewhere.join("tollgate.db");
    let running = rusqlite::Connection::open(site.folder.join("tollgate.db")).unwrap();
    running.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let later = site.token().await;
    assert_eq!(site.call(&later).await, 200);
    fs::copy(site.folder.join("keyring"), elsewhere.join("keyring")).unwrap();
    drop(site);
    let url = sqlite(elsewhere.path());
    let site = Site::come_back(elsewhere, &url).await;
    as_it_was(&site, [&kept, &revoked, &later]).await;
}

#[tokio::test]
async fn a_dump_of_postgresql_comes_back_in_another_database() {
    let (first, second) = (Database::create().await, Database::create().await);
    let site = Site::open(|_| first.url.clone()).await;
    let (kept, revoked, ended) = (site.token().await, site.token().await, site.token().await);
    site.delete(&format!("/oauth2_tokens/{revoked}")).await;
    let elsewhere = Folder::new();
    let dump = elsewhere.join("tollgate.dump");
    let dumped = program("pg_dump").args(["-Fc", "-f"]).arg(&dump).arg(&first.url).status().unwrap();
    assert!(dumped.success());
    let later = site.token().await;
    site.delete(&format!("/oauth2_tokens/{ended}")).await;
    assert_eq!(site.call(&ended).await, 401);
    fs::copy(site.folder.join("keyring"), elsewhere.join("keyring")).unwrap();
    drop(site);

    let restored = program("pg_restore").args(["--no-owner", "--exit-on-error", "-d", &second.url]).arg(&dump).status();
    assert!(restored.unwrap().success());
    let site = Site::come_back(elsewhere, &second.url).await;
    as_it_was(&site, [&kept, &revoked, &later]).await;
    // What was revoked after the backup is good again, until everything issued so far is ended.
    assert_eq!(site.call(&ended).await, 200);
    let app = site.get("/oauth2/app").await["id"].as_str().unwrap().to_owned();
    site.delete(&format!("/oauth2_tokens?credential.id={app}")).await;
    assert_eq!((site.call(&ended).await, site.call(&kept).await), (401, 401));
    assert_eq!(site.call(&site.token().await).await, 200);
    drop(site);
    first.drop().await;
    second.drop().await;
}
