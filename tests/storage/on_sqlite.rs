//! What only a file can suffer.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tollgate::domain::Clock;
use tollgate::schema::{Schema, entities};
use tollgate::storage::{Location, Lookup, Role, SqliteOptions, StorageError, Store};

use crate::bench::{Folder, START, disk, keyring, open, run};
use crate::fixtures::entity;

const HOLDER: &str = "TOLLGATE_TEST_HOLDS";

async fn try_open(path: &Path, role: Role) -> Result<Store, StorageError> {
    Store::open(disk(path, role), keyring(), Clock::fixed(START)).await
}

fn consumers() -> Schema {
    entities::all().into_iter().find(|schema| schema.name == "consumers").unwrap()
}

#[test]
fn what_is_stored_outlives_the_store() {
    run(async {
        let folder = Folder::new();
        let schema = consumers();
        let bob = entity(&schema, json!({ "username": "bob" }));
        for round in 0..3 {
            let store = try_open(&folder.file(), Role::Gateway).await.unwrap();
            if round == 0 {
                store.migrate_up().await.unwrap();
                store.insert(&schema, &bob).await.unwrap();
            }
            let found = store.find(&schema, &Lookup::Field("username", "bob".into())).await;
            assert_eq!(found, Ok(Some(bob.clone())));
            store.close().await;
            assert!(matches!(store.ping().await, Err(StorageError::Unavailable(_))));
        }
    });
}

#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    run(async {
        let folder = Folder::new();
        let store = try_open(&folder.file(), Role::Gateway).await.unwrap();
        store.migrate_up().await.unwrap();
        for entry in std::fs::read_dir(&folder.0).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{entry:?}");
        }
        store.close().await;
    });
}

#[test]
fn a_second_gateway_is_refused_and_a_tool_is_not() {
    run(async {
        let folder = Folder::new();
        let first = try_open(&folder.file(), Role::Gateway).await.unwrap();
        let refused = try_open(&folder.file(), Role::Gateway).await.unwrap_err().to_string();
        assert!(refused.contains("another tollgate is running on"), "{refused}");
        let tool = try_open(&folder.file(), Role::Tool).await.unwrap();
        tool.migrate_up().await.unwrap();
        first.check_schema().await.unwrap();
        tool.close().await;
        first.close().await;
        try_open(&folder.file(), Role::Gateway).await.unwrap().close().await;
    });
}

/// Run as a process of its own by the test below; by itself it has nothing to do.
#[test]
fn a_child_holds_the_file() {
    let Ok(path) = std::env::var(HOLDER) else { return };
    run(async {
        let _store = try_open(Path::new(&path), Role::Gateway).await.unwrap();
        std::fs::write(format!("{path}.held"), "").unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
}

fn holder(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["on_sqlite::a_child_holds_the_file", "--exact"]).env(HOLDER, path);
    let child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !Path::new(&format!("{}.held", path.display())).exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the child does not open the store");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn a_killed_gateway_lets_go_of_the_file() {
    run(async {
        let folder = Folder::new();
        let mut child = holder(&folder.file());
        let refused = try_open(&folder.file(), Role::Gateway).await;
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
        try_open(&folder.file(), Role::Gateway).await.unwrap().close().await;
    });
}

#[test]
fn a_file_that_is_not_a_database_is_refused() {
    run(async {
        let folder = Folder::new();
        std::fs::write(folder.file(), "this is a text and long enough to have a header in it".repeat(100)).unwrap();
        let refused = try_open(&folder.file(), Role::Gateway).await.unwrap_err();
        let wanted = format!("database is damaged: {}: the file is not a SQLite database", folder.file().display());
        assert_eq!(refused.to_string(), wanted);
    });
}

#[test]
fn a_damaged_file_is_refused() {
    run(async {
        for (name, from, to) in [("middle", 0.3, 0.9), ("cut short", 0.4, 2.0)] {
            let folder = Folder::new();
            let store = try_open(&folder.file(), Role::Gateway).await.unwrap();
            store.migrate_up().await.unwrap();
            store.close().await;
            let mut bytes = std::fs::read(folder.file()).unwrap();
            let place = |part: f64| (bytes.len() as f64 * part) as usize;
            let (from, to) = (place(from), place(to));
            if to > bytes.len() {
                bytes.truncate(from);
            } else {
                bytes[from..to].fill(0x5a);
            }
            std::fs::write(folder.file(), bytes).unwrap();
            let refused = try_open(&folder.file(), Role::Gateway).await;
            assert!(matches!(refused, Err(StorageError::Corrupt(_))), "{name}: {refused:?}");
        }
    });
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    run(async {
        let folder = Folder::new();
        let refused = try_open(&folder.0.join("no/gate.db"), Role::Tool).await.unwrap_err().to_string();
        assert!(refused.contains("no/gate.db cannot be opened"), "{refused}");
    });
}

#[test]
fn a_full_store_writes_nothing_by_halves_and_recovers() {
    run(async {
        let folder = Folder::new();
        let bounded = |pages| SqliteOptions { path: Some(folder.file()), role: Role::Gateway, max_pages: Some(pages) };
        let at = |pages| Store::open(Location::Sqlite(bounded(pages)), keyring(), Clock::fixed(START));
        let schema = consumers();
        let store = at(240).await.unwrap();
        store.migrate_up().await.unwrap();
        let mut stored = 0;
        let refusal = loop {
            let name = format!("{stored} {}", "x".repeat(3000));
            match store.insert(&schema, &entity(&schema, json!({ "username": name }))).await {
                Ok(()) => stored += 1,
                Err(error) => break error,
            }
            assert!(stored < 1000);
        };
        assert_eq!(refusal, StorageError::Full);
        assert!(refusal.is_transient());
        assert_eq!(store.count(&schema, &Default::default(), 10_000).await, Ok(stored));
        store.close().await;
        let store = at(10_000).await.unwrap();
        let late = entity(&schema, json!({ "username": format!("late {}", "x".repeat(3000)) }));
        store.insert(&schema, &late).await.unwrap();
        assert_eq!(store.count(&schema, &Default::default(), 10_000).await, Ok(stored + 1));
        store.close().await;
    });
}

#[test]
fn readers_see_what_was_answered_as_written() {
    run(async {
        let folder = Folder::new();
        let store = Arc::new(open(disk(&folder.file(), Role::Gateway)).await);
        store.migrate_up().await.unwrap();
        let schema = consumers();
        for number in 0..50 {
            let name = format!("c{number}");
            store.insert(&schema, &entity(&schema, json!({ "username": name.clone() }))).await.unwrap();
            assert!(store.find_consumer(&name).await.unwrap().is_some(), "{name}");
        }
        store.close().await;
    });
}
