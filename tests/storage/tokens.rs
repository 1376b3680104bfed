//! Tokens: batches, lookups, ends.

use serde_json::json;
use tollgate::domain::{NewToken, PlainToken};
use tollgate::storage::{ListQuery, Lookup, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, START, keyring};
use crate::fixtures::{digest, entity, id, reference, token};

crate::conformance!(
    a_batch_is_stored_and_found,
    a_bad_row_fails_alone,
    an_ended_row_is_gone_for_every_reader,
    an_ended_row_makes_way,
    sweeping_is_bounded_and_spares_the_living,
    tokens_not_minted_by_us_are_listed,
    a_service_takes_its_tokens_along,
    batches_survive_credentials_that_vanish,
);

async fn a_batch_is_stored_and_found(bench: &Bench) {
    let credential = bench.credential("client").await;
    let service = bench.service("s").await;
    let mut bound = token(&credential, "one");
    bound.service_id = Some(id(&service));
    let mut bare = token(&credential, "two");
    (bare.refresh_token, bare.scope, bare.authenticated_userid, bare.expires_at) = (None, None, None, None);
    let outcomes = bench.store.insert_tokens(vec![bound.clone(), bare]).await;
    assert_eq!(outcomes, [Ok(()), Ok(())]);
    let found = bench.store.find_token(digest("one")).await.unwrap().unwrap();
    assert_eq!((found.id, found.credential_id, found.service_id), (bound.id, id(&credential), Some(id(&service))));
    assert_eq!((&*found.client_id, found.consumer.username.as_deref()), ("client", Some("owner of client")));
    assert_eq!((found.scope.as_deref(), found.authenticated_userid.as_deref()), (Some("read write"), Some("alice")));
    assert_eq!((found.created_at, found.expires_in, found.expires_at), (bound.created_at, 3600, bound.expires_at));
    let bare = bench.store.find_token(digest("two")).await.unwrap().unwrap();
    assert_eq!((bare.service_id, bare.scope, bare.authenticated_userid, bare.expires_at), (None, None, None, None));
    assert!(bench.store.find_token(digest("three")).await.unwrap().is_none());
    let shown = bench.store.find(bench.schema("oauth2_tokens"), &Lookup::Id(bound.id)).await.unwrap().unwrap();
    assert_eq!((&shown["access_token"], &shown["refresh_token"]), (&json!("one"), &json!("refresh one")));
    assert_eq!(
        (&shown["token_type"], &shown["family_id"]),
        (&json!("bearer"), &json!(bound.family_id.unwrap().to_string()))
    );
    assert!(bench.store.insert_tokens(Vec::new()).await.is_empty());
}

async fn a_bad_row_fails_alone(bench: &Bench) {
    let credential = bench.credential("client").await;
    bench.store.insert_tokens(vec![token(&credential, "taken")]).await;
    let mut orphan = token(&credential, "orphan");
    orphan.credential_id = Uuid::new_v4();
    let mut lost = token(&credential, "lost");
    lost.service_id = Some(Uuid::new_v4());
    let mut nul = token(&credential, "nul");
    nul.authenticated_userid = Some("ali\0ce".into());
    let mut refresh = token(&credential, "refresh");
    refresh.refresh_token = Some(PlainToken::new("refresh taken"));
    let good = ["good 1", "good 2", "twice"].map(|text| token(&credential, text));
    let [first, second, twice] = good;
    let bare = |text: &str| NewToken { refresh_token: None, ..token(&credential, text) };
    let (taken, again) = (bare("taken"), bare("twice"));
    let batch = vec![orphan, first, taken, lost, nul, twice, again, refresh, second];
    let foreign = |field: &str| Err(StorageError::ForeignKey { table: "oauth2_tokens".into(), field: field.into() });
    let unique = |field: &str| Err(StorageError::Unique { fields: vec![field.to_owned()] });
    let mut outcomes = bench.store.insert_tokens(batch).await;
    // Which of two that come together is the first is nobody's business.
    outcomes[5..7].sort_by_key(Result::is_err);
    let expected = [
        foreign("credential"),
        Ok(()),
        unique("access_token"),
        foreign("service"),
        Err(StorageError::Unstorable { field: "authenticated_userid".into() }),
        Ok(()),
        unique("access_token"),
        unique("refresh_token"),
        Ok(()),
    ];
    assert_eq!(outcomes, expected);
    for (text, there) in [("good 1", true), ("good 2", true), ("twice", true), ("orphan", false), ("lost", false)] {
        assert_eq!(bench.store.find_token(digest(text)).await.unwrap().is_some(), there, "{text}");
    }
}

async fn an_ended_row_is_gone_for_every_reader(bench: &Bench) {
    let credential = bench.credential("client").await;
    let ending = token(&credential, "ending");
    bench.store.insert_tokens(vec![ending.clone()]).await;
    let schema = bench.schema("oauth2_tokens");
    let row = bench.store.find(schema, &Lookup::Id(ending.id)).await.unwrap().unwrap();
    bench.clock.advance_seconds(86_399);
    assert!(bench.store.find_token(digest("ending")).await.unwrap().is_some());
    bench.clock.advance_seconds(1);
    let all = ListQuery { size: 10, ..ListQuery::default() };
    assert!(bench.store.find_token(digest("ending")).await.unwrap().is_none());
    assert_eq!(bench.store.find(schema, &Lookup::Id(ending.id)).await, Ok(None));
    for (field, value) in [("access_token", "ending"), ("refresh_token", "refresh ending")] {
        assert_eq!(bench.store.find(schema, &Lookup::Field(field, value.into())).await, Ok(None));
    }
    assert_eq!(bench.store.list(schema, &all).await.unwrap().data, []);
    assert_eq!(bench.store.count(schema, &all, 10).await, Ok(0));
    assert_eq!(bench.store.update(schema, ending.id, &row).await, Ok(false));
    assert_eq!(bench.store.delete(schema, ending.id).await, Ok(false));
}

async fn an_ended_row_makes_way(bench: &Bench) {
    let credential = bench.credential("client").await;
    bench.store.insert_tokens(vec![token(&credential, "custom")]).await;
    let schema = bench.schema("oauth2_tokens");
    let given = json!({ "credential": reference(&credential), "expires_in": 0, "access_token": "custom" });
    let again = entity(schema, given);
    let taken = bench.store.insert(schema, &again).await;
    assert_eq!(taken, Err(StorageError::Unique { fields: vec!["access_token".into()] }));
    bench.clock.advance_seconds(90_000);
    assert_eq!(bench.store.insert(schema, &again).await, Ok(()));
    assert_eq!(bench.store.find_token(digest("custom")).await.unwrap().unwrap().id, id(&again));
}

async fn sweeping_is_bounded_and_spares_the_living(bench: &Bench) {
    let credential = bench.credential("client").await;
    let mut tokens: Vec<_> = (0..10).map(|number| token(&credential, &format!("t{number}"))).collect();
    tokens[0].expires_at = None;
    tokens[1].expires_at = Some(START.plus_seconds(1_000_000));
    bench.store.insert_tokens(tokens).await;
    let then = START.plus_seconds(86_400);
    assert_eq!(bench.store.sweep_expired(START, 100).await, Ok(0));
    assert_eq!(bench.store.sweep_expired(then, 5).await, Ok(5));
    assert_eq!(bench.store.sweep_expired(then, 5).await, Ok(3));
    assert_eq!(bench.store.sweep_expired(then, 5).await, Ok(0));
    for text in ["t0", "t1"] {
        assert!(bench.store.find_token(digest(text)).await.unwrap().is_some());
    }
}

async fn tokens_not_minted_by_us_are_listed(bench: &Bench) {
    let credential = bench.credential("client").await;
    let minted = keyring().mint(*b"0123456789abcdef01234567");
    let mut ours = token(&credential, "x");
    ours.access_token = minted.clone();
    let imported: Vec<_> = (0..5).map(|number| token(&credential, &format!("custom {number}"))).collect();
    let mut wanted: Vec<_> = imported.iter().map(|token| (token.id, digest(token.access_token.reveal()))).collect();
    bench.store.insert_tokens([vec![ours], imported].concat()).await;
    let given = json!({ "credential": reference(&credential), "expires_in": 0, "access_token": "by admin" });
    let by_admin = bench.stored("oauth2_tokens", given).await;
    wanted.push((id(&by_admin), digest("by admin")));
    wanted.sort();
    let mut seen = Vec::new();
    loop {
        let page = bench.store.custom_token_digests(seen.last().map(|(id, _)| *id), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, wanted);
}

async fn a_service_takes_its_tokens_along(bench: &Bench) {
    let credential = bench.credential("client").await;
    let service = bench.service("s").await;
    let mut bound = token(&credential, "bound");
    bound.service_id = Some(id(&service));
    bench.store.insert_tokens(vec![bound, token(&credential, "free")]).await;
    assert_eq!(bench.store.delete(bench.schema("services"), id(&service)).await, Ok(true));
    assert!(bench.store.find_token(digest("bound")).await.unwrap().is_none());
    assert!(bench.store.find_token(digest("free")).await.unwrap().is_some());
}

async fn batches_survive_credentials_that_vanish(bench: &Bench) {
    let schema = bench.schema("oauth2_credentials");
    let lasting = bench.credential("lasting").await;
    for round in 0..10 {
        let passing = bench.credential(&format!("passing {round}")).await;
        let tokens = (0..40).map(|number| {
            let owner = if number % 2 == 0 { &lasting } else { &passing };
            token(owner, &format!("{round}/{number}"))
        });
        let tokens = tokens.collect();
        let (outcomes, gone) =
            tokio::join!(bench.store.insert_tokens(tokens), bench.store.delete(schema, id(&passing)));
        assert_eq!(gone, Ok(true));
        for (number, outcome) in outcomes.iter().enumerate() {
            if number % 2 == 0 {
                assert_eq!(*outcome, Ok(()), "round {round}, row {number}");
            }
            let there = bench.store.find_token(digest(&format!("{round}/{number}"))).await.unwrap().is_some();
            assert_eq!(there, number % 2 == 0, "round {round}, row {number}");
        }
    }
}
