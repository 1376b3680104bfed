//! How consumers stand to services.

use serde_json::{Value, json};
use tollgate::domain::{ApplicationView, ContractStatus, ContractView, DeveloperStatus, Standing, Timestamp};
use tollgate::schema::Entity;
use tollgate::storage::ApplicationCalls;
use uuid::Uuid;

use crate::bench::{Bench, START};
use crate::fixtures::{CROWD, digest, id, reference};

crate::conformance!(
    a_consumer_stands_by_its_application_and_the_contract,
    a_standing_goes_with_what_it_is_made_of,
    the_ids_of_applications_are_listed_in_pages,
    calls_are_added_up_by_minute_and_hour,
    calls_of_what_has_gone_are_left_out,
    counted_calls_are_swept_by_their_width,
);

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

async fn the_ids_of_applications_are_listed_in_pages(bench: &Bench) {
    let (_, _, consumer) = application(bench, 0).await;
    for number in 0..5 {
        let client_id = format!("client {number}");
        let fields = json!({ "consumer": reference(&consumer), "name": "n", "client_id": client_id,
            "client_secret": "s", "redirect_uris": ["https://a.test"] });
        bench.stored("oauth2_credentials", fields).await;
    }
    bench.credential("of a plain consumer").await;
    let first = bench.store.client_id_digests(None, 3).await.unwrap();
    let rest = bench.store.client_id_digests(Some(first[2].0), 3).await.unwrap();
    let mut listed: Vec<_> = first.iter().chain(&rest).map(|(_, digest)| *digest).collect();
    let mut wanted: Vec<_> = (0..5).map(|number| digest(&format!("client {number}"))).collect();
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted);
}

/// The parties of calls, and a way to say how many there were.
async fn parties(bench: &Bench) -> (Uuid, Uuid, Uuid) {
    let (_, app, _) = application(bench, 0).await;
    (id(&app), id(&bench.service("a").await), id(&bench.service("b").await))
}

fn calls(application: Uuid, service: Uuid, at: Timestamp, admitted: i64, refused: i64) -> ApplicationCalls {
    ApplicationCalls { application, service, at, admitted, refused }
}

async fn counted(bench: &Bench, app: Uuid, service: Option<Uuid>, width: i64) -> Vec<(Timestamp, i64, i64)> {
    let (from, to) = (START.plus_seconds(-86_400), START.plus_seconds(86_400));
    bench.store.application_requests(app, service, width, from, to).await.unwrap()
}

async fn calls_are_added_up_by_minute_and_hour(bench: &Bench) {
    let (app, a, b) = parties(bench).await;
    // 1 700 000 000 is 20 s into its minute, and 800 s into its hour.
    let (minute, hour) = (START.plus_seconds(-20), START.plus_seconds(-800));
    let later = START.plus_seconds(45);
    bench.store.add_application_requests(Vec::new()).await.unwrap();
    bench.store.add_application_requests(vec![calls(app, b, later, 1, 0), calls(app, a, START, 5, 2)]).await.unwrap();
    bench.store.add_application_requests(vec![calls(app, a, START.plus_seconds(30), 10, 0)]).await.unwrap();
    let next = minute.plus_seconds(60);
    assert_eq!(counted(bench, app, Some(a), 60).await, [(minute, 15, 2)]);
    assert_eq!(counted(bench, app, None, 60).await, [(minute, 15, 2), (next, 1, 0)]);
    assert_eq!(counted(bench, app, None, 3600).await, [(hour, 16, 2)]);
    assert_eq!(bench.store.application_requests(app, None, 60, next, next).await, Ok(Vec::new()));
    assert_eq!(bench.store.application_requests(app, None, 60, minute, next).await.unwrap().len(), 1);
    // Many at once, in any order: every call counts.
    let many = (0..CROWD).map(|number| {
        let mut both = vec![calls(app, a, START, 1, 0), calls(app, b, START, 0, 1)];
        both.rotate_left(number % 2);
        bench.store.add_application_requests(both)
    });
    assert!(futures_util::future::join_all(many).await.iter().all(Result::is_ok));
    let crowd = i64::try_from(CROWD).unwrap();
    assert_eq!(counted(bench, app, None, 3600).await, [(hour, 16 + crowd, 2 + crowd)]);
}

async fn calls_of_what_has_gone_are_left_out(bench: &Bench) {
    let (app, a, b) = parties(bench).await;
    let gone = vec![
        calls(app, Uuid::new_v4(), START, 1, 0),
        calls(Uuid::new_v4(), a, START, 1, 0),
        calls(app, a, START, 1, 0),
        calls(app, b, START, 1, 0),
    ];
    bench.store.add_application_requests(gone).await.unwrap();
    assert_eq!(bench.store.delete(bench.schema("services"), b).await, Ok(true));
    assert_eq!(counted(bench, app, None, 60).await, [(START.plus_seconds(-20), 1, 0)]);
    assert_eq!(bench.store.delete(bench.schema("applications"), app).await, Ok(true));
    assert_eq!(counted(bench, app, None, 60).await, []);
}

async fn counted_calls_are_swept_by_their_width(bench: &Bench) {
    let (app, a, _) = parties(bench).await;
    let minutes = (0..3).map(|number| calls(app, a, START.plus_seconds(number * 60), 1, 0)).collect();
    bench.store.add_application_requests(minutes).await.unwrap();
    let two_days_on = START.plus_seconds(48 * 3600);
    assert_eq!(bench.store.sweep_expired(two_days_on, 10).await, Ok(1));
    assert_eq!(counted(bench, app, None, 60).await.len(), 2);
    assert_eq!(bench.store.sweep_expired(two_days_on.plus_seconds(120), 1).await, Ok(1));
    assert_eq!(bench.store.sweep_expired(two_days_on.plus_seconds(120), 10).await, Ok(1));
    assert_eq!(counted(bench, app, None, 3600).await.len(), 1);
    assert_eq!(bench.store.sweep_expired(START.plus_seconds(91 * 86_400), 10).await, Ok(1));
}
