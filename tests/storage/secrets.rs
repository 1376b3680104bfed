//! Several secrets of one client.

use std::sync::Arc;

use serde_json::json;
use tollgate::domain::{ClientSecret, MOST_SECRETS, Secret, Timestamp};
use tollgate::storage::{Lookup, Removal, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, START, keyring};
use crate::fixtures::{CROWD, id};

crate::conformance!(
    secrets_are_added_up_to_a_limit,
    a_secret_ends_with_its_time_swept_or_not,
    the_last_live_secret_stays,
    the_own_secret_goes_like_any_other,
    a_new_secret_ends_the_others_after_the_overlap,
    of_many_who_add_and_remove_at_once_none_breaks_the_bounds,
    further_secrets_rest_sealed_and_are_resealed,
);

/// A client, `c`, with its own secret.
async fn client(bench: &Bench) -> Uuid {
    id(&bench.credential("c").await)
}

fn phc(name: &str) -> Secret {
    Secret::new(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${name}"))
}

async fn add(bench: &Bench, credential: Uuid, name: &str, end: Option<Timestamp>) -> Option<Uuid> {
    bench.store.add_client_secret(credential, &phc(name), end, MOST_SECRETS).await.unwrap()
}

/// The secrets of `c` as the data plane sees them: the own one in clear, of the others the last part.
async fn known(bench: &Bench) -> Vec<String> {
    let client = bench.store.find_client("c").await.unwrap().unwrap();
    let text = |known: &ClientSecret| match known {
        ClientSecret::Clear(text) | ClientSecret::ToBeHashed(text) | ClientSecret::Hashed(text) => {
            text.reveal().rsplit('$').next().unwrap().to_owned()
        }
    };
    client.secrets.iter().map(|live| text(&live.secret)).collect()
}

async fn listed(bench: &Bench, credential: Uuid) -> Vec<Uuid> {
    bench.store.client_secrets(credential).await.unwrap().iter().map(|secret| secret.id).collect()
}

async fn secrets_are_added_up_to_a_limit(bench: &Bench) {
    let credential = client(bench).await;
    bench.credential("another").await;
    let mut ids = vec![credential];
    for name in ["b", "c", "d", "e"] {
        bench.clock.advance_seconds(1);
        ids.push(add(bench, credential, name, None).await.unwrap());
    }
    assert_eq!(add(bench, credential, "f", None).await, None);
    assert_eq!(known(bench).await, ["secret of c", "e", "d", "c", "b"]);
    assert_eq!(listed(bench, credential).await, ids);
    let rows = bench.store.client_secrets(credential).await.unwrap();
    assert_eq!((rows[0].created_at, rows[1].created_at), (START, START.plus_seconds(1)));
    let nobody = bench.store.add_client_secret(Uuid::new_v4(), &phc("x"), None, MOST_SECRETS).await;
    assert!(matches!(nobody, Err(StorageError::ForeignKey { .. })), "{nobody:?}");
    assert_eq!(bench.store.client_secrets(Uuid::new_v4()).await, Ok(Vec::new()));
    let another = bench.store.find_client("another").await.unwrap().unwrap();
    assert_eq!(another.secrets.len(), 1);
}

async fn a_secret_ends_with_its_time_swept_or_not(bench: &Bench) {
    let credential = client(bench).await;
    let end = START.plus_seconds(60);
    for name in ["b", "c", "d", "e"] {
        add(bench, credential, name, Some(end)).await.unwrap();
    }
    assert_eq!(bench.store.find_client("c").await.unwrap().unwrap().secrets[1].expires_at, Some(end));
    bench.clock.advance_seconds(60);
    assert_eq!(known(bench).await, ["secret of c"]);
    assert_eq!(listed(bench, credential).await, [credential]);
    assert!(add(bench, credential, "f", None).await.is_some(), "what has ended does not count");
    assert_eq!(bench.store.sweep_expired(end, 3).await, Ok(3));
    assert_eq!(bench.store.sweep_expired(end, 3).await, Ok(1));
    assert_eq!(known(bench).await, ["secret of c", "f"]);
}

async fn the_last_live_secret_stays(bench: &Bench) {
    let credential = client(bench).await;
    let delete = |id| async move { bench.store.delete_client_secret(credential, id).await.unwrap() };
    assert_eq!(delete(credential).await, Removal::LastOne);
    assert_eq!(delete(Uuid::new_v4()).await, Removal::NotFound);
    let ends = add(bench, credential, "b", Some(START.plus_seconds(60))).await.unwrap();
    bench.clock.advance_seconds(60);
    assert_eq!(delete(credential).await, Removal::LastOne, "the other one has ended");
    assert_eq!(delete(ends).await, Removal::NotFound);
    let stays = add(bench, credential, "c", None).await.unwrap();
    let nobody = bench.store.delete_client_secret(Uuid::new_v4(), stays).await;
    assert_eq!(nobody, Ok(Removal::NotFound), "a secret of another credential");
    assert_eq!(delete(stays).await, Removal::Removed);
    assert_eq!(delete(stays).await, Removal::NotFound);
    assert_eq!(known(bench).await, ["secret of c"]);
}

async fn the_own_secret_goes_like_any_other(bench: &Bench) {
    let credential = client(bench).await;
    let further = add(bench, credential, "b", None).await.unwrap();
    assert_eq!(bench.store.delete_client_secret(credential, credential).await, Ok(Removal::Removed));
    assert_eq!((known(bench).await, listed(bench, credential).await), (vec!["b".to_owned()], vec![further]));
    assert_eq!(bench.store.delete_client_secret(credential, credential).await, Ok(Removal::NotFound));
    assert_eq!(bench.store.delete_client_secret(credential, further).await, Ok(Removal::LastOne));
    let row = bench.store.find(bench.schema("oauth2_credentials"), &Lookup::Id(credential)).await.unwrap().unwrap();
    assert_eq!(row["client_secret"], "");
    for name in ["c", "d", "e", "f"] {
        assert!(add(bench, credential, name, None).await.is_some(), "the empty one does not count");
    }
    assert_eq!(add(bench, credential, "g", None).await, None);
}

async fn a_new_secret_ends_the_others_after_the_overlap(bench: &Bench) {
    let credential = client(bench).await;
    let soon = add(bench, credential, "b", Some(START.plus_seconds(10))).await.unwrap();
    let overlap = START.plus_seconds(60);
    let replace = |name: &'static str, end| async move {
        bench.clock.advance_seconds(1);
        bench.store.replace_client_secret(credential, &phc(name), end).await.unwrap()
    };
    let new = replace("c", overlap).await.unwrap();
    let rows = bench.store.client_secrets(credential).await.unwrap();
    let ends: Vec<_> = rows.iter().map(|row| (row.id, row.expires_at)).collect();
    let sooner = Some(START.plus_seconds(10));
    assert_eq!(ends, [(credential, Some(overlap)), (soon, sooner), (new, None)]);
    bench.clock.advance_seconds(60);
    assert_eq!(known(bench).await, ["c"]);
    assert_eq!(bench.store.sweep_expired(START.plus_seconds(61), 10).await, Ok(2));
    let row = bench.store.find(bench.schema("oauth2_credentials"), &Lookup::Id(credential)).await.unwrap().unwrap();
    assert_eq!(row["client_secret"], "", "a dump does not bring back what has ended");
    // However often it happens, there are never too many; at once means at once.
    for name in ["d", "e", "f", "g", "h", "i"] {
        replace(name, START.plus_seconds(900)).await.unwrap();
    }
    assert_eq!(known(bench).await, ["i", "h", "g", "f"]);
    replace("j", START).await.unwrap();
    assert_eq!(known(bench).await, ["j"]);
    let nobody = bench.store.replace_client_secret(Uuid::new_v4(), &phc("x"), overlap).await;
    assert_eq!(nobody, Ok(None));
}

async fn of_many_who_add_and_remove_at_once_none_breaks_the_bounds(bench: &Bench) {
    let credential = client(bench).await;
    let names: Vec<String> = (0..CROWD).map(|number| number.to_string()).collect();
    let added = names.iter().map(|name| add(bench, credential, name, None));
    let added = futures_util::future::join_all(added).await;
    assert_eq!(added.iter().flatten().count(), MOST_SECRETS - 1);
    let everyone = listed(bench, credential).await;
    assert_eq!(everyone.len(), MOST_SECRETS);
    let removed = everyone.iter().map(|id| bench.store.delete_client_secret(credential, *id));
    let removed = futures_util::future::join_all(removed).await;
    let removed = removed.iter().filter(|removal| **removal == Ok(Removal::Removed)).count();
    assert_eq!((removed, known(bench).await.len()), (MOST_SECRETS - 1, 1));
}

async fn further_secrets_rest_sealed_and_are_resealed(bench: &Bench) {
    let credential = client(bench).await;
    add(bench, credential, "sesame-open-wide", None).await.unwrap();
    if let Some(raw) = bench.raw().await {
        assert!(!raw.windows(16).any(|window| window == b"sesame-open-wide"));
    }
    bench.store.replace_keyring(Arc::new(keyring().rotated([9; 32])));
    let schemas = bench.schemas();
    assert_eq!(bench.store.count_stale_seals(&schemas).await, Ok(2));
    let mut cursor = None;
    loop {
        cursor = bench.store.reseal(&schemas, cursor, 10).await.unwrap().next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(bench.store.count_stale_seals(&schemas).await, Ok(0));
    assert_eq!(known(bench).await, ["secret of c", "sesame-open-wide"]);
    assert_eq!(json!(listed(bench, credential).await.len()), 2);
}
