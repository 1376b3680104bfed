//! Authorization codes.

use tollgate::domain::CodeState;
use tollgate::storage::StorageError;
use uuid::Uuid;

use crate::bench::{Bench, START};
use crate::fixtures::{CROWD, code, digest, id, races, token};

crate::conformance!(
    a_code_round_trips,
    a_code_is_exchanged_once,
    an_expired_code_is_not_exchanged,
    a_code_needs_what_it_names,
    codes_are_forgotten_a_day_after_their_end,
);

async fn a_code_round_trips(bench: &Bench) {
    let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
    let mut new = code(&credential, &plugin, "code");
    new.redirect_uri = Some("https://app.test/cb?x=1".into());
    bench.store.insert_code(&new).await.unwrap();
    let found = bench.store.find_code(digest("code")).await.unwrap().unwrap();
    assert_eq!((found.issued, found.state), (new, CodeState::Unused));
    assert_eq!(bench.store.find_code(digest("other")).await, Ok(None));
}

async fn a_code_is_exchanged_once(bench: &Bench) {
    let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
    for round in 0..races() {
        let text = format!("code {round}");
        bench.store.insert_code(&code(&credential, &plugin, &text)).await.unwrap();
        let at = START.plus_seconds(10);
        let tokens: Vec<_> = (0..CROWD).map(|nth| token(&credential, &format!("{text} {nth}"))).collect();
        let tries = tokens.iter().map(|token| bench.store.exchange_code(digest(&text), token, at));
        let outcomes = futures_util::future::join_all(tries).await;
        let won: Vec<_> = outcomes.into_iter().zip(&tokens).filter(|(won, _)| *won.as_ref().unwrap()).collect();
        assert_eq!(won.len(), 1, "round {round}");
        let found = bench.store.find_code(digest(&text)).await.unwrap().unwrap();
        assert_eq!(found.state, CodeState::Redeemed { at });
        for token in &tokens {
            let stored = bench.store.find_token(digest(token.access_token.reveal())).await.unwrap();
            assert_eq!(stored.is_some(), token.id == won[0].1.id, "a loser's token must not exist");
        }
    }
}

async fn an_expired_code_is_not_exchanged(bench: &Bench) {
    let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
    bench.store.insert_code(&code(&credential, &plugin, "code")).await.unwrap();
    let token = token(&credential, "late");
    assert_eq!(bench.store.exchange_code(digest("code"), &token, START.plus_seconds(300)).await, Ok(false));
    assert_eq!(bench.store.find_token(digest("late")).await.unwrap().map(|view| view.id), None);
    assert_eq!(bench.store.exchange_code(digest("code"), &token, START.plus_seconds(299)).await, Ok(true));
}

async fn a_code_needs_what_it_names(bench: &Bench) {
    let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
    let mut orphan = code(&credential, &plugin, "orphan");
    orphan.plugin_id = Uuid::new_v4();
    let refused = bench.store.insert_code(&orphan).await;
    assert!(matches!(refused, Err(StorageError::ForeignKey { .. })), "{refused:?}");
    bench.store.insert_code(&code(&credential, &plugin, "code")).await.unwrap();
    bench.store.delete(bench.schema("plugins"), id(&plugin)).await.unwrap();
    assert_eq!(bench.store.find_code(digest("code")).await, Ok(None));
}

async fn codes_are_forgotten_a_day_after_their_end(bench: &Bench) {
    let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
    bench.store.insert_code(&code(&credential, &plugin, "code")).await.unwrap();
    assert_eq!(bench.store.sweep_expired(START.plus_seconds(86_400), 10).await, Ok(0));
    assert_eq!(bench.store.sweep_expired(START.plus_seconds(86_700), 10).await, Ok(1));
    assert_eq!(bench.store.find_code(digest("code")).await, Ok(None));
}
