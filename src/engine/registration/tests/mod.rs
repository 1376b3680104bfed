//! The use cases on SQLite in memory, with ports that remember what they are told: what is forgotten by which act, the
//! catalogue, and what only the portal asks.

mod services;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::actors::Event;
use crate::domain::{Clock, Keyring, PlainToken, Secret, Timestamp};
use crate::engine::EngineError;
use crate::engine::catalog::{CatalogError, Change, Key, ListRequest, Pending, Ports};
use crate::schema::{Body, Entity, Registry};
use crate::storage::{Location, Store};

struct Fake {
    keyring: Keyring,
    forgotten: Mutex<Vec<Event>>,
    deaf: Mutex<bool>,
}

impl Ports for Fake {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn token(&self) -> PlainToken {
        self.keyring.mint(rand::random())
    }

    fn hash(&self, secret: Secret) -> Pending<'_, Result<Secret, EngineError>> {
        let phc = format!("$argon2id$v=19$m=1,t=1,p=1$salt$hashof{}", secret.reveal().len());
        Box::pin(async move { Ok(Secret::new(phc)) })
    }

    fn changed(&self, _: Change) -> Pending<'_, Result<(), EngineError>> {
        Box::pin(async { Ok(()) })
    }

    fn patience(&self) -> std::time::Duration {
        std::time::Duration::from_secs(15)
    }

    fn announce(&self, events: Vec<Event>) -> Pending<'_, Result<(), EngineError>> {
        let deaf = *self.deaf.lock().unwrap();
        self.forgotten.lock().unwrap().extend(events);
        Box::pin(async move { if deaf { Err(EngineError::Overloaded) } else { Ok(()) } })
    }
}

impl Invite for Fake {
    fn invite(&self, emails: Vec<String>) -> Pending<'_, Result<Invited, InviteError>> {
        Box::pin(async move { Ok(Invited { sent: emails, ..Invited::default() }) })
    }
}

struct Bench {
    registration: Registration,
    fake: Arc<Fake>,
    clock: Clock,
}

fn body(value: Value) -> Body {
    Body::json(value.as_object().unwrap().clone())
}

fn id(entity: &Entity) -> Uuid {
    entity["id"].as_str().unwrap().parse().unwrap()
}

impl Bench {
    async fn new() -> Self {
        Self::under(AppAuth::KongOauth2).await
    }

    async fn under(app_auth: AppAuth) -> Self {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let clock = Clock::fixed(Timestamp::from_seconds(1_700_000_000));
        let store = Store::open(Location::memory(), Arc::new(keyring.clone()), clock.clone()).await.unwrap();
        store.migrate_up().await.unwrap();
        let fake = Arc::new(Fake { keyring, forgotten: Mutex::default(), deaf: Mutex::default() });
        let registry = Arc::new(Registry::new(crate::plugins::schemas()));
        let catalog = Catalog::new(registry, store, clock.clone(), Arc::clone(&fake) as Arc<dyn Ports>);
        Self { registration: Registration::new(catalog, app_auth), fake, clock }
    }

    async fn made(&self, entity: &str, fields: Value) -> Entity {
        let catalog = &self.registration.catalog;
        catalog.create(catalog.schema(entity).unwrap(), body(fields), None).await.unwrap()
    }

    /// A service that takes applications.
    async fn offered(&self, name: &str, display_name: &str, auto_approve: bool) -> Uuid {
        let service = id(&self.made("services", json!({ "name": name, "host": "upstream" })).await);
        let config = json!({ "display_name": display_name, "auto_approve": auto_approve });
        let plugin =
            json!({ "name": "application-registration", "service": { "id": service.to_string() }, "config": config });
        self.made("plugins", plugin).await;
        service
    }

    async fn developer(&self, email: &str) -> Uuid {
        let fields = body(json!({ "email": email, "status": 0 }));
        id(&self.registration.create_developer(fields).await.unwrap())
    }

    async fn application(&self, developer: Uuid, name: &str) -> Application {
        let fields = body(json!({ "name": name, "redirect_uri": "https://app.test/" }));
        let created = self.registration.create_application(Some(developer), fields, Keeping::Hashed).await.unwrap();
        Application::of(created.application).unwrap()
    }

    async fn contract(&self, application: &Application, service: Uuid) -> Entity {
        let fields = body(json!({ "service": { "id": service.to_string() } }));
        self.registration.create_contract(application, fields).await.unwrap()
    }

    /// What was forgotten since it was last asked.
    fn forgotten(&self) -> Vec<Event> {
        std::mem::take(&mut *self.fake.forgotten.lock().unwrap())
    }
}

#[tokio::test]
async fn every_move_is_forgotten_by_name() {
    let bench = Bench::new().await;
    let registration = &bench.registration;
    let service = bench.offered("orders", "Orders", false).await;
    let developer = bench.developer("a@b.c").await;
    let application = bench.application(developer, "app").await;
    assert_eq!(bench.forgotten(), [], "what is new was known to nobody");
    let contract = Key::Id(id(&bench.contract(&application, service).await));
    let consumer = application.consumer;
    assert_eq!(bench.forgotten(), [Event::Standing(consumer)]);
    for change in [json!({ "status": 0 }), json!({ "note": "x" }), json!({ "suspended": true }), json!({})] {
        registration.patch_contract(Side::Application(&application), &contract, body(change)).await.unwrap();
        assert_eq!(bench.forgotten(), [Event::Grants { consumer, service }]);
    }
    registration.delete_contract(Side::Application(&application), &contract).await.unwrap();
    assert_eq!(bench.forgotten(), [Event::Grants { consumer, service }]);
    registration.patch_application(&application, body(json!({ "name": "new" }))).await.unwrap();
    assert_eq!(bench.forgotten(), [Event::Consumer(consumer)]);
    let key = Key::Id(developer);
    registration.patch_developer(&key, body(json!({ "meta": "{}" }))).await.unwrap();
    assert_eq!(bench.forgotten(), []);
    for status in [3, 3, 0] {
        registration.patch_developer(&key, body(json!({ "status": status }))).await.unwrap();
        assert_eq!(bench.forgotten(), [Event::Consumer(consumer)], "told again when it is said again");
    }
    registration.delete_application(Scope::Developer(developer), &Key::Id(application.id)).await.unwrap();
    assert_eq!(bench.forgotten(), [Event::Consumer(consumer)]);
    registration.delete_application(Scope::All, &Key::Id(application.id)).await.unwrap();
    assert_eq!(bench.forgotten(), [Event::Everything], "whose it was is not known any more");
    for nth in 0..65 {
        bench.application(developer, &format!("app {nth}")).await;
    }
    registration.patch_developer(&key, body(json!({ "status": 2 }))).await.unwrap();
    assert_eq!(bench.forgotten(), [Event::Everything], "too many to name");
}

#[tokio::test]
async fn a_cache_that_does_not_obey_is_told_as_a_failure_and_the_next_try_completes_it() {
    let bench = Bench::new().await;
    let registration = &bench.registration;
    let service = bench.offered("orders", "Orders", true).await;
    let application = bench.application(bench.developer("a@b.c").await, "app").await;
    let contract = Key::Id(id(&bench.contract(&application, service).await));
    let revoke = async || {
        let change = body(json!({ "status": 3 }));
        registration.patch_contract(Side::Service(service), &contract, change).await
    };
    *bench.fake.deaf.lock().unwrap() = true;
    assert!(matches!(revoke().await, Err(CatalogError::Engine(EngineError::Overloaded))));
    *bench.fake.deaf.lock().unwrap() = false;
    bench.forgotten();
    assert!(revoke().await.is_ok());
    assert_eq!(bench.forgotten(), [Event::Grants { consumer: application.consumer, service }]);
}

#[tokio::test]
async fn of_another_developer_nothing_is_there() {
    let bench = Bench::new().await;
    let registration = &bench.registration;
    let (mine, theirs) = (bench.developer("a@b.c").await, bench.developer("b@b.c").await);
    let application = bench.application(theirs, "app").await;
    let own = bench.application(mine, "own").await;
    let service = bench.offered("orders", "Orders", false).await;
    let contract = Key::Id(id(&bench.contract(&application, service).await));
    let key = Key::Id(application.id);
    let not_found = |outcome: Result<(), CatalogError>| matches!(outcome, Err(CatalogError::NotFound));
    assert!(not_found(registration.application(Scope::Developer(mine), &key).await.map(drop)));
    assert!(not_found(registration.delete_application(Scope::Developer(mine), &key).await));
    assert_eq!(registration.applications(Scope::Developer(mine), &ListRequest::default()).await.unwrap().data.len(), 1);
    for side in [Side::Application(&own), Side::Service(Uuid::nil())] {
        assert!(not_found(registration.contract(side, &contract).await.map(drop)));
        let change = body(json!({ "status": 0 }));
        assert!(not_found(registration.patch_contract(side, &contract, change).await.map(drop)));
        assert!(not_found(registration.delete_contract(side, &contract).await));
    }
    let credentials = registration.credentials(&application, &ListRequest::default()).await.unwrap();
    let credential = Key::Id(id(&credentials.data[0]));
    assert!(not_found(registration.credential(&own, &credential).await.map(drop)));
    assert!(not_found(registration.patch_credential(&own, &credential, body(json!({}))).await.map(drop)));
    assert!(not_found(registration.delete_credential(&own, &credential).await));
    assert!(not_found(registration.add_secret(&own, &credential, body(json!({}))).await.map(drop)));
    assert!(not_found(registration.regenerate_secret(&own, &credential, 0).await.map(drop)));
    assert!(not_found(registration.delete_secret(&own, &credential, &credential).await));
}

#[tokio::test]
async fn what_the_portal_makes_is_hashed_and_told_once() {
    let bench = Bench::new().await;
    let registration = &bench.registration;
    let developer = bench.developer("a@b.c").await;
    let fields = body(json!({ "name": "app", "redirect_uri": "https://app.test/" }));
    let created = registration.create_application(Some(developer), fields, Keeping::Hashed).await.unwrap();
    let issued = created.credential.unwrap();
    let secret = issued.secret.unwrap();
    assert_eq!(secret.reveal().len(), 32);
    assert!(issued.credential["client_secret"].as_str().unwrap().starts_with("$argon2id$"));
    assert!(!Registration::without_hash(issued.credential.clone()).contains_key("client_secret"));
    let application = Application::of(created.application).unwrap();
    let clear = registration.create_credential(&application, body(json!({})), Keeping::Sealed).await.unwrap();
    assert!(clear.secret.is_none() && Registration::without_hash(clear.credential).contains_key("client_secret"));
    let hashed = registration.create_credential(&application, body(json!({})), Keeping::Hashed).await.unwrap();
    assert_eq!((hashed.secret.unwrap().reveal().len(), &hashed.credential["hash_secret"]), (32, &json!(true)));
}

#[tokio::test]
async fn a_new_secret_lets_the_old_ones_live_on_for_a_while() {
    let bench = Bench::new().await;
    let registration = &bench.registration;
    let application = bench.application(bench.developer("a@b.c").await, "app").await;
    let credentials = registration.credentials(&application, &ListRequest::default()).await.unwrap();
    let credential = id(&credentials.data[0]);
    let key = Key::Id(credential);
    bench.forgotten();
    let new = registration.regenerate_secret(&application, &key, 60).await.unwrap();
    assert_eq!((new.secret.reveal().len(), new.expires_at), (32, None));
    assert_eq!(bench.forgotten(), [Event::Credential(credential)]);
    let live = async || {
        let shown = registration.credential(&application, &key).await.unwrap();
        shown["secrets"].as_array().unwrap().iter().map(|secret| secret["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(live().await, [json!(credential.to_string()), json!(new.id.to_string())]);
    bench.clock.advance_seconds(60);
    assert_eq!(live().await, [json!(new.id.to_string())]);
    for overlap in [-1, 30 * 24 * 3600 + 1] {
        let refused = registration.regenerate_secret(&application, &key, overlap).await;
        assert!(matches!(refused, Err(CatalogError::Violations(_))), "{overlap}");
    }
}

#[tokio::test]
async fn applications_are_shown_with_their_contracts() {
    let bench = Bench::new().await;
    let application = bench.application(bench.developer("a@b.c").await, "app").await;
    for name in ["one", "two"] {
        let service = bench.offered(name, name, false).await;
        bench.contract(&application, service).await;
    }
    let mut applications = [application];
    bench.registration.with_contracts(&mut applications).await.unwrap();
    assert_eq!(applications[0].entity["application_instances"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn invitations_go_through_the_door_once_per_address() {
    let bench = Bench::new().await;
    let emails = || body(json!({ "emails": ["B@b.c", "a@b.c", "b@b.c"] }));
    assert!(matches!(bench.registration.invite(emails()).await, Err(InviteError::NoSmtp)));
    let inviting = bench.registration.clone().inviting(Arc::clone(&bench.fake) as Arc<dyn Invite>);
    assert_eq!(inviting.invite(emails()).await.unwrap().sent, ["a@b.c", "b@b.c"]);
}
