//! The Admin API on SQLite in memory, with surroundings that remember what they are told.

mod access;
mod entities;
mod information;
mod oauth2;

use std::sync::{Arc, Mutex};

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{App, test};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::actors::Event;
use crate::config::AppAuth;
use crate::domain::{Clock, Keyring, PlainToken, Secret, Timestamp, TokenDigest};
use crate::engine::catalog::{Catalog, Change, Pending, Ports};
use crate::engine::registration::Registration;
use crate::engine::{AuditRecord, EngineError};
use crate::schema::Registry;
use crate::storage::{Location, Store};

/// Ports and surroundings in one.
pub(super) struct Fake {
    keyring: Keyring,
    pub changes: Mutex<Vec<String>>,
    pub records: Mutex<Vec<AuditEntry>>,
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

    fn changed(&self, change: Change) -> Pending<'_, Result<(), EngineError>> {
        let verb = format!("{change:?}").trim_end_matches(')').rsplit(' ').next().unwrap_or_default().to_owned();
        self.changes.lock().unwrap().push(format!("{} {verb}", change.entity));
        Box::pin(async { Ok(()) })
    }

    fn patience(&self) -> std::time::Duration {
        std::time::Duration::from_secs(15)
    }

    fn announce(&self, events: Vec<Event>) -> Pending<'_, Result<(), EngineError>> {
        self.changes.lock().unwrap().extend(events.iter().map(|event| format!("{event:?}")));
        Box::pin(async { Ok(()) })
    }
}

impl Surroundings for Fake {
    fn request_id(&self) -> String {
        "0123456789abcdef0123456789abcdef".to_owned()
    }

    fn information(&self) -> Value {
        json!({ "version": "0.1.0" })
    }

    fn status(&self) -> Pending<'_, Value> {
        Box::pin(async { json!({ "database": { "reachable": true } }) })
    }

    fn ready(&self) -> Pending<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn metrics(&self) -> String {
        "tollgate_x 1\n".to_owned()
    }

    fn find_admin_token(&self, token: Secret) -> Pending<'_, Result<Option<AdminIdentity>, EngineError>> {
        let role = match token.reveal() {
            "admin-token" => Some(AdminRole::Admin),
            "reader-token" => Some(AdminRole::ReadOnly),
            _ => None,
        };
        Box::pin(async move { Ok(role.map(|role| AdminIdentity { name: "ops".to_owned(), role })) })
    }

    fn find_admin_digest(&self, _: TokenDigest) -> Pending<'_, Result<Option<AdminIdentity>, EngineError>> {
        Box::pin(async { Ok(None) })
    }

    fn record(&self, entry: AuditEntry) -> Pending<'_, ()> {
        self.records.lock().unwrap().push(entry);
        Box::pin(async {})
    }

    fn audit(&self, _: Option<Uuid>, _: usize) -> Pending<'_, Result<AuditPage, EngineError>> {
        let at = Timestamp::from_seconds(5);
        let known = self.records.lock().unwrap().clone();
        let records = known.iter().map(|entry| AuditRecord {
            id: Uuid::from_u128(1),
            at,
            request_id: entry.request_id.clone(),
            actor: entry.actor.clone(),
            source: entry.source.clone(),
            method: entry.method.clone(),
            path: entry.path.clone(),
            status: entry.status,
        });
        let records = records.collect();
        Box::pin(async move { Ok((records, None)) })
    }
}

pub(super) struct Admin {
    pub state: Data<AdminState>,
    pub fake: Arc<Fake>,
    pub clock: Clock,
    pub host: &'static str,
}

/// An answer, its body read as JSON (null where there is none).
pub(super) struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: actix_web::http::header::HeaderMap,
}

pub(super) const START: i64 = 1_700_000_000;

pub(super) async fn admin() -> Admin {
    admin_with(Exposure::Loopback).await
}

pub(super) async fn admin_with(exposure: Exposure) -> Admin {
    let keyring = Keyring::new([1; 32], [2; 32]);
    let clock = Clock::fixed(Timestamp::from_seconds(START));
    let store = Store::open(Location::memory(), Arc::new(keyring.clone()), clock.clone()).await.unwrap();
    store.migrate_up().await.unwrap();
    let fake = Arc::new(Fake { keyring, changes: Mutex::default(), records: Mutex::default() });
    let registry = Arc::new(Registry::new(crate::plugins::schemas()));
    let catalog = Catalog::new(registry, store, clock.clone(), Arc::clone(&fake) as Arc<dyn Ports>);
    let surroundings = Arc::clone(&fake) as Arc<dyn Surroundings>;
    let mut state = AdminState::new(Registration::new(catalog, AppAuth::KongOauth2), exposure, surroundings);
    state.body_limit = 64 * 1024;
    Admin { state: Data::new(state), fake, clock, host: "localhost:8001" }
}

impl Admin {
    pub async fn send(&self, request: test::TestRequest) -> Answer {
        let state = self.state.clone();
        let app = test::init_service(App::new().configure(|config| configure(config, state))).await;
        // As on the threads of a server, where a write is a task of its own.
        let called = test::call_service(&app, request.to_request());
        let response = tokio::task::LocalSet::new().run_until(called).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = test::read_body(response).await;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, body, headers }
    }

    pub fn request(&self, method: &str, path: &str) -> test::TestRequest {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        test::TestRequest::default().method(method).uri(path).insert_header(("host", self.host))
    }

    pub async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path);
        if body.is_null() { self.send(request).await } else { self.send(request.set_json(body)).await }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    /// A POST that must succeed.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.call("POST", path, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    /// A form as curl sends it with `--data`.
    pub async fn form(&self, method: &str, path: &str, body: &str) -> Answer {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send(self.request(method, path).insert_header(kind).set_payload(body.to_owned())).await
    }
}
