//! A pooler between the store and PostgreSQL. That every case of the suite passes through it is told beside the cases.

use std::time::Duration;

use serde_json::json;
use tollgate::schema::{Schema, entities};
use tollgate::storage::{Location, PostgresOptions, StorageError, Store};

use crate::bench::{self, run};
use crate::fixtures::entity;
use crate::servers::{PgBouncer, Pooling, Server, USER, eventually, impatient};

const OURS: &str = "pgbouncer=true";

fn consumers() -> Schema {
    entities::all().into_iter().find(|schema| schema.name == "consumers").unwrap()
}

async fn insert(store: &Store, username: &str) -> Result<(), StorageError> {
    let schema = consumers();
    store.insert(&schema, &entity(&schema, json!({ "username": username }))).await
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, StorageError>) -> String {
    match outcome {
        Err(StorageError::Unavailable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_left_behind_in_a_shared_session() {
    run(async {
        let server = Server::start().await;
        // Where a session is one client's until it goes, no more than two have one.
        for (pooling, crowd) in [(Pooling::Transaction, 4), (Pooling::Session, 2)] {
            let pgbouncer = PgBouncer::before(server.port, pooling, "").await;
            let store = impatient(&pgbouncer.url("postgres", OURS)).await;
            store.migrate_up().await.unwrap();
            insert(&store, &format!("{pooling:?}")).await.unwrap();
            for _ in 0..10 {
                let reads = (0..crowd).map(|_| store.find_consumer("bob"));
                assert!(futures_util::future::join_all(reads).await.iter().all(|found| *found == Ok(None)));
            }
            store.close().await;
            // The next one that gets the sessions.
            let url = pgbouncer.url("postgres", "");
            let left = "SELECT (SELECT count(*) FROM pg_prepared_statements) +
                (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), current_setting('statement_timeout')";
            assert_eq!(bench::sql(&url, left).await, [["0", "0"]]);
        }
    });
}

#[test]
fn a_pooler_that_the_url_does_not_tell_of_is_found_out() {
    run(async {
        let server = Server::start().await;
        let cases = [
            (Pooling::Transaction, "", "a pooler refuses our settings"),
            (Pooling::Transaction, "ignore_startup_parameters = options", "a pooler stands before it"),
            (Pooling::Session, "ignore_startup_parameters = options", "a pooler stands before it"),
        ];
        for (pooling, settings, expected) in cases {
            let pgbouncer = PgBouncer::before(server.port, pooling, settings).await;
            let store = impatient(&pgbouncer.url("postgres", "")).await;
            let reason = reason(store.ping().await);
            assert!(reason.contains(expected) && reason.contains("add pgbouncer=true to database.url"), "{reason}");
            store.close().await;
        }
    });
}

#[test]
fn a_pooler_that_takes_no_transactions_is_refused() {
    run(async {
        let server = Server::start().await;
        let pgbouncer = PgBouncer::before(server.port, Pooling::Statement, "").await;
        let store = impatient(&pgbouncer.url("postgres", OURS)).await;
        let reason = reason(store.ping().await);
        assert!(reason.contains("statement pooling"), "{reason}");
        store.close().await;
    });
}

#[test]
fn a_blocked_statement_gives_up_behind_a_pooler_too() {
    run(async {
        let server = Server::start().await;
        let pgbouncer = PgBouncer::before(server.port, Pooling::Transaction, "").await;
        let store = impatient(&pgbouncer.url("postgres", OURS)).await;
        store.migrate_up().await.unwrap();
        let mut blocker = server.client().await;
        let transaction = blocker.transaction().await.unwrap();
        transaction.batch_execute("LOCK TABLE consumers").await.unwrap();
        assert_eq!(reason(insert(&store, "bob").await), "a statement took too long");
        assert_eq!(reason(store.find_consumer("bob").await), "a statement took too long");
        transaction.rollback().await.unwrap();
        assert_eq!(store.find_consumer("bob").await, Ok(None));
        insert(&store, "bob").await.unwrap();
        store.close().await;
    });
}

#[test]
fn the_server_behind_a_pooler_may_change() {
    run(async {
        let mut server = Server::start().await;
        let pgbouncer = PgBouncer::before(server.port, Pooling::Transaction, "").await;
        let store = impatient(&pgbouncer.url("postgres", OURS)).await;
        store.migrate_up().await.unwrap();
        insert(&store, "bob").await.unwrap();
        server.stop_immediately();
        reason(store.find_consumer("bob").await);
        server.restart(&[]).await;
        eventually("the server is back", async || store.find_consumer("bob").await.ok()).await.expect("bob is there");
        // The pooler keeps our connection while a standby takes the place of its server.
        server.stop();
        server.demote();
        server.restart(&[]).await;
        eventually("the standby is refused", async || {
            let reason = reason(store.find_consumer("bob").await);
            reason.contains("is a standby").then_some(())
        })
        .await;
        server.promote();
        eventually("it is the primary", async || store.find_consumer("bob").await.ok()).await.expect("bob is there");
        store.close().await;
    });
}

#[test]
fn a_pooler_without_a_place_left_is_unavailable_and_comes_back() {
    run(async {
        let server = Server::start().await;
        let pgbouncer = PgBouncer::before(server.port, Pooling::Transaction, "query_wait_timeout = 1").await;
        let options = PostgresOptions {
            connect_timeout: Duration::from_secs(2),
            ..PostgresOptions::new(&pgbouncer.url("postgres", OURS))
        };
        let store = bench::open(Location::Postgres(options)).await;
        store.ping().await.unwrap();
        let url = format!("postgres://{USER}@127.0.0.1:{}/postgres", pgbouncer.port);
        let mut holders = Vec::new();
        for _ in 0..2 {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute("BEGIN").await.unwrap();
            holders.push(client);
        }
        reason(store.ping().await);
        drop(holders);
        eventually("a session is free", async || store.ping().await.ok()).await;
        store.close().await;
    });
}
