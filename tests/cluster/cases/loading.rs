//! What the figures are made with: tokens by the hundred thousand.

use std::sync::Arc;
use std::time::Duration;

use tollgate::domain::{Clock, Keyring};
use tollgate::storage::{Location, Role, Store};

use crate::cluster::{Cluster, Shape};
use crate::figures::load::{Ask, send};
use crate::figures::loader::{Batch, load};
use crate::process::{PATIENCE, cpu};

const INDEXES: &str = "SELECT indexdef FROM pg_indexes WHERE tablename = 'oauth2_tokens' ORDER BY indexname";
const KEYS: &str = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'oauth2_tokens'::regclass ORDER BY conname";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loaded_tokens_are_good_for_calls_and_leave_when_they_have_ended() {
    let cluster = Cluster::shaped(Shape { nodes: 1, ..Shape::THREE }).await;
    let keyring = Keyring::parse(std::str::from_utf8(&cluster.keyring).unwrap()).unwrap();
    let database = cluster.postgres.connect().await;
    let before = [cluster.postgres.sql(INDEXES).await, cluster.postgres.sql(KEYS).await];
    // So many that the indexes are made anew.
    let usable = load(&database, &keyring, &Batch { rows: 30_000, usable: 50, ends_in: 3600 }).await;
    assert_eq!(before, [cluster.postgres.sql(INDEXES).await, cluster.postgres.sql(KEYS).await]);
    assert_eq!(usable.len(), 50);
    // Each call asserts that it is let through.
    let (cost, _) = send(&cluster, &[0], Ask::Calls(Arc::new(usable))).await;
    assert_eq!((cost.requests, cost.times.count), (50, 50));
    let (_, issued) = send(&cluster, &[0], Ask::Tokens(20)).await;
    assert_eq!(issued.len(), 20);
    load(&database, &keyring, &Batch { rows: 500, usable: 0, ends_in: -3600 }).await;
    let location = Location::parse(&cluster.postgres.url(), Role::Tool).unwrap();
    let store = Store::open(location, Arc::new(keyring), Clock::System).await.unwrap();
    assert_eq!(store.sweep_expired(Clock::System.now(), 1000).await.unwrap(), 500);
    store.close().await;
    assert_eq!(cluster.postgres.sql("SELECT count(*) FROM oauth2_tokens").await, [["30020"]]);
}

#[test]
fn cpu_that_was_used_is_told() {
    let begun = std::time::Instant::now();
    let before = cpu(std::process::id());
    let mut number = 1_u64;
    while cpu(std::process::id()) - before < Duration::from_millis(50) {
        for _ in 0..100_000 {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        assert!(begun.elapsed() < PATIENCE, "no time passes");
    }
    assert!(cpu(std::process::id()) >= before + Duration::from_millis(50));
    assert_eq!(cpu(0), Duration::ZERO, "nobody has this id");
}
