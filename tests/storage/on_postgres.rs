//! What only a server can do to us.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;
use tokio_postgres::NoTls;
use tollgate::domain::Clock;
use tollgate::storage::{Location, Lookup, PoolState, PostgresOptions, StorageError, Store};

use crate::bench::{Bench, Place, START, keyring, postgres_place, postgres_url, run, sql};
use crate::fixtures::entity;

fn impatient(url: &str) -> PostgresOptions {
    PostgresOptions {
        pool: 2,
        connect_timeout: Duration::from_millis(500),
        statement_timeout: Duration::from_millis(700),
        ..PostgresOptions::new(url)
    }
}

async fn store(options: PostgresOptions) -> Store {
    Store::open(Location::Postgres(options), keyring(), Clock::fixed(START)).await.unwrap()
}

/// The reason of an error that must be "unavailable" and must come soon.
async fn refusal(store: &Store) -> String {
    let begun = Instant::now();
    let outcome = store.ping().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "took {:?}", begun.elapsed());
    match outcome {
        Err(StorageError::Unavailable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let reason = refusal(&store(impatient(&format!("postgres://u:hunter2@127.0.0.1:{port}/d"))).await).await;
        assert!(reason.contains("cannot be reached"), "{reason}");
        assert!(!reason.contains("hunter2"), "{reason}");
    });
}

#[test]
fn the_pool_tells_how_busy_it_is() {
    run(async {
        let store = store(impatient(&postgres_url())).await;
        let state = |idle| PoolState { name: "postgres", most: 2, idle, in_use: 0, waiting: 0 };
        assert_eq!(store.pools(), [state(0)]);
        store.ping().await.unwrap();
        assert_eq!(store.pools(), [state(1)]);
        let (first, second, third) = tokio::join!(store.ping(), store.ping(), store.ping());
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        assert_eq!(store.pools(), [state(2)], "three questions, two connections");
    });
}

#[test]
fn a_server_that_says_nothing_is_unavailable() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let reason = refusal(&store(impatient(&format!("postgres://u@127.0.0.1:{port}/d"))).await).await;
        assert!(reason.contains("does not answer"), "{reason}");
    });
}

#[test]
fn a_database_that_does_not_exist_is_unavailable() {
    run(async {
        let (base, _) = postgres_url().rsplit_once('/').map(|(base, name)| (base.to_owned(), name.to_owned())).unwrap();
        let reason = refusal(&store(impatient(&format!("{base}/no_such_database"))).await).await;
        assert!(reason.contains("does not exist"), "{reason}");
    });
}

#[test]
fn a_read_survives_connections_that_died() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        bench.consumer("bob").await;
        let Place::Postgres { url, schema, .. } = bench.place() else { unreachable!() };
        let named = format!("{url}&application_name={schema}");
        let store = store(PostgresOptions { pool: 1, ..PostgresOptions::new(&named) }).await;
        for _ in 0..5 {
            assert!(store.find_consumer("bob").await.unwrap().is_some());
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ";
            assert_eq!(sql(&postgres_url(), &format!("{kill}'{schema}'")).await.len(), 1);
        }
        store.close().await;
        bench.finish().await;
    });
}

#[test]
fn a_write_behind_a_lock_gives_up_and_the_connection_lives_on() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let Place::Postgres { url, .. } = bench.place() else { unreachable!() };
        let store = store(impatient(url)).await;
        let (mut blocker, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let transaction = blocker.transaction().await.unwrap();
        transaction.batch_execute("LOCK TABLE consumers").await.unwrap();
        let schema = bench.schema("consumers");
        let begun = Instant::now();
        let outcome = store.insert(schema, &entity(schema, json!({ "username": "bob" }))).await;
        assert_eq!(outcome, Err(StorageError::Unavailable("a statement took too long".into())));
        assert!(begun.elapsed() < Duration::from_secs(3));
        transaction.rollback().await.unwrap();
        assert_eq!(store.find(schema, &Lookup::Field("username", "bob".into())).await, Ok(None));
        store.insert(schema, &entity(schema, json!({ "username": "bob" }))).await.unwrap();
        store.close().await;
        bench.finish().await;
    });
}

#[test]
fn a_pool_that_is_used_up_is_unavailable_and_comes_back() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let Place::Postgres { url, .. } = bench.place() else { unreachable!() };
        let long = PostgresOptions { statement_timeout: Duration::from_secs(20), ..impatient(url) };
        let store = store(long).await;
        let (mut blocker, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let transaction = blocker.transaction().await.unwrap();
        transaction.batch_execute("LOCK TABLE consumers").await.unwrap();
        let blocked = [0, 1].map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.find_consumer("bob").await })
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(refusal(&store).await, "every database connection is busy");
        transaction.rollback().await.unwrap();
        for task in blocked {
            assert_eq!(task.await.unwrap(), Ok(None));
        }
        store.ping().await.unwrap();
        store.close().await;
        bench.finish().await;
    });
}

#[test]
fn a_text_longer_than_an_index_takes_cannot_be_stored() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let schema = bench.schema("consumers");
        // No repetitions: the server would compress them. Beyond 8 kB it does not say which index it was.
        for (words, field) in [(125, "username"), (400, "")] {
            let long: String = (0..words).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect();
            let refused = bench.store.insert(schema, &entity(schema, json!({ "username": long }))).await;
            assert_eq!(refused, Err(StorageError::Unstorable { field: field.into() }));
        }
        assert!(bench.store.ping().await.is_ok());
        bench.finish().await;
    });
}
