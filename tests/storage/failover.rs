//! Several hosts, of which one is the primary, and another is after it has failed.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tollgate::schema::{Schema, entities};
use tollgate::storage::{Location, PostgresOptions, StorageError, Store};
use uuid::Uuid;

use crate::bench::{self, run};
use crate::fixtures::entity;
use crate::servers::{Server, USER, Wire, eventually, impatient};

fn consumers() -> Schema {
    entities::all().into_iter().find(|schema| schema.name == "consumers").unwrap()
}

async fn insert(store: &Store, schema: &Schema, username: &str) -> Result<(), StorageError> {
    store.insert(schema, &entity(schema, json!({ "username": username }))).await
}

/// The reason of an error that must be "unavailable".
fn reason<T: std::fmt::Debug>(outcome: Result<T, StorageError>) -> String {
    match outcome {
        Err(StorageError::Unavailable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// Writes until it is told to stop; gives what was answered as written.
async fn writing(store: Store, writer: usize, is_over: Arc<AtomicBool>) -> Vec<String> {
    let schema = consumers();
    let mut written = Vec::new();
    for number in 0.. {
        if is_over.load(Ordering::SeqCst) {
            break;
        }
        let username = format!("{writer}-{number}");
        match insert(&store, &schema, &username).await {
            Ok(()) => written.push(username),
            Err(StorageError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(other) => panic!("{other}"),
        }
    }
    written
}

#[test]
fn a_failover_loses_no_answered_write_and_needs_no_restart() {
    run(async {
        let mut primary = Server::start().await;
        let standby = Server::standby_of(&primary).await;
        let store = impatient(&Server::url_of(&[&primary, &standby])).await;
        store.migrate_up().await.unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> =
            (0..4).map(|writer| tokio::spawn(writing(store.clone(), writer, Arc::clone(&is_over)))).collect();
        let count = "SELECT count(*) FROM consumers";
        let number = async |server: &Server| server.sql(count).await[0][0].parse::<usize>().unwrap();
        eventually("rows are written", async || (number(&primary).await > 100).then_some(())).await;
        primary.stop_immediately();
        standby.promote();
        let before = number(&standby).await;
        eventually("rows are written again", async || (number(&standby).await > before + 100).then_some(())).await;
        is_over.store(true, Ordering::SeqCst);
        let mut written = HashSet::new();
        for writer in writers {
            written.extend(writer.await.unwrap());
        }
        let found: Vec<String> = standby.sql("SELECT username FROM consumers").await.into_iter().flatten().collect();
        let found_once: HashSet<String> = found.iter().cloned().collect();
        assert_eq!(found.len(), found_once.len(), "a row was written twice");
        let lost: Vec<&String> = written.difference(&found_once).collect();
        assert!(lost.is_empty(), "answered and lost: {lost:?}");
        assert!(store.find_consumer(written.iter().next().unwrap()).await.unwrap().is_some());
        store.close().await;
    });
}

#[test]
fn nothing_is_read_from_a_standby_that_lags() {
    run(async {
        let primary = Server::start().await;
        let standby = Server::standby_of(&primary).await;
        let migrating = impatient(&primary.url()).await;
        migrating.migrate_up().await.unwrap();
        migrating.close().await;
        standby.sql("SELECT pg_wal_replay_pause()").await;
        let store = impatient(&Server::url_of(&[&standby, &primary])).await;
        let schema = consumers();
        for number in 0..20 {
            let username = number.to_string();
            insert(&store, &schema, &username).await.unwrap();
            let reads = (0..8).map(|_| store.find_consumer(&username));
            for found in futures_util::future::join_all(reads).await {
                assert!(found.unwrap().is_some(), "a standby was asked");
            }
        }
        let sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'tollgate'";
        assert!(!primary.sql(sessions).await.is_empty());
        assert!(standby.sql(sessions).await.is_empty());
        store.close().await;
    });
}

#[test]
fn a_url_that_leads_to_standbys_only_is_refused_also_for_reads() {
    run(async {
        let primary = Server::start().await;
        let standby = Server::standby_of(&primary).await;
        let migrating = impatient(&primary.url()).await;
        migrating.migrate_up().await.unwrap();
        for query in ["", "?target_session_attrs=any", "?target_session_attrs=read-write"] {
            let store = impatient(&format!("{}{query}", standby.url())).await;
            let expected = format!("PostgreSQL at {}: the server is a standby", standby.place());
            let (read, write) = (store.find_consumer("bob").await, insert(&store, &consumers(), "bob").await);
            for reason in [reason(read), reason(write), reason(store.ping().await), reason(store.check_schema().await)]
            {
                assert!(reason.starts_with(&expected), "{reason}");
                assert!(reason.contains("database.url must lead to the primary"), "{reason}");
            }
            store.close().await;
        }
        migrating.close().await;
    });
}

#[test]
fn an_old_primary_that_comes_back_is_not_used() {
    run(async {
        let mut old = Server::start().await;
        let new = Server::standby_of(&old).await;
        let store = impatient(&Server::url_of(&[&old, &new])).await;
        store.migrate_up().await.unwrap();
        old.stop_immediately();
        new.promote();
        eventually("the new primary is found", async || store.ping().await.ok()).await;
        // Somebody starts the old one as it was, instead of making it a standby. It would wait for the standby it had.
        old.restart(&[]).await;
        old.sql("ALTER SYSTEM RESET synchronous_standby_names").await;
        old.sql("SELECT pg_reload_conf()").await;
        new.end_sessions().await;
        store.ping().await.unwrap();
        let schema = consumers();
        for number in 0..4 {
            insert(&store, &schema, &format!("bob {number}")).await.unwrap();
            new.end_sessions().await;
            assert!(store.find_consumer(&format!("bob {number}")).await.unwrap().is_some());
        }
        assert_eq!(old.sql("SELECT 1 FROM consumers WHERE username LIKE 'bob%'").await.len(), 0);
        // Also when it is the only one that answers.
        new.freeze();
        let refused = eventually("the old one is refused", async || {
            let reason = reason(store.find_consumer("bob").await);
            reason.contains("it is an old primary").then_some(reason)
        });
        assert!(refused.await.contains(&old.place()));
        new.thaw();
        eventually("the new one is back", async || store.ping().await.ok()).await;
        store.close().await;
    });
}

#[test]
fn a_primary_that_became_a_standby_is_left() {
    run(async {
        let mut server = Server::start().await;
        let store = impatient(&server.url()).await;
        store.migrate_up().await.unwrap();
        insert(&store, &consumers(), "bob").await.unwrap();
        server.stop();
        server.demote();
        server.restart(&[]).await;
        let reason = reason(store.find_consumer("bob").await);
        assert!(reason.contains("is a standby"), "{reason}");
        server.promote();
        assert!(store.find_consumer("bob").await.unwrap().is_some());
        store.close().await;
    });
}

#[test]
fn a_primary_that_takes_no_writes_any_more_is_left() {
    run(async {
        let server = Server::start().await;
        let store = impatient(&server.url()).await;
        store.migrate_up().await.unwrap();
        let schema = consumers();
        let set = async |value: &str| {
            server.sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}")).await;
            server.sql("SELECT pg_reload_conf()").await;
        };
        let crowd = futures_util::future::join_all((0..4).map(|_| store.ping())).await;
        assert!(crowd.iter().all(Result::is_ok));
        set("on").await;
        eventually("a write is refused", async || insert(&store, &schema, &Uuid::now_v7().to_string()).await.err())
            .await;
        // Nor is any other connection used again that was made before, and none is made.
        for found in futures_util::future::join_all((0..4).map(|_| store.find_consumer("bob"))).await {
            let reason = reason(found);
            assert!(reason.contains("takes no writes (default_transaction_read_only)"), "{reason}");
        }
        // Nothing that changes settings is a write to the server's tables.
        set("off").await;
        eventually("writes are taken", async || insert(&store, &schema, "bob").await.ok()).await;
        store.close().await;
    });
}

#[test]
fn a_host_that_says_nothing_costs_its_time_once() {
    run(async {
        let server = Server::start().await;
        let silent = Wire::to_nobody().await;
        let url = format!("postgres://{USER}@127.0.0.1:{},{}/postgres", silent.port, server.place());
        let options = PostgresOptions { connect_timeout: Duration::from_millis(300), ..PostgresOptions::new(&url) };
        let store = bench::open(Location::Postgres(options)).await;
        for _ in 0..4 {
            store.ping().await.unwrap();
            server.end_sessions().await;
        }
        assert_eq!(silent.connections(), 1, "it was tried again though the other is the primary");
        store.close().await;
    });
}

#[test]
fn a_server_that_falls_silent_is_unavailable_and_comes_back() {
    run(async {
        let server = Server::start().await;
        let options = PostgresOptions {
            pool: 3,
            connect_timeout: Duration::from_millis(500),
            statement_timeout: Duration::from_millis(500),
            ..PostgresOptions::new(&server.url())
        };
        let store = bench::open(Location::Postgres(options)).await;
        let all = || futures_util::future::join_all((0..3).map(|_| store.ping()));
        assert!(all().await.iter().all(Result::is_ok));
        server.freeze();
        assert_eq!(reason(store.ping().await), "the database did not answer in time");
        for outcome in all().await {
            let reason = reason(outcome);
            assert!(reason.contains("the server does not answer"), "{reason}");
        }
        server.thaw();
        assert!(all().await.iter().all(Result::is_ok));
        // The others were idle for long, and are asked before they are used.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        server.freeze();
        let reason = reason(store.ping().await);
        assert!(reason.contains("the server does not answer"), "{reason}");
        server.thaw();
        store.ping().await.unwrap();
        store.close().await;
    });
}

#[test]
fn a_write_whose_answer_is_lost_is_not_repeated() {
    run(async {
        let server = Server::start().await;
        let wire = Wire::to(server.port).await;
        let url = format!("postgres://{USER}@127.0.0.1:{}/postgres", wire.port);
        let options = PostgresOptions { pool: 1, ..PostgresOptions::new(&url) };
        let store = bench::open(Location::Postgres(options)).await;
        store.migrate_up().await.unwrap();
        let node = Uuid::nil();
        store.enter_roster(node, Some(("a", 1)), 1).await.unwrap();
        assert!(store.confirm_roster(node, 1).await.unwrap());
        let beat = async || store.read_roster().await.unwrap().rows[0].beat;
        let before = beat().await;
        wire.lose_next_answer();
        reason(store.confirm_roster(node, 1).await);
        eventually("the write has happened", async || (beat().await > before).then_some(())).await;
        assert_eq!(beat().await, before + 1);
        // A read is, on a new connection.
        let connections = wire.connections();
        wire.lose_next_answer();
        assert_eq!(beat().await, before + 1);
        assert_eq!(wire.connections(), connections + 1);
        store.close().await;
    });
}

#[test]
fn a_call_that_was_given_up_leaves_its_connection_to_nobody() {
    run(async {
        let server = Server::start().await;
        let options = PostgresOptions {
            pool: 1,
            statement_timeout: Duration::from_secs(120),
            ..PostgresOptions::new(&server.url())
        };
        let store = bench::open(Location::Postgres(options)).await;
        store.migrate_up().await.unwrap();
        let mut blocker = server.client().await;
        let transaction = blocker.transaction().await.unwrap();
        transaction.batch_execute("LOCK TABLE consumers").await.unwrap();
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        let given_up = async {
            eventually("it waits", async || (!server.sql(waiting).await.is_empty()).then_some(())).await;
        };
        tokio::select! {
            outcome = store.find_consumer("bob") => panic!("{outcome:?}"),
            () = given_up => {}
        }
        // Behind the blocked statement it would wait as long as that.
        tokio::time::timeout(Duration::from_secs(60), store.ping()).await.expect("it waits behind another").unwrap();
        transaction.rollback().await.unwrap();
        store.close().await;
    });
}

#[test]
fn writes_that_wait_for_a_standby_leave_the_server_to_others() {
    run(async {
        let server = Server::start().await;
        let options = PostgresOptions {
            pool: 2,
            statement_timeout: Duration::from_millis(200),
            ..PostgresOptions::new(&server.url())
        };
        let store = bench::open(Location::Postgres(options)).await;
        store.migrate_up().await.unwrap();
        let schema = consumers();
        let wait_for = async |standby: &str| {
            server.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{standby}'")).await;
            server.sql("SELECT pg_reload_conf()").await;
        };
        wait_for("away").await;
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let mut stuck = 0;
        for number in 0..8 {
            // Those that had begun before the setting was known are answered.
            let Err(error) = insert(&store, &schema, &number.to_string()).await else { continue };
            assert!(matches!(error, StorageError::Unavailable(_)), "{error}");
            stuck += usize::from(error.to_string().contains("earlier writes are not answered yet"));
            assert!(store.find_consumer("nobody").await.unwrap().is_none());
        }
        assert!(stuck > 0, "every write took a connection of its own");
        assert_eq!(server.sql(waiting).await.len(), 2);
        wait_for("").await;
        eventually("writes are answered", async || insert(&store, &schema, "after").await.ok()).await;
        let sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'tollgate'";
        eventually("what had waited is gone", async || (server.sql(sessions).await.len() <= 2).then_some(())).await;
        store.close().await;
    });
}

#[test]
fn a_primary_that_hangs_is_replaced_though_it_never_answers() {
    run(async {
        let primary = Server::start().await;
        let standby = Server::standby_of(&primary).await;
        let options = PostgresOptions {
            pool: 2,
            connect_timeout: Duration::from_millis(500),
            statement_timeout: Duration::from_millis(200),
            ..PostgresOptions::new(&Server::url_of(&[&primary, &standby]))
        };
        let store = bench::open(Location::Postgres(options)).await;
        store.migrate_up().await.unwrap();
        let schema = consumers();
        let both = || futures_util::future::join_all((0..2).map(|_| store.ping()));
        assert!(both().await.iter().all(Result::is_ok));
        primary.freeze();
        let hanging = ["a", "b"].map(|username| insert(&store, &schema, username));
        for outcome in futures_util::future::join_all(hanging).await {
            assert_eq!(reason(outcome), "the database did not answer in time");
        }
        standby.promote();
        eventually("writes are answered", async || insert(&store, &schema, "after").await.ok()).await;
        store.close().await;
    });
}
