//! The version of the configuration: another after every committed change, and never before.

use serde_json::json;
use tokio_postgres::NoTls;
use tollgate::schema::Entity;
use tollgate::storage::Lookup;

use crate::bench::{Bench, Place, sql};
use crate::conformance;
use crate::fixtures::{entity, id, reference, token};

conformance!(
    every_change_of_the_configuration_moves_its_version,
    what_goes_with_another_row_moves_it_too,
    what_is_no_configuration_leaves_it_alone,
    a_refused_change_leaves_it_alone,
    changes_by_hand_move_it,
    version_and_rows_are_of_one_moment,
);

async fn version(bench: &Bench) -> i64 {
    bench.store.configuration_version().await.unwrap()
}

/// Whether `act` moved the version.
async fn moves(bench: &Bench, act: impl Future<Output = ()>) -> bool {
    let before = version(bench).await;
    act.await;
    let after = version(bench).await;
    assert!(after >= before, "it went back");
    after > before
}

async fn remove(bench: &Bench, table: &str, row: &Entity) {
    assert!(bench.store.delete(bench.schema(table), id(row)).await.unwrap());
}

async fn every_change_of_the_configuration_moves_its_version(bench: &Bench) {
    let certificate = json!({ "cert": "c", "key": "k" });
    let certificate = bench.stored("certificates", certificate).await;
    let given = [
        ("services", json!({ "name": "a", "host": "upstream" })),
        ("routes", json!({ "name": "a", "paths": ["/"] })),
        ("plugins", json!({ "name": "oauth2", "config": {} })),
        ("certificates", json!({ "cert": "c", "key": "k" })),
        ("snis", json!({ "name": "a.test", "certificate": reference(&certificate) })),
        ("ca_certificates", json!({ "cert": "c", "cert_digest": "d" })),
    ];
    for (table, given) in given {
        let schema = bench.schema(table);
        let row = entity(schema, given);
        let insert = async { bench.store.insert(schema, &row).await.unwrap() };
        assert!(moves(bench, insert).await, "insert into {table}");
        let update = async { assert!(bench.store.update(schema, id(&row), &row).await.unwrap()) };
        assert!(moves(bench, update).await, "update of {table}");
        assert!(moves(bench, remove(bench, table, &row)).await, "delete from {table}");
        let nothing = async { assert_eq!(bench.store.find(schema, &Lookup::Id(id(&row))).await, Ok(None)) };
        assert!(!moves(bench, nothing).await, "reading {table}");
    }
}

async fn what_goes_with_another_row_moves_it_too(bench: &Bench) {
    let consumer = bench.consumer("bob").await;
    bench.stored("plugins", json!({ "name": "oauth2", "config": {}, "consumer": reference(&consumer) })).await;
    assert!(moves(bench, remove(bench, "consumers", &consumer)).await, "a plugin went with its consumer");
    let service = bench.service("a").await;
    bench.stored("plugins", json!({ "name": "oauth2", "config": {}, "service": reference(&service) })).await;
    assert!(moves(bench, remove(bench, "services", &service)).await);
    let (_, left) = bench.store.load_configuration(&[bench.schema("plugins")]).await.unwrap();
    assert_eq!(left, [vec![]]);
}

async fn what_is_no_configuration_leaves_it_alone(bench: &Bench) {
    let act = async {
        let consumer = bench.consumer("bob").await;
        let credential = bench.credential("c1").await;
        bench.store.insert_tokens(vec![token(&credential, "t")]).await.pop().unwrap().unwrap();
        remove(bench, "oauth2_credentials", &credential).await;
        remove(bench, "consumers", &consumer).await;
    };
    assert!(!moves(bench, act).await);
}

async fn a_refused_change_leaves_it_alone(bench: &Bench) {
    bench.service("a").await;
    let schema = bench.schema("services");
    let again = entity(schema, json!({ "name": "a", "host": "upstream" }));
    let act = async { assert!(bench.store.insert(schema, &again).await.is_err()) };
    assert!(!moves(bench, act).await);
}

const BY_HAND: &[&str] = &[
    "UPDATE services SET retries = retries + 1",
    "INSERT INTO snis SELECT * FROM snis WHERE 1 = 0",
    "DELETE FROM services",
];

async fn changes_by_hand_move_it(bench: &Bench) {
    bench.service("a").await;
    let expected = [true, false, true];
    match bench.place() {
        Place::Memory => {}
        Place::Disk(folder) => {
            for (text, expected) in BY_HAND.iter().zip(expected) {
                let act = async { rusqlite::Connection::open(folder.file()).unwrap().execute_batch(text).unwrap() };
                assert_eq!(moves(bench, act).await, expected, "{text}");
            }
        }
        Place::Postgres { url, schema, .. } => {
            let (mut client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let transaction = client.transaction().await.unwrap();
            let open = async { transaction.batch_execute(BY_HAND[0]).await.unwrap() };
            assert!(!moves(bench, open).await, "seen before the commit");
            let commit = async { transaction.commit().await.unwrap() };
            assert!(moves(bench, commit).await);
            for (text, expected) in BY_HAND.iter().zip(expected) {
                assert_eq!(moves(bench, async { drop(sql(url, text).await) }).await, expected, "{text}");
            }
            let elsewhere = format!(
                "SET search_path TO pg_catalog; UPDATE {schema}.ca_certificates SET cert = 'x';
                INSERT INTO {schema}.ca_certificates (id, cert, created_at, updated_at)
                VALUES (gen_random_uuid(), 'c', now(), now())"
            );
            assert!(moves(bench, async { drop(sql(url, &elsewhere).await) }).await, "with another search path");
            assert!(moves(bench, async { drop(sql(url, "TRUNCATE ca_certificates").await) }).await);
        }
    }
}

async fn version_and_rows_are_of_one_moment(bench: &Bench) {
    let begin = version(bench).await;
    let schema = bench.schema("services");
    let rows: Vec<_> = (0..30).map(|at| entity(schema, json!({ "name": format!("s{at}"), "host": "h" }))).collect();
    let write = async {
        let (some, others) = rows.split_at(15);
        let insert = async |rows: &[Entity]| {
            for row in rows {
                bench.store.insert(schema, row).await.unwrap();
            }
        };
        tokio::join!(insert(some), insert(others));
    };
    let read = async {
        loop {
            let (version, loaded) = bench.store.load_configuration(&[bench.schema("routes"), schema]).await.unwrap();
            assert_eq!(version - begin, i64::try_from(loaded[1].len()).unwrap());
            if loaded[1].len() == rows.len() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(write, read);
}
