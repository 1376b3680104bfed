//! Developers, applications, contracts: what is written together, and what ends together.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate::schema::Entity;
use tollgate::storage::{Handed, ListQuery, Lookup, Session, SessionHolder, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, START};
use crate::conformance;
use crate::fixtures::{digest, entity, id, races, token};
use crate::people::{
    World, application, developer, insert, left, stored_application, stored_contract, stored_developer, total, world,
};

async fn a_developer_is_stored_whole_or_not(bench: &Bench) {
    stored_developer(bench, "a@b.c").await;
    let (consumer, developer) = developer(bench, "a@b.c");
    let mut other = consumer.clone();
    other.insert("username".into(), "another".into());
    let schemas = (bench.schema("consumers"), bench.schema("developers"));
    let refused = bench.store.insert_developer(&[(schemas.0, &other), (schemas.1, &developer)]).await;
    assert_eq!(refused, Err(StorageError::Unique { fields: vec!["email".into()] }));
    let refused = bench.store.insert_developer(&[(schemas.0, &consumer), (schemas.1, &developer)]).await;
    assert_eq!(refused, Err(StorageError::Unique { fields: vec!["username".into()] }));
    assert_eq!((total(bench, "consumers").await, total(bench, "developers").await), (1, 1));
}

async fn an_application_needs_its_developer(bench: &Bench) {
    let developer = stored_developer(bench, "a@b.c").await;
    stored_application(bench, &developer, "app").await;
    let mut again = application(bench, &developer, "app");
    for (row, field) in [(0, "username"), (1, "client_id")] {
        again[row].insert(field.into(), "other".into());
    }
    let refused = insert(bench, &developer, &again).await;
    assert_eq!(refused, Err(StorageError::Unique { fields: vec!["name_key".into()] }));
    let nobody = entity(bench.schema("developers"), json!({}));
    let refused = insert(bench, &nobody, &application(bench, &nobody, "lost")).await;
    assert_eq!(refused, Err(StorageError::ForeignKey { table: "applications".into(), field: "developer".into() }));
    assert_eq!((total(bench, "consumers").await, total(bench, "oauth2_credentials").await), (2, 1));
}

async fn who_deletes_a_developer_leaves_nothing_behind(bench: &Bench) {
    let (gone, kept) = (stored_developer(bench, "a@b.c").await, stored_developer(bench, "b@b.c").await);
    let service = bench.service("s").await;
    for (developer, name) in [(&gone, "one"), (&gone, "two"), (&kept, "three")] {
        let (credential, application) = stored_application(bench, developer, name).await;
        stored_contract(bench, &application, &service).await;
        assert!(bench.store.insert_tokens(vec![token(&credential, name)]).await[0].is_ok());
    }
    let consumers: BTreeSet<Uuid> = bench.store.delete_developer(id(&gone)).await.unwrap().into_iter().collect();
    assert_eq!(consumers.len(), 3, "of the developer and both applications");
    let tables = ["consumers", "developers", "applications", "application_instances", "oauth2_credentials"];
    let mut left = Vec::new();
    for table in tables {
        left.push(total(bench, table).await);
    }
    assert_eq!(left, [2, 1, 1, 1, 1]);
    assert!(bench.store.find_token(digest("one")).await.unwrap().is_none());
    assert!(bench.store.find_token(digest("three")).await.unwrap().is_some());
    assert_eq!(bench.store.delete_developer(id(&gone)).await, Ok(Vec::new()));
}

/// An application that is made while its developer is deleted is deleted too, or not made.
async fn no_consumer_outlives_a_developer_who_is_deleted_meanwhile(bench: &Bench) {
    for trial in 0..races() {
        let developer = stored_developer(bench, &format!("{trial}@b.c")).await;
        let names: Vec<String> = (0..3).map(|nth| format!("{trial}/{nth}")).collect();
        let rows: Vec<_> = names.iter().map(|name| application(bench, &developer, name)).collect();
        let made = async {
            for rows in &rows {
                let outcome = insert(bench, &developer, rows).await;
                let refused = StorageError::ForeignKey { table: "applications".into(), field: "developer".into() };
                assert!(outcome.is_ok() || outcome == Err(refused.clone()), "{outcome:?}");
            }
        };
        let deleted = async { bench.store.delete_developer(id(&developer)).await.unwrap() };
        tokio::join!(made, deleted);
        bench.store.delete_developer(id(&developer)).await.unwrap();
        assert_eq!((total(bench, "consumers").await, total(bench, "applications").await), (0, 0), "trial {trial}");
    }
}

async fn an_application_hands_on_what_its_credentials_still_have(bench: &Bench) {
    let developer = stored_developer(bench, "a@b.c").await;
    let (first, mut application) = stored_application(bench, &developer, "app").await;
    let own = json!({ "consumer": first["consumer"], "name": "own", "client_id": "own", "client_secret": "s",
        "redirect_uris": ["https://app.test/cb", "https://own.test/"] });
    let own = bench.stored("oauth2_credentials", own).await;
    application.insert("name".into(), "renamed".into());
    let consumer = application["consumer"]["id"].as_str().unwrap().parse().unwrap();
    let handed = Handed {
        consumer,
        name: Some(("app".into(), "renamed".into())),
        redirect_uris: Some((json!(["https://app.test/cb"]), json!(["https://new.test/"]))),
        custom_id: Some(Some("ref".into())),
    };
    let (schema, schemas) = (bench.schema("applications"), bench.schema("oauth2_credentials"));
    assert_eq!(bench.store.update_application(schema, id(&application), &application, &handed).await, Ok(true));
    let found = async |id: Uuid| bench.store.find(schemas, &Lookup::Id(id)).await.unwrap().unwrap();
    let (first, own) = (found(id(&first)).await, found(id(&own)).await);
    assert_eq!((&first["name"], &first["redirect_uris"]), (&json!("renamed"), &json!(["https://new.test/"])));
    assert_eq!((&own["name"], own["redirect_uris"].as_array().unwrap().len()), (&json!("own"), 2));
    let hidden = bench.store.find_consumer(&consumer.to_string()).await.unwrap().unwrap();
    assert_eq!(hidden.custom_id.as_deref(), Some("ref"));
    bench.stored("consumers", json!({ "username": "party", "custom_id": "taken" })).await;
    let taken = Handed { custom_id: Some(Some("taken".into())), name: None, redirect_uris: None, consumer };
    let refused = bench.store.update_application(schema, id(&application), &application, &taken).await;
    assert_eq!(refused, Err(StorageError::Unique { fields: vec!["custom_id".into()] }));
    assert_eq!(bench.store.update_application(schema, Uuid::nil(), &application, &handed).await, Ok(false));
}

async fn closing_a_contract_ends_what_it_gave(bench: &Bench) {
    let World { applications, services, .. } = world(bench).await;
    let mut contract = stored_contract(bench, &applications[0], &services[1]).await;
    let schema = bench.schema("application_instances");
    contract.insert("note".into(), "kept open".into());
    assert_eq!(bench.store.update_contract(schema, id(&contract), &contract, None).await, Ok(true));
    assert_eq!(left(bench).await.len(), 4);
    contract.insert("status".into(), 3.into());
    let ends = (id(&applications[0]), id(&services[1]));
    assert_eq!(bench.store.update_contract(schema, id(&contract), &contract, Some(ends)).await, Ok(true));
    assert_eq!(left(bench).await, ["00", "10", "11"]);
    let other = stored_contract(bench, &applications[1], &services[0]).await;
    let (application, service) = (id(&applications[1]), id(&services[0]));
    assert_eq!(bench.store.delete_contract(id(&other), application, service).await, Ok(true));
    assert_eq!(left(bench).await, ["00", "11"]);
    assert_eq!(bench.store.delete_contract(id(&other), application, service).await, Ok(false));
}

async fn closing_a_developer_ends_what_the_applications_have(bench: &Bench) {
    let World { mut developer, applications, .. } = world(bench).await;
    let schema = bench.schema("developers");
    let consumers = async |developer: &Entity, close: bool| {
        let consumers = bench.store.update_developer(schema, id(developer), developer, close).await.unwrap();
        consumers.map(|consumers| consumers.into_iter().collect::<BTreeSet<_>>())
    };
    let hidden =
        applications.iter().map(|application| application["consumer"]["id"].as_str().unwrap().parse().unwrap());
    let hidden: BTreeSet<Uuid> = hidden.collect();
    assert_eq!(consumers(&developer, false).await, Some(hidden.clone()));
    assert_eq!(left(bench).await.len(), 4);
    let other = stored_developer(bench, "b@b.c").await;
    for (developer, cookie) in [(&developer, "c1"), (&developer, "c2"), (&other, "c3")] {
        let (holder, expires_at) = (SessionHolder::Developer(id(developer)), START.plus_seconds(60));
        let session = Session { id: Uuid::now_v7(), holder, created_at: START, seen_at: START, expires_at };
        bench.store.insert_session(&session, digest(cookie)).await.unwrap();
    }
    developer.insert("status".into(), 3.into());
    assert_eq!(consumers(&developer, true).await, Some(hidden));
    assert!(left(bench).await.is_empty());
    for (cookie, stays) in [("c1", false), ("c2", false), ("c3", true)] {
        assert_eq!(bench.store.find_session(digest(cookie)).await.unwrap().is_some(), stays, "{cookie}");
    }
    assert_eq!(total(bench, "applications").await, 2, "data is kept");
    developer.insert("id".into(), Uuid::nil().to_string().into());
    assert_eq!(consumers(&developer, true).await, None);
}

async fn a_role_changes_in_the_rows_of_those_who_have_it(bench: &Bench) {
    let role = bench.stored("developer_roles", json!({ "name": "beta" })).await;
    let schema = bench.schema("developers");
    let mut ids = Vec::new();
    for (email, roles) in [("a@b.c", json!(["alpha", "beta"])), ("b@b.c", json!(["beta"])), ("c@b.c", Value::Null)] {
        let mut developer = stored_developer(bench, email).await;
        developer.insert("roles".into(), roles);
        bench.store.update(schema, id(&developer), &developer).await.unwrap();
        ids.push(id(&developer));
    }
    let roles = async || {
        let mut roles = Vec::new();
        for id in &ids {
            roles.push(bench.store.find(schema, &Lookup::Id(*id)).await.unwrap().unwrap()["roles"].clone());
        }
        roles
    };
    let having = async |role: &str| {
        let query = ListQuery { filters: vec![("roles[]".into(), role.into())], size: 10, ..ListQuery::default() };
        bench.store.list(schema, &query).await.unwrap().data.len()
    };
    assert_eq!((having("beta").await, having("alpha").await, having("bet").await, having("\0").await), (2, 1, 0, 0));
    let mut renamed = role.clone();
    renamed.insert("name".into(), "γ".into());
    let store = &bench.store;
    let kind = bench.schema("developer_roles");
    assert_eq!(store.update_role(kind, id(&role), &renamed, ("beta", "γ")).await, Ok(true));
    assert_eq!(roles().await, [json!(["alpha", "γ"]), json!(["γ"]), Value::Null]);
    assert_eq!(store.delete_role(kind, id(&role), "γ").await, Ok(true));
    assert_eq!(roles().await, [json!(["alpha"]), Value::Null, Value::Null]);
    assert_eq!(store.delete_role(kind, id(&role), "γ").await, Ok(false));
}

conformance!(
    a_developer_is_stored_whole_or_not,
    an_application_needs_its_developer,
    who_deletes_a_developer_leaves_nothing_behind,
    no_consumer_outlives_a_developer_who_is_deleted_meanwhile,
    an_application_hands_on_what_its_credentials_still_have,
    closing_a_contract_ends_what_it_gave,
    closing_a_developer_ends_what_the_applications_have,
    a_role_changes_in_the_rows_of_those_who_have_it,
);
