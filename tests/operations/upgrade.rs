//! docs/upgrade.md.

use crate::postgres::Database;
use crate::site::Site;
use crate::support::{Folder, tollgate};

/// What a newer program's migration does that only adds: a column, a table, and the word that older programs may stay.
const LATER: &str = "ALTER TABLE oauth2_tokens ADD COLUMN later TEXT;
    CREATE TABLE laters (id BIGINT PRIMARY KEY);
    INSERT INTO schema_migrations VALUES (999, '0999_later', 'x', 0)";
const READERS: &str = "INSERT INTO schema_readers SELECT 999, max(version) FROM schema_migrations WHERE version < 999";

#[tokio::test]
async fn an_old_gateway_goes_on_under_a_newer_schema_and_starts_again() {
    let database = Database::create().await;
    let mut site = Site::open(|_| database.url.clone()).await;
    let before = site.token().await;
    database.sql(LATER).await;
    database.sql(READERS).await;
    let during = site.token().await;
    assert_eq!((site.call(&before).await, site.call(&during).await), (200, 200));
    site.delete(&format!("/oauth2_tokens/{before}")).await;
    assert_eq!(site.gateway.stop(), Some(0));
    let Site { folder, .. } = site;
    // As a pod that is moved in the middle of an upgrade, or after a roll-back.
    let site = Site::come_back(folder, &database.url).await;
    assert!(site.gateway.log_text().contains("the database is a newer program's"), "{}", site.gateway.log_text());
    assert_eq!((site.call(&before).await, site.call(&during).await), (401, 200));
    assert_eq!(site.call(&site.token().await).await, 200);
    drop(site);
    database.drop().await;
}

#[tokio::test]
async fn a_newer_schema_that_takes_something_away_keeps_old_programs_out() {
    let database = Database::create().await;
    let folder = Folder::new();
    let keyring = folder.join("keyring");
    assert!(tollgate().args(["keyring", "init"]).arg(&keyring).output().unwrap().status.success());
    let run = |arguments: &[&str]| {
        let mut command = tollgate();
        command.args(arguments).env("TOLLGATE_DATABASE_URL", &database.url).env("TOLLGATE_KEYRING_FILE", &keyring);
        command.output().unwrap()
    };
    assert!(run(&["migrate", "up"]).status.success());
    database.sql(LATER).await;
    for command in [&["serve"][..], &["migrate", "up"], &["migrate", "status"]] {
        let refused = run(command);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {told}");
        assert!(told.lines().last().unwrap().contains("schema version 999"), "{command:?}: {told}");
    }
    database.sql(READERS).await;
    let done = run(&["migrate", "up"]);
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "nothing to do: the database is up to date\n");
    database.drop().await;
}

#[tokio::test]
async fn a_schema_that_is_old_is_told_before_anything_is_served() {
    let database = Database::create().await;
    let folder = Folder::new();
    let keyring = folder.join("keyring");
    assert!(tollgate().args(["keyring", "init"]).arg(&keyring).output().unwrap().status.success());
    let mut command = tollgate();
    command.arg("serve").env("TOLLGATE_DATABASE_URL", &database.url).env("TOLLGATE_KEYRING_FILE", &keyring);
    let refused = command.env("TOLLGATE_PROXY_LISTEN", "127.0.0.1:0").output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && told.contains("run `tollgate migrate up`"), "{told}");
    database.drop().await;
}
