//! Schema versions.

use tollgate::storage::{StorageError, Store};

use crate::bench::{Folder, Place, START, open, postgres_place, run, sql};

/// A database without tables, and SQL beside the store.
struct Fresh {
    place: Place,
    store: Store,
}

impl Fresh {
    async fn at(place: Place) -> Self {
        let store = open(place.location()).await;
        Self { place, store }
    }

    async fn sql(&self, text: &str) {
        match &self.place {
            Place::Disk(folder) => rusqlite::Connection::open(folder.file()).unwrap().execute_batch(text).unwrap(),
            Place::Postgres { url, .. } => drop(sql(url, text).await),
            Place::Memory => unreachable!("nobody else can see into memory"),
        }
    }
}

macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod on_disk {
            $(#[test] fn $case() { super::run(async {
                let fresh = super::Fresh::at(super::Place::Disk(super::Folder::new())).await;
                super::$case(&fresh).await;
                fresh.store.close().await;
            }) })*
        }
        mod on_postgres {
            $(#[test] fn $case() { super::run(async {
                let fresh = super::Fresh::at(super::postgres_place().await).await;
                super::$case(&fresh).await;
                fresh.store.close().await;
                fresh.place.clear().await;
            }) })*
        }
    };
}

on_both!(
    an_empty_database_is_old_and_then_current,
    a_changed_migration_is_refused,
    a_newer_database_is_refused,
    a_newer_database_that_older_programs_may_use_is_used,
    several_runs_at_once_are_one,
    a_failing_migration_leaves_nothing_behind,
);

async fn an_empty_database_is_old_and_then_current(fresh: &Fresh) {
    let store = &fresh.store;
    let known = store.migrate_status().await.unwrap();
    assert!(!known.is_empty() && known.iter().all(|migration| migration.applied_at.is_none()));
    let newest = known.last().unwrap().version;
    assert_eq!(store.check_schema().await, Err(StorageError::OldSchema { found: 0, known: newest }));
    let done = store.migrate_up().await.unwrap();
    assert!(done.iter().all(|migration| migration.applied_at == Some(START)));
    assert_eq!(store.check_schema().await, Ok(None));
    assert_eq!(store.migrate_up().await, Ok(done));
}

async fn a_changed_migration_is_refused(fresh: &Fresh) {
    fresh.store.migrate_up().await.unwrap();
    fresh.sql("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1").await;
    let changed = StorageError::MigrationChanged { version: 1 };
    assert_eq!(fresh.store.check_schema().await, Err(changed.clone()));
    assert_eq!(fresh.store.migrate_up().await, Err(changed));
}

async fn a_newer_database_is_refused(fresh: &Fresh) {
    let known = fresh.store.migrate_up().await.unwrap().last().unwrap().version;
    fresh.sql("INSERT INTO schema_migrations VALUES (999, 'later', 'x', 0)").await;
    let newer = StorageError::NewerSchema { found: 999, known };
    assert_eq!(fresh.store.check_schema().await, Err(newer.clone()));
    assert_eq!(fresh.store.migrate_up().await, Err(newer.clone()));
    assert!(newer.to_string().contains("run a newer tollgate"));
}

/// While nodes are replaced, one that is still of the old version may start again.
async fn a_newer_database_that_older_programs_may_use_is_used(fresh: &Fresh) {
    let done = fresh.store.migrate_up().await.unwrap();
    let known = done.last().unwrap().version;
    for later in [998, 999] {
        fresh.sql(&format!("INSERT INTO schema_migrations VALUES ({later}, 'later', 'x', 0)")).await;
        fresh.sql(&format!("INSERT INTO schema_readers VALUES ({later}, {known})")).await;
    }
    assert_eq!(fresh.store.check_schema().await, Ok(Some(999)));
    assert_eq!(fresh.store.migrate_up().await, Ok(done), "nothing to do");
    fresh.sql(&format!("UPDATE schema_readers SET oldest = {} WHERE version = 998", known + 1)).await;
    assert_eq!(fresh.store.check_schema().await, Err(StorageError::NewerSchema { found: 998, known }));
    fresh.sql("DELETE FROM schema_readers WHERE version = 998").await;
    assert_eq!(fresh.store.migrate_up().await, Err(StorageError::NewerSchema { found: 998, known }));
}

async fn several_runs_at_once_are_one(fresh: &Fresh) {
    let others = [open(fresh.place.location()).await, open(fresh.place.location()).await];
    let runs = [&fresh.store, &others[0], &others[1]].map(Store::migrate_up);
    for outcome in futures_util::future::join_all(runs).await {
        assert!(outcome.unwrap().iter().all(|migration| migration.applied_at.is_some()));
    }
    for store in others {
        store.close().await;
    }
}

async fn a_failing_migration_leaves_nothing_behind(fresh: &Fresh) {
    fresh.sql("CREATE TABLE oauth2_tokens (id INTEGER)").await;
    assert!(fresh.store.migrate_up().await.is_err());
    assert!(fresh.store.migrate_status().await.unwrap().iter().all(|migration| migration.applied_at.is_none()));
    fresh.sql("DROP TABLE oauth2_tokens").await;
    fresh.store.migrate_up().await.unwrap();
    fresh.store.check_schema().await.unwrap();
}
