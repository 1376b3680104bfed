//! Refresh tokens: rotated, renewed, replayed, revoked. Each race has one winner, on a real pool.

use tollgate::domain::{NewToken, TokenDigest};

use crate::bench::{Bench, START};
use crate::fixtures::{CROWD, digest, races, token};

crate::conformance!(
    a_rotation_has_one_winner_and_one_pair,
    a_rotated_token_is_remembered_apart,
    a_renewal_has_one_winner,
    a_family_ends_whole,
    a_rotation_under_way_does_not_outlive_its_family,
    replaced_tokens_are_swept_with_the_end_of_their_row,
);

fn refresh_digest(token: &NewToken) -> TokenDigest {
    digest(token.refresh_token.as_ref().unwrap().reveal())
}

async fn stored(bench: &Bench, token: &NewToken) {
    bench.store.insert_tokens(vec![token.clone()]).await.pop().unwrap().unwrap();
}

async fn a_rotation_has_one_winner_and_one_pair(bench: &Bench) {
    let credential = bench.credential("c").await;
    for round in 0..races() {
        let old = token(&credential, &format!("old {round}"));
        stored(bench, &old).await;
        let next: Vec<_> = (0..CROWD).map(|nth| token(&credential, &format!("{round} {nth}"))).collect();
        let tries = next.iter().map(|new| bench.store.rotate(refresh_digest(&old), new, START));
        let outcomes = futures_util::future::join_all(tries).await;
        let won: Vec<_> = outcomes.into_iter().zip(&next).filter(|(won, _)| *won.as_ref().unwrap()).collect();
        assert_eq!(won.len(), 1, "round {round}");
        let replaced = bench.store.find_replaced(refresh_digest(&old)).await.unwrap().unwrap();
        assert_eq!(replaced.successor_id, won[0].1.id);
        let pair = bench.store.find_pair(replaced.successor_id, START).await.unwrap().unwrap();
        assert_eq!(pair.access_token, won[0].1.access_token);
        assert_eq!(bench.store.find_refresh(refresh_digest(&old), START).await, Ok(None));
        let survivors = next
            .iter()
            .filter(|new| new.id != won[0].1.id)
            .map(|new| bench.store.find_refresh(refresh_digest(new), START));
        assert!(futures_util::future::join_all(survivors).await.into_iter().all(|found| found == Ok(None)));
    }
}

async fn a_rotated_token_is_remembered_apart(bench: &Bench) {
    let credential = bench.credential("c").await;
    let (old, new) = (token(&credential, "old"), token(&credential, "new"));
    stored(bench, &old).await;
    assert_eq!(bench.store.rotate(refresh_digest(&old), &new, START.plus_seconds(5)).await, Ok(true));
    let replaced = bench.store.find_replaced(refresh_digest(&old)).await.unwrap().unwrap();
    assert_eq!((replaced.family_id, replaced.replaced_at), (old.family_id.unwrap(), START.plus_seconds(5)));
    assert!(bench.store.find_token(digest("old")).await.unwrap().is_none());
    assert!(bench.store.find_token(digest("new")).await.unwrap().is_some());
    let stranger = token(&credential, "stranger");
    assert_eq!(bench.store.rotate(digest("nobody's"), &stranger, START).await, Ok(false));
    assert!(bench.store.find_token(digest("stranger")).await.unwrap().is_none());
}

async fn a_renewal_has_one_winner(bench: &Bench) {
    let credential = bench.credential("c").await;
    let old = token(&credential, "old");
    stored(bench, &old).await;
    let row = bench.store.find_refresh(refresh_digest(&old), START).await.unwrap().unwrap();
    let next: Vec<_> = (0..CROWD).map(|nth| token(&credential, &format!("new {nth}"))).collect();
    let outcomes = futures_util::future::join_all(next.iter().map(|new| bench.store.renew(&row, new))).await;
    assert_eq!(outcomes.iter().filter(|won| **won == Ok(true)).count(), 1);
    assert!(bench.store.find_token(digest("old")).await.unwrap().is_none());
    let pair = bench.store.find_pair(old.id, START).await.unwrap().unwrap();
    assert_eq!(pair.refresh_token, old.refresh_token);
}

async fn a_family_ends_whole(bench: &Bench) {
    let credential = bench.credential("c").await;
    let (first, mut second, apart) = (token(&credential, "1"), token(&credential, "2"), token(&credential, "3"));
    second.family_id = first.family_id;
    for token in [&first, &second, &apart] {
        stored(bench, token).await;
    }
    let mut gone = bench.store.revoke_family(first.family_id.unwrap()).await.unwrap();
    gone.sort();
    let mut expected = vec![digest("1"), digest("2")];
    expected.sort();
    assert_eq!(gone, expected);
    assert!(bench.store.find_token(digest("1")).await.unwrap().is_none());
    assert!(bench.store.find_token(digest("3")).await.unwrap().is_some());
    assert_eq!(bench.store.revoke_family(first.family_id.unwrap()).await, Ok(Vec::new()));
}

async fn replaced_tokens_are_swept_with_the_end_of_their_row(bench: &Bench) {
    let credential = bench.credential("c").await;
    let (old, mut new) = (token(&credential, "old"), token(&credential, "new"));
    new.expires_at = None;
    stored(bench, &old).await;
    assert_eq!(bench.store.rotate(refresh_digest(&old), &new, START).await, Ok(true));
    assert_eq!(bench.store.sweep_expired(START.plus_seconds(86_399), 10).await, Ok(0));
    assert_eq!(bench.store.sweep_expired(START.plus_seconds(86_400), 10).await, Ok(1));
    assert_eq!(bench.store.find_replaced(refresh_digest(&old)).await, Ok(None));
}

async fn a_rotation_under_way_does_not_outlive_its_family(bench: &Bench) {
    let credential = bench.credential("c").await;
    for round in 0..races() {
        let old = token(&credential, &format!("old {round}"));
        stored(bench, &old).await;
        let family = old.family_id.unwrap();
        let next: Vec<_> = (0..4)
            .map(|nth| {
                let mut new = token(&credential, &format!("new {round} {nth}"));
                new.family_id = Some(family);
                new
            })
            .collect();
        let rotations = futures_util::future::join_all(next.iter().map(|new| {
            let store = &bench.store;
            let digest = refresh_digest(&old);
            async move { store.rotate(digest, new, START).await }
        }));
        let (rotated, revoked) = futures_util::future::join(rotations, bench.store.revoke_family(family)).await;
        revoked.unwrap();
        // A rotation that begins after the revocation finds nothing; one before it is revoked with the rest.
        assert!(rotated.into_iter().filter(|won| won == &Ok(true)).count() <= 1);
        for token in next.iter().chain([&old]) {
            let left = bench.store.find_token(digest(token.access_token.reveal())).await.unwrap();
            assert!(left.is_none(), "round {round}: a token outlived its family");
        }
    }
}
