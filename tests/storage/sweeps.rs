//! Sweeping: in bites, by several at once, and one at a time.

use std::time::Duration;

use tollgate::storage::Store;
use uuid::Uuid;

use crate::bench::{Bench, START, postgres_place, run};
use crate::fixtures::{code, digest, token};
use crate::revocations_under_way::Hindrance;

crate::conformance!(
    a_sweep_goes_on_where_the_last_bite_ended,
    those_who_sweep_at_once_share_the_work,
    a_turn_is_one_holders_until_it_expires,
);

/// Tokens that end at once, one second after the other, named by their number.
async fn ending(bench: &Bench, number: i64) {
    let credential = bench.credential("c").await;
    let tokens = (0..number).map(|nth| {
        let mut token = token(&credential, &format!("t{nth}"));
        token.expires_at = Some(START.plus_seconds(nth / 3));
        token
    });
    assert!(bench.store.insert_tokens(tokens.collect()).await.iter().all(Result::is_ok));
}

/// Sweeps all that has ended in a day, three at a time; gives the bites.
async fn swept(store: &Store) -> Vec<usize> {
    let (mut bites, mut cursor) = (Vec::new(), None);
    loop {
        let bite = store.sweep(cursor, START.plus_seconds(3 * 86_400), 3).await.unwrap();
        bites.push(bite.removed);
        cursor = bite.next;
        if cursor.is_none() {
            return bites;
        }
    }
}

async fn a_sweep_goes_on_where_the_last_bite_ended(bench: &Bench) {
    ending(bench, 10).await;
    let (credential, plugin) = (bench.credential("d").await, bench.plugin().await);
    for nth in 0..4 {
        bench.store.insert_code(&code(&credential, &plugin, &format!("code {nth}"))).await.unwrap();
    }
    let mut lasting = token(&credential, "lasting");
    lasting.expires_at = None;
    bench.store.insert_tokens(vec![lasting]).await;
    let bites = swept(&bench.store).await;
    assert_eq!(bites[..6], [3, 3, 3, 1, 3, 1], "tokens, then codes");
    assert_eq!(bites[6..].iter().sum::<usize>(), 0);
    assert_eq!(swept(&bench.store).await.iter().sum::<usize>(), 0);
    assert!(bench.store.find_token(digest("lasting")).await.unwrap().is_some());
}

async fn those_who_sweep_at_once_share_the_work(bench: &Bench) {
    ending(bench, 300).await;
    let all = futures_util::future::join_all((0..4).map(|_| swept(&bench.store))).await;
    assert_eq!(all.concat().iter().sum::<usize>() + swept(&bench.store).await.iter().sum::<usize>(), 300);
}

async fn a_turn_is_one_holders_until_it_expires(bench: &Bench) {
    let (one, other, lease) = (Uuid::now_v7(), Uuid::now_v7(), Duration::from_secs(10));
    let take = async |name: &str, holder: Uuid| bench.store.take_turn(name, holder, lease).await.unwrap();
    assert!(take("a", one).await && !take("a", other).await && take("b", other).await);
    bench.clock.advance_seconds(9);
    assert!(take("a", one).await, "kept");
    bench.clock.advance_seconds(9);
    assert!(!take("a", other).await, "kept for as long again");
    assert!(take("b", one).await, "nobody has kept it");
    bench.clock.advance_seconds(1);
    assert!(take("a", other).await && !take("a", one).await);
    let (first, second) = tokio::join!(take("new", one), take("new", other));
    assert!(first != second, "of two who begin, one does");
}

#[test]
fn rows_that_somebody_holds_are_swept_later() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        ending(&bench, 10).await;
        let held = "SELECT 1 FROM oauth2_tokens ORDER BY expires_at LIMIT 4 FOR UPDATE";
        let hindrance = Hindrance::new(&bench, held).await;
        assert_eq!(swept(&bench.store).await.iter().sum::<usize>(), 6, "nobody waits");
        hindrance.give_up().await;
        assert_eq!(swept(&bench.store).await.iter().sum::<usize>(), 4);
        bench.finish().await;
    });
}
