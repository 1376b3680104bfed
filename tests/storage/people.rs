//! Developers, applications and contracts to test with.

use serde_json::json;
use tollgate::schema::Entity;
use tollgate::storage::{ListQuery, StorageError};

use crate::bench::Bench;
use crate::fixtures::{code, digest, entity, id, reference, token};

/// The rows of a developer, in the order in which they refer to each other.
pub fn developer(bench: &Bench, email: &str) -> (Entity, Entity) {
    let consumer = entity(bench.schema("consumers"), json!({ "username": format!("developer {email}"), "type": 1 }));
    let fields = json!({ "email": email, "status": 0, "consumer": reference(&consumer) });
    let developer = entity(bench.schema("developers"), fields);
    (consumer, developer)
}

pub async fn stored_developer(bench: &Bench, email: &str) -> Entity {
    let (consumer, developer) = developer(bench, email);
    let rows = [(bench.schema("consumers"), &consumer), (bench.schema("developers"), &developer)];
    bench.store.insert_developer(&rows).await.unwrap();
    developer
}

/// Consumer, credential and application.
pub fn application(bench: &Bench, developer: &Entity, name: &str) -> [Entity; 3] {
    let consumer = entity(bench.schema("consumers"), json!({ "username": format!("application {name}"), "type": 2 }));
    let fields = json!({ "consumer": reference(&consumer), "name": name, "client_id": format!("client of {name}"),
        "client_secret": "secret", "redirect_uris": ["https://app.test/cb"] });
    let credential = entity(bench.schema("oauth2_credentials"), fields);
    let key = format!("{}_{name}", developer["id"].as_str().unwrap());
    let fields = json!({ "name": name, "name_key": key, "developer": reference(developer),
        "consumer": reference(&consumer), "redirect_uri": "https://app.test/cb" });
    [consumer, credential, entity(bench.schema("applications"), fields)]
}

pub async fn insert(bench: &Bench, developer: &Entity, rows: &[Entity; 3]) -> Result<(), StorageError> {
    let names = ["consumers", "oauth2_credentials", "applications"];
    let rows: Vec<_> = names.iter().zip(rows).map(|(name, row)| (bench.schema(name), row)).collect();
    bench.store.insert_application(id(developer), &rows).await
}

/// Credential and application.
pub async fn stored_application(bench: &Bench, developer: &Entity, name: &str) -> (Entity, Entity) {
    let rows = application(bench, developer, name);
    insert(bench, developer, &rows).await.unwrap();
    let [_, credential, application] = rows;
    (credential, application)
}

pub async fn stored_contract(bench: &Bench, application: &Entity, service: &Entity) -> Entity {
    let key = format!("{}_{}", application["id"].as_str().unwrap(), service["id"].as_str().unwrap());
    let fields = json!({ "composite_id": key, "application": reference(application), "service": reference(service),
        "status": 0, "suspended": false });
    bench.stored("application_instances", fields).await
}

pub async fn total(bench: &Bench, name: &str) -> u64 {
    bench.store.count(bench.schema(name), &ListQuery::default(), 1000).await.unwrap()
}

/// A world of one developer with two applications, tokens and codes of both for two services.
pub struct World {
    pub developer: Entity,
    pub applications: Vec<Entity>,
    pub services: Vec<Entity>,
}

pub async fn world(bench: &Bench) -> World {
    let developer = stored_developer(bench, "a@b.c").await;
    let plugin = bench.plugin().await;
    let services = vec![bench.service("s0").await, bench.service("s1").await];
    let mut applications = Vec::new();
    for place in 0..2 {
        let (credential, application) = stored_application(bench, &developer, &format!("a{place}")).await;
        for (number, service) in services.iter().enumerate() {
            let mut token = token(&credential, &format!("token {place}{number}"));
            token.service_id = Some(id(service));
            assert!(bench.store.insert_tokens(vec![token]).await[0].is_ok());
            let mut code = code(&credential, &plugin, &format!("code {place}{number}"));
            code.service_id = Some(id(service));
            bench.store.insert_code(&code).await.unwrap();
        }
        applications.push(application);
    }
    World { developer, applications, services }
}

/// Which tokens and codes are left, by application and service.
pub async fn left(bench: &Bench) -> Vec<String> {
    let mut left = Vec::new();
    for place in ["00", "01", "10", "11"] {
        let token = bench.store.find_token(digest(&format!("token {place}"))).await.unwrap().is_some();
        let code = bench.store.find_code(digest(&format!("code {place}"))).await.unwrap().is_some();
        assert_eq!(token, code, "{place}: both end");
        left.extend(token.then(|| place.to_owned()));
    }
    left
}
