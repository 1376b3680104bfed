//! Clients, consumers, admin tokens, the audit log.

use serde_json::json;
use tollgate::domain::{ClientSecret, ClientType, ClientView, LiveSecret, Secret};
use tollgate::storage::{AdminRole, AdminToken, AuditRecord, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, START};
use crate::fixtures::{digest, id, reference};

crate::conformance!(
    a_client_is_found_with_its_consumer,
    a_secret_is_upgraded_only_while_it_is_the_one_we_hashed,
    a_consumer_is_found_by_id_or_name,
    admin_tokens_are_kept_by_digest,
    the_audit_log_is_read_newest_first,
    the_audit_log_reaches_ninety_days_back,
);

async fn a_client_is_found_with_its_consumer(bench: &Bench) {
    let consumer = bench.stored("consumers", json!({ "custom_id": "77" })).await;
    let base = json!({ "consumer": reference(&consumer), "name": "n" });
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA";
    for (client_id, secret, hashed, kind) in
        [("clear", "s", false, "public"), ("hashed", hash, true, "confidential"), ("todo", "s", true, "confidential")]
    {
        let mut given = base.clone();
        given["client_id"] = json!(client_id);
        given["client_secret"] = json!(secret);
        given["hash_secret"] = json!(hashed);
        given["client_type"] = json!(kind);
        given["redirect_uris"] = if hashed { json!(["https://a.test", "https://b.test"]) } else { json!(null) };
        bench.stored("oauth2_credentials", given).await;
    }
    let clear = bench.store.find_client("clear").await.unwrap().unwrap();
    let only = |client: &ClientView| match client.secrets.as_slice() {
        [LiveSecret { secret, expires_at: None }] => secret.clone(),
        others => panic!("{others:?}"),
    };
    assert!(matches!(only(&clear), ClientSecret::Clear(secret) if secret.matches("s")));
    assert_eq!((clear.client_type, clear.redirect_uris.len()), (ClientType::Public, 0));
    assert_eq!((clear.consumer.id, clear.consumer.custom_id.as_deref()), (id(&consumer), Some("77")));
    let hashed = bench.store.find_client("hashed").await.unwrap().unwrap();
    assert!(matches!(only(&hashed), ClientSecret::Hashed(secret) if secret.matches(hash)));
    assert_eq!(hashed.redirect_uris, ["https://a.test", "https://b.test"]);
    let todo = bench.store.find_client("todo").await.unwrap().unwrap();
    assert!(matches!(only(&todo), ClientSecret::ToBeHashed(secret) if secret.matches("s")));
    assert!(bench.store.find_client("nobody").await.unwrap().is_none());
}

async fn a_secret_is_upgraded_only_while_it_is_the_one_we_hashed(bench: &Bench) {
    let credential = id(&bench.credential("c").await);
    let (old, new, other) = (Secret::new("secret of c"), Secret::new("$argon2id$new"), Secret::new("$argon2id$other"));
    assert_eq!(bench.store.upgrade_secret(credential, &other, &new).await, Ok(false));
    let both = tokio::join!(
        bench.store.upgrade_secret(credential, &old, &new),
        bench.store.upgrade_secret(credential, &old, &other)
    );
    assert!(matches!(both, (Ok(true), Ok(false)) | (Ok(false), Ok(true))), "{both:?}");
    assert_eq!(bench.store.upgrade_secret(Uuid::new_v4(), &old, &new).await, Ok(false));
}

async fn a_consumer_is_found_by_id_or_name(bench: &Bench) {
    let bob = bench.consumer("bob").await;
    let named_like_an_id = Uuid::new_v4().to_string();
    let odd = bench.consumer(&named_like_an_id).await;
    let found = |name: String| async move { bench.store.find_consumer(&name).await.unwrap().map(|found| found.id) };
    assert_eq!(found("bob".into()).await, Some(id(&bob)));
    assert_eq!(found(id(&bob).to_string()).await, Some(id(&bob)));
    assert_eq!(found(named_like_an_id).await, Some(id(&odd)));
    assert_eq!(found("nobody".into()).await, None);
}

async fn admin_tokens_are_kept_by_digest(bench: &Bench) {
    let token = |name: &str, role| AdminToken { id: Uuid::now_v7(), name: name.into(), role, created_at: START };
    let (ci, eve) = (token("ci", AdminRole::ReadOnly), token("eve", AdminRole::Admin));
    bench.store.insert_admin_token(&ci, digest("1")).await.unwrap();
    bench.store.insert_admin_token(&eve, digest("2")).await.unwrap();
    let again = bench.store.insert_admin_token(&token("ci", AdminRole::Admin), digest("3")).await;
    assert_eq!(again, Err(StorageError::Unique { fields: vec!["name".into()] }));
    assert_eq!(bench.store.find_admin_token(digest("2")).await, Ok(Some(eve.clone())));
    assert_eq!(bench.store.list_admin_tokens().await, Ok(vec![(ci, digest("1")), (eve, digest("2"))]));
    assert_eq!(bench.store.delete_admin_token("eve").await, Ok(true));
    assert_eq!(bench.store.delete_admin_token("eve").await, Ok(false));
    assert_eq!(bench.store.find_admin_token(digest("2")).await, Ok(None));
}

async fn the_audit_log_is_read_newest_first(bench: &Bench) {
    let record = |number: i64| AuditRecord {
        id: Uuid::from_u128(number as u128 + 1),
        at: START.plus_seconds(number),
        request_id: format!("r{number}"),
        actor: "ci".into(),
        source: "127.0.0.1".into(),
        method: "POST".into(),
        path: "/services\u{0}".into(),
        status: 201,
    };
    bench.store.append_audit((0..5).map(record).collect()).await.unwrap();
    bench.store.append_audit(Vec::new()).await.unwrap();
    let first = bench.store.list_audit(None, 3).await.unwrap();
    let numbers = |data: &[AuditRecord]| data.iter().map(|record| record.request_id.clone()).collect::<Vec<_>>();
    assert_eq!(numbers(&first.data), ["r4", "r3", "r2"]);
    assert_eq!(first.data[0].path, "/services\u{fffd}");
    let rest = bench.store.list_audit(first.next, 3).await.unwrap();
    assert_eq!((numbers(&rest.data), rest.next), (vec!["r1".to_owned(), "r0".to_owned()], None));
    // All or none: the second record's id is taken.
    let refused = bench.store.append_audit(vec![record(9), record(4)]).await;
    assert!(matches!(refused, Err(StorageError::Unique { .. })), "{refused:?}");
    assert_eq!(bench.store.list_audit(None, 10).await.unwrap().data.len(), 5);
}

async fn the_audit_log_reaches_ninety_days_back(bench: &Bench) {
    let record = |days: i64| {
        let at = START.plus_seconds(days * 86_400);
        let id = uuid::Builder::from_unix_timestamp_millis(at.millis().unsigned_abs(), &[1; 10]).into_uuid();
        let text = || days.to_string();
        AuditRecord {
            id,
            at,
            request_id: text(),
            actor: text(),
            source: text(),
            method: text(),
            path: text(),
            status: 200,
        }
    };
    bench.store.append_audit((0..5).map(record).collect()).await.unwrap();
    let ninety_two_days_on = START.plus_seconds(92 * 86_400);
    assert_eq!(bench.store.sweep_expired(ninety_two_days_on, 10).await, Ok(2));
    let left = bench.store.list_audit(None, 10).await.unwrap().data;
    assert_eq!(left.iter().map(|record| record.request_id.as_str()).collect::<Vec<_>>(), ["4", "3", "2"]);
}
