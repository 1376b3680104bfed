//! API keys and secrets of JSON Web Tokens.

use serde_json::{Value, json};
use tollgate::domain::Algorithm;
use tollgate::storage::{ListQuery, Lookup, StorageError};

use crate::bench::{Bench, START};
use crate::fixtures::{digest, entity, id, reference};

crate::conformance!(
    a_key_is_found_with_its_consumer,
    an_ended_key_is_gone_swept_or_not_and_makes_way,
    a_jwt_secret_is_found_ready_to_verify_with,
    a_consumer_takes_keys_and_secrets_along,
    digests_are_listed_in_pages,
    neither_keys_nor_secrets_rest_in_clear,
);

/// RFC 7515 appendix A.3: an ES256 key.
const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END PUBLIC KEY-----";

async fn key(bench: &Bench, key: &str, expires_at: Value) -> (Value, Value) {
    let consumer = bench.consumer(&format!("owner of {key}")).await;
    let fields = json!({ "consumer": reference(&consumer), "key": key, "expires_at": expires_at });
    (bench.stored("keyauth_credentials", fields).await.into(), consumer.into())
}

async fn a_key_is_found_with_its_consumer(bench: &Bench) {
    let (stored, consumer) = key(bench, "k", Value::Null).await;
    let found = bench.store.find_key(digest("k")).await.unwrap().unwrap();
    assert_eq!((found.credential_id, found.expires_at), (id(stored.as_object().unwrap()), None));
    assert_eq!(found.consumer.id, id(consumer.as_object().unwrap()));
    assert_eq!(found.consumer.username.as_deref(), Some("owner of k"));
    assert!(bench.store.find_key(digest("K")).await.unwrap().is_none());
    let schema = bench.schema("keyauth_credentials");
    let shown = bench.store.find(schema, &Lookup::Field("key", "k".into())).await.unwrap().unwrap();
    assert_eq!((&shown["key"], &shown["id"]), (&json!("k"), &stored["id"]));
    let again = entity(schema, json!({ "consumer": { "id": consumer["id"] }, "key": "k" }));
    let refused = bench.store.insert(schema, &again).await;
    assert_eq!(refused, Err(StorageError::Unique { fields: vec!["key".into()] }));
}

async fn an_ended_key_is_gone_swept_or_not_and_makes_way(bench: &Bench) {
    let end = START.plus_seconds(60);
    for name in ["a", "b", "c"] {
        key(bench, name, json!(end.seconds())).await;
    }
    let (_, consumer) = key(bench, "for ever", Value::Null).await;
    assert_eq!(bench.store.find_key(digest("a")).await.unwrap().unwrap().expires_at, Some(end));
    bench.clock.advance_seconds(60);
    let schema = bench.schema("keyauth_credentials");
    assert!(bench.store.find_key(digest("a")).await.unwrap().is_none());
    assert_eq!(bench.store.find(schema, &Lookup::Field("key", "a".into())).await, Ok(None));
    assert_eq!(bench.store.list(schema, &ListQuery { size: 10, ..ListQuery::default() }).await.unwrap().data.len(), 1);
    let again = entity(schema, json!({ "consumer": { "id": consumer["id"] }, "key": "a" }));
    bench.store.insert(schema, &again).await.unwrap();
    assert!(bench.store.find_key(digest("a")).await.unwrap().is_some());
    assert_eq!(bench.store.sweep_expired(end, 1).await, Ok(1));
    assert_eq!(bench.store.sweep_expired(end, 10).await, Ok(1));
    assert_eq!(bench.store.sweep_expired(end, 10).await, Ok(0));
    assert!(bench.store.find_key(digest("for ever")).await.unwrap().is_some());
}

async fn a_jwt_secret_is_found_ready_to_verify_with(bench: &Bench) {
    let consumer = bench.consumer("bob").await;
    for (key, algorithm, secret, public) in [
        ("clear", "HS256", "no base64!", Value::Null),
        ("coded", "HS512", "c2VjcmV0", Value::Null),
        ("ec", "ES256", "unused", json!(P256)),
        ("broken", "RS256", "unused", json!("no key")),
    ] {
        let fields = json!({ "consumer": reference(&consumer), "key": key, "algorithm": algorithm, "secret": secret,
            "rsa_public_key": public });
        bench.stored("jwt_secrets", fields).await;
    }
    let found = |key: &'static str| async move { bench.store.find_jwt_secret(key).await.unwrap().unwrap() };
    let clear = found("clear").await;
    assert_eq!((clear.key.as_str(), clear.algorithm, clear.consumer.id), ("clear", Algorithm::Hs256, id(&consumer)));
    assert!(clear.verifying_key(false).is_some() && clear.verifying_key(true).is_none());
    let coded = found("coded").await;
    assert!(coded.verifying_key(false).is_some() && coded.verifying_key(true).is_some());
    let ec = found("ec").await;
    assert!(ec.verifying_key(false).is_some() && ec.verifying_key(true).is_some(), "only secrets are told in base64");
    assert!(found("broken").await.verifying_key(false).is_none());
    for nobody in ["", "Clear", "cle\0ar"] {
        assert!(bench.store.find_jwt_secret(nobody).await.unwrap().is_none(), "{nobody:?}");
    }
}

async fn a_consumer_takes_keys_and_secrets_along(bench: &Bench) {
    let (_, consumer) = key(bench, "k", Value::Null).await;
    let fields = json!({ "consumer": { "id": consumer["id"] }, "key": "issuer", "secret": "s" });
    bench.stored("jwt_secrets", fields).await;
    assert!(bench.store.find_jwt_secret("issuer").await.unwrap().is_some());
    let gone = bench.store.delete(bench.schema("consumers"), id(consumer.as_object().unwrap())).await;
    assert_eq!(gone, Ok(true));
    assert!(bench.store.find_key(digest("k")).await.unwrap().is_none());
    assert!(bench.store.find_jwt_secret("issuer").await.unwrap().is_none());
}

async fn digests_are_listed_in_pages(bench: &Bench) {
    let consumer = bench.consumer("bob").await;
    for number in 0..5 {
        let owner = reference(&consumer);
        bench.stored("keyauth_credentials", json!({ "consumer": owner, "key": format!("k{number}") })).await;
        let fields = json!({ "consumer": owner, "key": format!("i{number}"), "secret": "s" });
        bench.stored("jwt_secrets", fields).await;
    }
    let first = bench.store.key_digests(None, 3).await.unwrap();
    let rest = bench.store.key_digests(Some(first[2].0), 3).await.unwrap();
    let mut keys: Vec<_> = first.iter().chain(&rest).map(|(_, digest)| *digest).collect();
    keys.sort();
    let mut expected: Vec<_> = (0..5).map(|number| digest(&format!("k{number}"))).collect();
    expected.sort();
    assert_eq!((keys, rest.len()), (expected, 2));
    let issuers = bench.store.jwt_secret_digests(None, 10).await.unwrap();
    assert!((0..5).all(|number| issuers.iter().any(|(_, known)| *known == digest(&format!("i{number}")))));
}

async fn neither_keys_nor_secrets_rest_in_clear(bench: &Bench) {
    let (_, consumer) = key(bench, "sesame-open-wide", Value::Null).await;
    let fields = json!({ "consumer": { "id": consumer["id"] }, "key": "issuer-name", "secret": "whispered-word" });
    bench.stored("jwt_secrets", fields).await;
    let Some(raw) = bench.raw().await else { return };
    let holds = |text: &str| raw.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("issuer-name"));
    assert!(!holds("whispered-word"));
    // The name of its owner was made of it, and stands in clear.
    let keys = raw.windows(16).filter(|window| *window == b"sesame-open-wide").count();
    let owners = raw.windows(25).filter(|window| *window == b"owner of sesame-open-wide").count();
    assert_eq!(keys, owners);
}
