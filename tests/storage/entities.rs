//! Create, read, update, delete.

use serde_json::{Value, json};
use tollgate::storage::{Lookup, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, START};
use crate::fixtures::{entity, id, reference};

crate::conformance!(
    every_entity_round_trips,
    unset_fields_come_back_as_null,
    hostile_texts_come_back_unchanged,
    extreme_numbers_come_back_unchanged,
    a_taken_value_is_refused_by_its_field,
    a_missing_reference_is_named,
    what_is_still_named_stays,
    a_consumer_takes_along_what_hangs_on_it,
    an_update_replaces_every_field,
    a_refused_update_changes_nothing,
    sealed_fields_are_found_by_digest_and_rest_unreadable,
    a_nul_is_refused_and_never_found,
    the_configuration_is_read_whole,
    every_statement_prepares,
);

async fn every_entity_round_trips(bench: &Bench) {
    let certificate = bench.stored("certificates", json!({ "cert": "C", "key": "K", "tags": ["a", "b"] })).await;
    let sni = bench.stored("snis", json!({ "name": "x.test", "certificate": reference(&certificate) })).await;
    let service = bench
        .stored(
            "services",
            json!({
                "name": "orders", "host": "h", "protocol": "https", "port": 443, "path": "/v1", "tls_verify": true,
                "tls_verify_depth": 3, "client_certificate": reference(&certificate),
                "ca_certificates": [Uuid::new_v4().to_string()], "enabled": false, "tags": ["blue"],
            }),
        )
        .await;
    let headers = json!({ "x-b": ["1", "~*2"], "x-a": ["3"] });
    let route = bench
        .stored("routes", json!({ "paths": ["/a", "~/b"], "headers": headers, "service": reference(&service) }))
        .await;
    let consumer = bench.consumer("bob").await;
    let config = json!({ "scopes": ["a"], "nested": { "deep": [1, 2.5, null, true, "é"] }, "empty": {} });
    let plugin = bench
        .stored(
            "plugins",
            json!({
                "name": "oauth2", "config": config, "route": reference(&route), "service": reference(&service),
                "consumer": reference(&consumer), "provision_key": "p", "cache_key": "k",
            }),
        )
        .await;
    let credential = bench.credential("client").await;
    let token = bench
        .stored(
            "oauth2_tokens",
            json!({
                "credential": reference(&credential), "service": reference(&service), "expires_in": 5,
                "access_token": "access", "refresh_token": "refresh", "scope": "a b",
            }),
        )
        .await;
    let authority = bench.stored("ca_certificates", json!({ "cert": "A", "cert_digest": "d" })).await;
    let owner = reference(&consumer);
    let end = START.plus_seconds(60).seconds();
    let key = json!({ "consumer": owner, "key": "k", "expires_at": end, "tags": ["a"] });
    let key = bench.stored("keyauth_credentials", key).await;
    let secret = json!({ "consumer": owner, "key": "iss", "secret": "s", "rsa_public_key": "P", "algorithm": "RS256" });
    let secret = bench.stored("jwt_secrets", secret).await;
    let role = bench.stored("developer_roles", json!({ "name": "beta", "comment": "c" })).await;
    let [of_developer, of_application] = [bench.consumer("d").await, bench.consumer("a").await];
    let developer = bench
        .stored(
            "developers",
            json!({
                "email": "ana@example.com", "meta": "{}", "roles": ["beta"], "consumer": reference(&of_developer),
                "password_hash": "hash",
            }),
        )
        .await;
    let application = bench
        .stored(
            "applications",
            json!({
                "name": "app", "redirect_uri": "https://app.test/cb", "description": "d", "custom_id": "x",
                "developer": reference(&developer), "consumer": reference(&of_application),
            }),
        )
        .await;
    let parties = json!({
        "application": reference(&application), "service": reference(&service), "scopes": ["a"], "note": "n",
        "composite_id": "a_b",
    });
    let contract = bench.stored("application_instances", parties).await;
    let document = json!({ "service": reference(&service), "path": "specs/a.json", "contents": "{}" });
    let document = bench.stored("document_objects", document).await;
    let stored = [
        ("developer_roles", role),
        ("developers", developer),
        ("applications", application),
        ("application_instances", contract),
        ("document_objects", document),
        ("certificates", certificate),
        ("snis", sni),
        ("services", service),
        ("routes", route),
        ("consumers", consumer),
        ("plugins", plugin),
        ("oauth2_credentials", credential),
        ("oauth2_tokens", token),
        ("ca_certificates", authority),
        ("keyauth_credentials", key),
        ("jwt_secrets", secret),
    ];
    assert_eq!(stored.len(), bench.schemas().len(), "a new entity belongs into this test");
    for (name, entity) in stored {
        let found = bench.store.find(bench.schema(name), &Lookup::Id(id(&entity))).await.unwrap().unwrap();
        assert_eq!(found, entity, "{name}");
        assert_eq!(found.keys().collect::<Vec<_>>(), entity.keys().collect::<Vec<_>>(), "order of {name}");
    }
}

async fn unset_fields_come_back_as_null(bench: &Bench) {
    let route = bench.stored("routes", json!({ "paths": ["/"] })).await;
    let found = bench.store.find(bench.schema("routes"), &Lookup::Id(id(&route))).await.unwrap().unwrap();
    for field in ["name", "methods", "headers", "service", "tags"] {
        assert_eq!(found[field], Value::Null, "{field}");
    }
}

async fn hostile_texts_come_back_unchanged(bench: &Bench) {
    let consumers = bench.schema("consumers");
    for text in ["'; DROP TABLE consumers; --", "$1", "?1", "\"", "\\", "%_", "é\u{301}漢字🦀", "\u{1}\n\t", "", " x "]
    {
        bench.consumer(text).await;
        let by_name = Lookup::Field("username", text.to_owned());
        assert_eq!(bench.store.find(consumers, &by_name).await.unwrap().unwrap()["username"], text);
    }
    let long = "x".repeat(200_000);
    let config = json!({ "'": long, "$1": "\u{2028}", "\\": "\\u0041" });
    let plugin = bench.stored("plugins", json!({ "name": "oauth2", "config": config })).await;
    let found = bench.store.find(bench.schema("plugins"), &Lookup::Id(id(&plugin))).await.unwrap().unwrap();
    assert_eq!(found["config"], config);
}

async fn extreme_numbers_come_back_unchanged(bench: &Bench) {
    let schema = bench.schema("services");
    for (number, at) in [(i64::MAX, 9_000_000_000_i64), (i64::MIN, 0), (0, -1), (-1, 253_402_300_799)] {
        let service = bench.stored("services", json!({ "host": "h", "retries": number, "created_at": at })).await;
        let found = bench.store.find(schema, &Lookup::Id(id(&service))).await.unwrap().unwrap();
        assert_eq!((&found["retries"], &found["created_at"]), (&json!(number), &json!(at)));
    }
}

async fn a_taken_value_is_refused_by_its_field(bench: &Bench) {
    let schema = bench.schema("consumers");
    let bob = bench.consumer("bob").await;
    let unique = |field: &str| Err(StorageError::Unique { fields: vec![field.to_owned()] });
    assert_eq!(bench.store.insert(schema, &entity(schema, json!({ "username": "bob" }))).await, unique("username"));
    let same_id = entity(schema, json!({ "id": bob["id"], "username": "other" }));
    assert_eq!(bench.store.insert(schema, &same_id).await, unique("id"));
    bench.stored("plugins", json!({ "name": "oauth2", "config": {}, "provision_key": "p" })).await;
    let plugins = bench.schema("plugins");
    let again = entity(plugins, json!({ "name": "oauth2", "config": {}, "provision_key": "p" }));
    assert_eq!(bench.store.insert(plugins, &again).await, unique("provision_key"));
    // Unset values do not collide.
    bench.stored("consumers", json!({ "username": "c" })).await;
    bench.stored("consumers", json!({ "username": "d" })).await;
}

async fn a_missing_reference_is_named(bench: &Bench) {
    let nobody = json!({ "id": Uuid::new_v4().to_string() });
    let service = bench.service("s").await;
    let cases = [
        ("routes", "service", json!({ "service": nobody })),
        ("plugins", "route", json!({ "name": "x", "config": {}, "service": reference(&service), "route": nobody })),
        ("snis", "certificate", json!({ "name": "x", "certificate": nobody })),
    ];
    for (name, field, given) in cases {
        let schema = bench.schema(name);
        let outcome = bench.store.insert(schema, &entity(schema, given)).await;
        assert_eq!(outcome, Err(StorageError::ForeignKey { table: name.into(), field: field.into() }));
    }
    let routes = bench.schema("routes");
    let mut route = bench.stored("routes", json!({ "service": reference(&service) })).await;
    route.insert("service".into(), nobody.clone());
    let outcome = bench.store.update(routes, id(&route), &route).await;
    assert_eq!(outcome, Err(StorageError::ForeignKey { table: "routes".into(), field: "service".into() }));
}

async fn what_is_still_named_stays(bench: &Bench) {
    let certificate = bench.stored("certificates", json!({ "cert": "C", "key": "K" })).await;
    let given = json!({ "host": "h", "client_certificate": reference(&certificate) });
    let service = bench.stored("services", given).await;
    let route = bench.stored("routes", json!({ "service": reference(&service) })).await;
    let (services, certificates) = (bench.schema("services"), bench.schema("certificates"));
    let by = |by: &str| Err(StorageError::Referenced { by: by.to_owned() });
    assert_eq!(bench.store.delete(services, id(&service)).await, by("routes"));
    assert_eq!(bench.store.delete(certificates, id(&certificate)).await, by("services"));
    assert_eq!(bench.store.delete(bench.schema("routes"), id(&route)).await, Ok(true));
    assert_eq!(bench.store.delete(services, id(&service)).await, Ok(true));
    assert_eq!(bench.store.delete(services, id(&service)).await, Ok(false));
    assert_eq!(bench.store.delete(certificates, id(&certificate)).await, Ok(true));
}

async fn a_consumer_takes_along_what_hangs_on_it(bench: &Bench) {
    let credential = bench.credential("c").await;
    let consumer = Uuid::parse_str(credential["consumer"]["id"].as_str().unwrap()).unwrap();
    let given = json!({ "credential": reference(&credential), "expires_in": 0, "access_token": "t" });
    let token = bench.stored("oauth2_tokens", given).await;
    let given = json!({ "name": "x", "config": {}, "consumer": { "id": consumer.to_string() } });
    let plugin = bench.stored("plugins", given).await;
    assert_eq!(bench.store.delete(bench.schema("consumers"), consumer).await, Ok(true));
    for (name, entity) in [("oauth2_credentials", credential), ("oauth2_tokens", token), ("plugins", plugin)] {
        assert_eq!(bench.store.find(bench.schema(name), &Lookup::Id(id(&entity))).await, Ok(None), "{name}");
    }
}

async fn an_update_replaces_every_field(bench: &Bench) {
    let schema = bench.schema("services");
    let mut service = bench.stored("services", json!({ "name": "a", "host": "h", "path": "/x", "tags": ["t"] })).await;
    service.extend([("name".into(), json!("b")), ("path".into(), Value::Null), ("tags".into(), Value::Null)]);
    assert_eq!(bench.store.update(schema, id(&service), &service).await, Ok(true));
    let found = bench.store.find(schema, &Lookup::Field("name", "b".into())).await.unwrap();
    assert_eq!(found, Some(service.clone()));
    assert_eq!(bench.store.update(schema, Uuid::new_v4(), &entity(schema, json!({ "host": "h" }))).await, Ok(false));
}

async fn a_refused_update_changes_nothing(bench: &Bench) {
    let schema = bench.schema("consumers");
    let before = bench.consumer("a").await;
    bench.consumer("b").await;
    let mut after = before.clone();
    after.extend([("username".into(), json!("b")), ("custom_id".into(), json!("new"))]);
    let outcome = bench.store.update(schema, id(&before), &after).await;
    assert_eq!(outcome, Err(StorageError::Unique { fields: vec!["username".into()] }));
    assert_eq!(bench.store.find(schema, &Lookup::Id(id(&before))).await, Ok(Some(before)));
}

async fn sealed_fields_are_found_by_digest_and_rest_unreadable(bench: &Bench) {
    let credential = bench.credential("client").await;
    let given = json!({
        "credential": reference(&credential), "expires_in": 0, "access_token": "PLAINACCESS", "refresh_token": "PLAINREFRESH",
    });
    let token = bench.stored("oauth2_tokens", given).await;
    bench.stored("plugins", json!({ "name": "x", "config": {}, "provision_key": "PLAINPROVISION" })).await;
    bench.stored("certificates", json!({ "cert": "C", "key": "PLAINKEY" })).await;
    for (field, value) in [("access_token", "PLAINACCESS"), ("refresh_token", "PLAINREFRESH")] {
        let by_value = Lookup::Field(field, value.to_owned());
        assert_eq!(bench.store.find(bench.schema("oauth2_tokens"), &by_value).await, Ok(Some(token.clone())));
    }
    let by_secret = Lookup::Field("client_secret", "secret of client".to_owned());
    let refused = bench.store.find(bench.schema("oauth2_credentials"), &by_secret).await;
    assert!(matches!(refused, Err(StorageError::UnknownField { .. })), "{refused:?}");
    let Some(raw) = bench.raw().await else { return };
    let holds = |text: &str| raw.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("owner of client"), "the search itself must work");
    for secret in ["PLAINACCESS", "PLAINREFRESH", "PLAINPROVISION", "PLAINKEY", "secret of client"] {
        assert!(!holds(secret), "{secret} lies in clear");
    }
}

async fn a_nul_is_refused_and_never_found(bench: &Bench) {
    let schema = bench.schema("consumers");
    let refused = bench.store.insert(schema, &entity(schema, json!({ "username": "a\u{0}b" }))).await;
    assert_eq!(refused, Err(StorageError::Unstorable { field: "username".into() }));
    assert_eq!(bench.store.find(schema, &Lookup::Field("username", "a\u{0}b".into())).await, Ok(None));
    assert!(matches!(bench.store.find_client("a\u{0}b").await, Ok(None)));
    assert_eq!(bench.store.find_consumer("a\u{0}b").await, Ok(None));
}

async fn the_configuration_is_read_whole(bench: &Bench) {
    let service = bench.service("a").await;
    let other = bench.service("b").await;
    let route = bench.stored("routes", json!({ "service": reference(&service) })).await;
    let asked = [bench.schema("routes"), bench.schema("services"), bench.schema("snis")];
    let (version, loaded) = bench.store.load_configuration(&asked).await.unwrap();
    assert_eq!(version, bench.store.configuration_version().await.unwrap());
    assert_eq!(loaded, [vec![route], vec![service, other], vec![]]);
}

async fn every_statement_prepares(bench: &Bench) {
    assert!(bench.store.check_statements(&bench.schemas()).await.unwrap() > 60);
    bench.store.ping().await.unwrap();
}
