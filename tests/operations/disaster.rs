//! docs/disaster-recovery.md. The loss of a node, of Redis, of a primary, and their return are in `tests/cluster` and
//! `tests/storage`.

use std::fs;
use std::time::Instant;

use crate::postgres::{Database, program};
use crate::site::{Site, sqlite};
use crate::support::{Folder, client, tollgate};

/// The drill of the page: everything is gone but the dump and the keyring.
#[tokio::test]
async fn a_site_comes_back_from_its_dump_and_its_keyring() {
    let (lost, new) = (Database::create().await, Database::create().await);
    let kept = Folder::new();
    let (token, dump) = {
        let site = Site::open(|_| lost.url.clone()).await;
        let dump = kept.join("tollgate.dump");
        let token = site.token().await;
        assert!(program("pg_dump").args(["-Fc", "-f"]).arg(&dump).arg(&lost.url).status().unwrap().success());
        fs::copy(site.folder.join("keyring"), kept.join("keyring")).unwrap();
        (token, dump)
    };
    lost.drop().await;
    let begun = Instant::now();
    let mut restore = program("pg_restore");
    assert!(restore.args(["--no-owner", "--exit-on-error", "-d", &new.url]).arg(&dump).status().unwrap().success());
    let site = Site::come_back(kept, &new.url).await;
    assert_eq!(site.call(&token).await, 200);
    println!("from the dump to the first call: {:.1} s", begun.elapsed().as_secs_f64());
    drop(site);
    new.drop().await;
}

#[tokio::test]
async fn who_has_lost_every_admin_token_makes_one_on_the_machine() {
    let site = Site::open(sqlite).await;
    let mut command = tollgate();
    command.args(["admin-token", "create", "rescue"]).env("TOLLGATE_DATABASE_URL", sqlite(site.folder.path()));
    let made = command.env("TOLLGATE_KEYRING_FILE", site.folder.join("keyring")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let token = String::from_utf8(made.stdout).unwrap();
    let asked = client().get(site.gateway.admin("/services")).header("Kong-Admin-Token", token.trim());
    assert_eq!(asked.send().await.unwrap().status(), 200);
}

/// With another keyring the database is of no use for tokens, and that is told at the start.
#[tokio::test]
async fn a_database_is_not_served_with_another_keyring() {
    let site = Site::open(sqlite).await;
    let database = sqlite(site.folder.path());
    site.token().await;
    let Site { mut gateway, folder } = site;
    assert_eq!(gateway.stop(), Some(0));
    fs::remove_file(folder.join("keyring")).unwrap();
    assert!(tollgate().args(["keyring", "init"]).arg(folder.join("keyring")).output().unwrap().status.success());
    let mut command = tollgate();
    command.arg("serve").env("TOLLGATE_DATABASE_URL", &database).env("TOLLGATE_PROXY_LISTEN", "127.0.0.1:0");
    command.env("TOLLGATE_KEYRING_FILE", folder.join("keyring")).env("TOLLGATE_STATUS_LISTEN", "127.0.0.1:0");
    command.env("TOLLGATE_ADMIN_LISTEN", "127.0.0.1:0").env("TOLLGATE_PROXY_LISTEN_TLS", "");
    let refused = command.output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("does not open with key 1: wrong key"), "{told}");
}
