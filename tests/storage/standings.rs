//! How consumers stand to services.

use serde_json::{Value, json};
use tollgate::domain::{ApplicationView, ContractStatus, ContractView, DeveloperStatus, Standing};
use tollgate::schema::Entity;
use uuid::Uuid;

use crate::bench::Bench;
use crate::fixtures::{id, reference};

crate::conformance!(a_consumer_stands_by_its_application_and_the_contract, a_standing_goes_with_what_it_is_made_of);

/// A developer of this status, and an application of it with a consumer of its own.
async fn application(bench: &Bench, status: i64) -> (Entity, Entity, Entity) {
    let hidden = bench.consumer(&format!("developer {status}")).await;
    let fields =
        json!({ "email": format!("d{status}@a.test"), "status": status, "meta": "{}", "consumer": reference(&hidden) });
    let developer = bench.stored("developers", fields).await;
    let consumer = bench.consumer(&format!("application {status}")).await;
    let fields = json!({ "name": format!("app {status}"), "redirect_uri": "https://a.test",
        "developer": reference(&developer), "consumer": reference(&consumer) });
    (developer, bench.stored("applications", fields).await, consumer)
}

async fn contract(bench: &Bench, application: &Entity, service: &Entity, given: Value) -> Entity {
    let mut fields = json!({ "application": reference(application), "service": reference(service), "status": 0,
        "suspended": false, "composite_id": format!("{}_{}", application["id"], service["id"]) });
    given.as_object().unwrap().iter().for_each(|(name, value)| fields[name] = value.clone());
    bench.stored("application_instances", fields).await
}

async fn standing(bench: &Bench, consumer: &Entity, service: &Entity) -> Standing {
    bench.store.find_standing(id(consumer), id(service)).await.unwrap()
}

async fn a_consumer_stands_by_its_application_and_the_contract(bench: &Bench) {
    let (a, b) = (bench.service("a").await, bench.service("b").await);
    let (_, approved, consumer) = application(bench, 0).await;
    let view = |contract| ApplicationView {
        id: id(&approved),
        name: "app 0".into(),
        developer: DeveloperStatus::Approved,
        contract,
    };
    let told = |standing| match standing {
        Standing::Application(view) => (*view).clone(),
        Standing::Stranger => panic!("a stranger"),
    };
    assert_eq!(told(standing(bench, &consumer, &a).await), view(None));
    contract(bench, &approved, &a, json!({ "scopes": ["read", "write"] })).await;
    contract(bench, &approved, &b, json!({ "status": 3, "suspended": true })).await;
    let scopes = Some(vec!["read".to_owned(), "write".to_owned()]);
    let at_a = ContractView { status: ContractStatus::Approved, suspended: false, scopes };
    assert_eq!(told(standing(bench, &consumer, &a).await), view(Some(at_a)));
    let at_b = ContractView { status: ContractStatus::Revoked, suspended: true, scopes: None };
    assert_eq!(told(standing(bench, &consumer, &b).await), view(Some(at_b)));
    let (_, _, pending) = application(bench, 5).await;
    assert_eq!(told(standing(bench, &pending, &a).await).developer, DeveloperStatus::Unverified);
    let plain = bench.consumer("plain").await;
    assert_eq!(standing(bench, &plain, &a).await, Standing::Stranger);
    assert_eq!(bench.store.find_standing(Uuid::new_v4(), id(&a)).await, Ok(Standing::Stranger));
}

async fn a_standing_goes_with_what_it_is_made_of(bench: &Bench) {
    let service = bench.service("a").await;
    let (developer, app, consumer) = application(bench, 0).await;
    let stored = contract(bench, &app, &service, json!({})).await;
    let instances = bench.schema("application_instances");
    assert_eq!(bench.store.delete(instances, id(&stored)).await, Ok(true));
    let without = standing(bench, &consumer, &service).await;
    assert!(matches!(without, Standing::Application(view) if view.contract.is_none()));
    assert_eq!(bench.store.delete(bench.schema("developers"), id(&developer)).await, Ok(true));
    assert_eq!(standing(bench, &consumer, &service).await, Standing::Stranger);
}
