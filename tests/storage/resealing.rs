//! Key rotation.

use std::sync::Arc;

use serde_json::json;
use tollgate::domain::{Keyring, KeyringError};
use tollgate::storage::{Lookup, StorageError};

use crate::bench::{Bench, keyring};
use crate::fixtures::{id, token};

crate::conformance!(a_run_reseals_everything_in_bounded_steps, a_missing_key_is_named);

async fn a_run_reseals_everything_in_bounded_steps(bench: &Bench) {
    let credential = bench.credential("c").await;
    let tokens: Vec<_> = (0..10).map(|number| token(&credential, &format!("t{number}"))).collect();
    bench.store.insert_tokens(tokens.clone()).await;
    bench.stored("plugins", json!({ "name": "x", "config": {}, "provision_key": "p" })).await;
    let schemas = bench.schemas();
    assert_eq!(bench.store.count_stale_seals(&schemas).await, Ok(0));
    let rotated = Arc::new(keyring().rotated([9; 32]));
    bench.store.replace_keyring(Arc::clone(&rotated));
    bench.store.insert_tokens(vec![token(&credential, "sealed with the new key")]).await;
    // Ten access and ten refresh tokens, one client secret, one provision key.
    assert_eq!(bench.store.count_stale_seals(&schemas).await, Ok(22));
    let (mut done, mut cursor) = (0, None);
    loop {
        let step = bench.store.reseal(&schemas, cursor, 4).await.unwrap();
        assert!(step.done <= 4);
        done += step.done;
        cursor = step.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((done, bench.store.count_stale_seals(&schemas).await), (22, Ok(0)));
    // The old key may go now.
    let lines: Vec<String> = rotated.to_text().reveal().lines().map(str::to_owned).collect();
    let without = lines.iter().filter(|line| !line.starts_with("1:")).cloned().collect::<Vec<_>>().join("\n");
    bench.store.replace_keyring(Arc::new(Keyring::parse(&without).unwrap()));
    let found = bench.store.find(bench.schema("oauth2_tokens"), &Lookup::Id(tokens[3].id)).await.unwrap().unwrap();
    assert_eq!((&found["access_token"], &found["refresh_token"]), (&json!("t3"), &json!("refresh t3")));
}

async fn a_missing_key_is_named(bench: &Bench) {
    let credential = bench.credential("c").await;
    let lookup = keyring().to_text().reveal().lines().next().unwrap().to_owned();
    let other = format!("{lookup},7:{}", "A".repeat(43) + "=");
    bench.store.replace_keyring(Arc::new(Keyring::parse(&other).unwrap()));
    let schema = bench.schema("oauth2_credentials");
    let refused = bench.store.find(schema, &Lookup::Id(id(&credential))).await;
    assert_eq!(refused, Err(StorageError::Sealed(KeyringError::MissingKey(1))));
    let refused = bench.store.reseal(&[schema], None, 10).await;
    assert_eq!(refused, Err(StorageError::Sealed(KeyringError::MissingKey(1))));
}
