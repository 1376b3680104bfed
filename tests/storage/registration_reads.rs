//! What is asked of developers, services and tokens.

use serde_json::{Value, json};
use tollgate::domain::ContractStatus;
use tollgate::schema::Entity;
use tollgate::storage::{Holder, ListQuery, Order, StorageError, TokenFilter};
use uuid::Uuid;

use crate::bench::Bench;
use crate::conformance;
use crate::fixtures::{entity, id, races, reference, token};
use crate::people::{World, left, stored_application, stored_contract, stored_developer, total, world};

async fn lists_by_a_text_have_one_order(bench: &Bench) {
    let names = ["b", "a", "B", "Ä", "a b", "ж", "_", "10", "9"];
    for name in names {
        stored_developer(bench, name).await;
    }
    let schema = bench.schema("developers");
    for descending in [false, true] {
        let mut seen: Vec<String> = Vec::new();
        let mut query = ListQuery { size: 2, ..ListQuery::default() };
        loop {
            query.order = Order::By { field: "email", descending, after: seen.last().cloned() };
            let page = bench.store.list(schema, &query).await.unwrap();
            seen.extend(page.data.iter().map(|row| row["email"].as_str().unwrap().to_owned()));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let mut wanted = names.map(str::to_owned).to_vec();
        wanted.sort();
        if descending {
            wanted.reverse();
        }
        assert_eq!(seen, wanted, "byte by byte");
    }
    let mut newest = ListQuery { size: 4, order: Order::Newest, ..ListQuery::default() };
    let page = bench.store.list(schema, &newest).await.unwrap();
    newest.after = page.next;
    let rest = bench.store.list(schema, &newest).await.unwrap();
    let emails = page.data.iter().chain(&rest.data).map(|row| row["email"].as_str().unwrap());
    assert_eq!(emails.collect::<Vec<_>>(), ["9", "10", "_", "ж", "a b", "Ä", "B", "a"]);
    let by = |field| ListQuery { order: Order::By { field, descending: false, after: None }, ..ListQuery::default() };
    for field in ["status", "roles", "password_hash", "consumer", "nothing"] {
        let refused = bench.store.list(schema, &by(field)).await;
        assert_eq!(refused, Err(StorageError::UnknownField { table: "developers".into(), field: field.into() }));
    }
}

async fn lists_are_bounded_by_instants(bench: &Bench) {
    let schema = bench.schema("developers");
    let at = stored_developer(bench, "a@b.c").await["created_at"].as_i64().unwrap();
    let found = async |filters: &[(&str, Value)]| {
        let filters = filters.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
        let query = ListQuery { filters, size: 2, ..ListQuery::default() };
        let page = bench.store.list(schema, &query).await?;
        assert_eq!(bench.store.count(schema, &query, 2).await?, page.data.len() as u64);
        Ok::<usize, StorageError>(page.data.len())
    };
    assert_eq!(found(&[("created_at_from", json!(at)), ("created_at_to", json!(at))]).await, Ok(1));
    assert_eq!(found(&[("created_at_from", json!(at + 1))]).await, Ok(0));
    assert_eq!(found(&[("created_at_to", json!(at - 1))]).await, Ok(0));
    assert_eq!(found(&[("created_at_to", json!("soon"))]).await, Ok(0));
    let refused = StorageError::UnknownField { table: "developers".into(), field: "email".into() };
    assert_eq!(found(&[("email_from", json!(1))]).await, Err(refused));
}

async fn many_are_found_at_once(bench: &Bench) {
    let schema = bench.schema("developers");
    let mut ids = Vec::new();
    for nth in 0..51 {
        ids.push(id(&stored_developer(bench, &format!("{nth}@b.c")).await));
    }
    let found = bench.store.find_all(schema, &ids).await.unwrap();
    assert!(ids.iter().all(|known| id(&found[known]) == *known) && found.len() == 51);
    let some = bench.store.find_all(schema, &[ids[3], Uuid::nil(), ids[3]]).await.unwrap();
    assert_eq!(some.keys().collect::<Vec<_>>(), [&ids[3]]);
    assert!(bench.store.find_all(schema, &[]).await.unwrap().is_empty());
}

async fn a_service_has_one_document_whoever_puts_it(bench: &Bench) {
    let (service, schema) = (bench.service("s").await, bench.schema("document_objects"));
    let (place, service) = (id(&service), reference(&service));
    let document = |path: &str| entity(schema, json!({ "path": path, "service": service }));
    for trial in 0..races() {
        let documents = [document(&format!("{trial}a")), document(&format!("{trial}b"))];
        let [one, other] = documents.each_ref().map(|document| bench.store.replace_document(schema, place, document));
        let (one, other) = tokio::join!(one, other);
        assert_eq!((one, other), (Ok(()), Ok(())));
        assert_eq!(total(bench, "document_objects").await, 1);
    }
    let lost = entity(schema, json!({ "path": "x", "service": { "id": Uuid::nil().to_string() } }));
    let refused = bench.store.replace_document(schema, Uuid::nil(), &lost).await;
    assert_eq!(refused, Err(StorageError::ForeignKey { table: "document_objects".into(), field: "service".into() }));
}

async fn the_services_that_take_applications_are_told_without_their_keys(bench: &Bench) {
    let World { applications, services, .. } = world(bench).await;
    let gate = |enabled: bool, service: &Entity| {
        json!({ "name": "application-registration", "config": { "display_name": "d" }, "provision_key": "hunter2",
            "enabled": enabled, "service": reference(service) })
    };
    bench.stored("plugins", gate(true, &services[0])).await;
    let mut off = gate(false, &services[1]);
    off["provision_key"] = Value::Null;
    bench.stored("plugins", off).await;
    let key_auth = json!({ "name": "key-auth", "config": { "key_names": ["k"] }, "service": reference(&services[0]) });
    bench.stored("plugins", key_auth).await;
    let route = |service: &Entity| json!({ "hosts": ["a.test"], "paths": ["/x"], "service": reference(service) });
    for service in &services {
        bench.stored("routes", route(service)).await;
    }
    bench.stored("document_objects", json!({ "path": "x.yaml", "service": reference(&services[0]) })).await;
    let contract = stored_contract(bench, &applications[0], &services[0]).await;
    let told = bench.store.offers(Some(id(&applications[0]))).await.unwrap();
    let [offer] = told.offers.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (offer.service, offer.name.as_deref(), offer.document.as_deref()),
        (id(&services[0]), Some("s0"), Some("x.yaml"))
    );
    assert_eq!(offer.contract, Some((id(&contract), ContractStatus::Approved)));
    assert_eq!((offer.config["display_name"].as_str(), format!("{told:?}").contains("hunter2")), (Some("d"), false));
    assert_eq!((told.guards.len(), told.guards[0].name.as_str()), (1, "key-auth"));
    assert_eq!((told.entrances.len(), &told.entrances[0].paths), (1, &vec!["/x".to_owned()]));
    for nobody in [None, Some(id(&applications[1]))] {
        assert_eq!(bench.store.offers(nobody).await.unwrap().offers[0].contract, None);
    }
}

async fn tokens_end_by_what_they_have_in_common(bench: &Bench) {
    let World { services, .. } = world(bench).await;
    let by = |user: Option<&str>, service: Option<&Entity>| TokenFilter {
        authenticated_userid: user.map(str::to_owned),
        service: service.map(id),
        ..TokenFilter::default()
    };
    let store = &bench.store;
    for impossible in ["\0", "nobody"] {
        assert_eq!(store.count_tokens(&by(Some(impossible), None), 10).await, Ok(0));
    }
    assert_eq!(store.count_tokens(&by(Some("alice"), None), 10).await, Ok(4));
    assert_eq!(store.count_tokens(&by(None, None), 2).await, Ok(3), "more than two");
    let of = by(Some("alice"), Some(&services[1]));
    assert!(store.revoke_tokens(&of).await.unwrap().is_some());
    assert_eq!(left(bench).await, ["00", "10"]);
    bench.clock.advance_seconds(2 * 86_400);
    assert_eq!(store.count_tokens(&by(Some("alice"), None), 10).await, Ok(0), "ended");
}

async fn tokens_are_drained_in_bites(bench: &Bench) {
    let World { developer, applications, .. } = world(bench).await;
    let store = &bench.store;
    let application = id(&applications[0]);
    assert_eq!(store.drain_tokens(Holder::Developer(id(&developer)), 1).await, Ok(1), "no more than a bite");
    assert_eq!(store.count_tokens(&TokenFilter::default(), 10).await, Ok(3));
    let other = Holder::Application(id(&applications[1]));
    let drained = store.drain_tokens(other, 10).await.unwrap()
        + store.drain_tokens(Holder::Application(application), 10).await.unwrap();
    assert_eq!((drained, store.drain_tokens(Holder::Developer(Uuid::nil()), 10).await), (3, Ok(0)));
    let (credential, _) = stored_application(bench, &developer, "more").await;
    assert!(store.insert_tokens(vec![token(&credential, "t")]).await[0].is_ok());
    assert_eq!(store.drain_tokens(Holder::Credential(id(&credential)), 10).await, Ok(1));
}

conformance!(
    tokens_are_drained_in_bites,
    lists_by_a_text_have_one_order,
    lists_are_bounded_by_instants,
    many_are_found_at_once,
    a_service_has_one_document_whoever_puts_it,
    the_services_that_take_applications_are_told_without_their_keys,
    tokens_end_by_what_they_have_in_common,
);
