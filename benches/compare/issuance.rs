//! What a token costs to issue: gathered by the gateway, and by one INSERT and commit each.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tollgate::domain::{Clock, Keyring, NewToken, Timestamp};
use tollgate::schema::Registry;
use tollgate::storage::{Location, Role, Store};
use uuid::Uuid;

use super::gateway::Gateway;
use super::load::{Round, TOKEN_REQUEST, Wrk, cpu_micros};

const SINGLE: usize = 5000;
/// Clients that ask at once.
const CROWD: u32 = 200;

pub fn compare(folder: &Path, runtime: &Runtime, upstream: u16) {
    println!("\n| issuance, CPU of gateway and database | µs per token | one INSERT each = 1.00 | tokens per commit |");
    println!("|---|---|---|---|");
    let file = folder.join("single.db");
    let single = runtime.block_on(one_by_one(&format!("sqlite:{}", file.display()), None));
    println!("| SQLite, one INSERT and commit per token, no gateway | {single:.1} | 1.00 | 1 |");
    let (gathered, batch) = by_gateway(folder, runtime, upstream, None);
    println!("| SQLite, whole token request, gathered | {gathered:.1} | {:.2} | {batch:.0} |", gathered / single);
    let Ok(url) = std::env::var("TOLLGATE_TEST_POSTGRES") else { return };
    let server = postmaster(&url);
    let single = runtime.block_on(one_by_one(&url, Some(server)));
    println!("| PostgreSQL, one INSERT and commit per token, no gateway | {single:.1} | 1.00 | 1 |");
    let (gathered, batch) = by_gateway(folder, runtime, upstream, Some((&url, server)));
    println!("| PostgreSQL, whole token request, gathered | {gathered:.1} | {:.2} | {batch:.0} |", gathered / single);
}

/// Process id of the server at `url`, whose data folder is named beside it.
fn postmaster(url: &str) -> u32 {
    let file = std::env::var("TOLLGATE_TEST_POSTGRES_PID").unwrap_or_else(|_| {
        panic!(
            "set TOLLGATE_TEST_POSTGRES_PID to the process id of the server at {}",
            url.rsplit('@').next().unwrap_or("")
        )
    });
    file.parse().expect("a process id")
}

async fn one_by_one(url: &str, server: Option<u32>) -> f64 {
    let keyring = Arc::new(Keyring::new([1; 32], [2; 32]));
    let location = Location::parse(url, Role::Tool).expect("the URL is good");
    let store = Store::open(location, Arc::clone(&keyring), Clock::System).await.expect("the database opens");
    store.migrate_up().await.expect("the database migrates");
    let credential = application(&store).await;
    let cpu = || cpu_micros(std::process::id()) + server.map_or(0.0, cpu_micros);
    let before = cpu();
    for _ in 0..SINGLE {
        let token = NewToken {
            id: Uuid::now_v7(),
            credential_id: credential,
            service_id: None,
            access_token: keyring.mint(rand::random()),
            refresh_token: None,
            family_id: Uuid::now_v7(),
            scope: Some("email".to_owned()),
            authenticated_userid: None,
            created_at: Clock::System.now(),
            expires_in: 7200,
            expires_at: Some(Timestamp::from_seconds(4_000_000_000)),
        };
        let mut results = store.insert_tokens(vec![token]).await;
        results.pop().expect("one result per token").expect("the token is stored");
    }
    (cpu() - before) / SINGLE as f64
}

/// A consumer with one application, for the tokens to hang on.
async fn application(store: &Store) -> Uuid {
    let registry = Registry::new(Vec::new());
    let (consumer, credential) = (Uuid::now_v7(), Uuid::now_v7());
    let name = format!("bench-{consumer}");
    let mut generate = |auto| match auto {
        tollgate::schema::Auto::Uuid => consumer.to_string().into(),
        tollgate::schema::Auto::Token => serde_json::json!(Uuid::now_v7().simple().to_string()),
        _ => serde_json::json!(Clock::System.now().seconds()),
    };
    let schema = registry.entity("consumers").expect("it is built in");
    let body = serde_json::from_value(serde_json::json!({ "username": name })).expect("an object");
    let made = tollgate::schema::insert(schema, body, &mut generate).expect("the body is good");
    store.insert(schema, &made.entity).await.expect("the consumer is stored");
    let mut generate = |auto| match auto {
        tollgate::schema::Auto::Uuid => credential.to_string().into(),
        tollgate::schema::Auto::Token => serde_json::json!(Uuid::now_v7().simple().to_string()),
        _ => serde_json::json!(Clock::System.now().seconds()),
    };
    let schema = registry.entity("oauth2_credentials").expect("it is built in");
    let body = serde_json::json!({ "name": "bench", "consumer": { "id": consumer.to_string() } });
    let body = serde_json::from_value(body).expect("an object");
    let made = tollgate::schema::insert(schema, body, &mut generate).expect("the body is good");
    store.insert(schema, &made.entity).await.expect("the credential is stored");
    credential
}

fn by_gateway(folder: &Path, runtime: &Runtime, upstream: u16, postgres: Option<(&str, u32)>) -> (f64, f64) {
    let name = if postgres.is_some() { "issue-postgres" } else { "issue-sqlite" };
    let gateway = Gateway::start(folder, name, postgres.map(|(url, _)| url));
    runtime.block_on(gateway.configure(upstream));
    let server = postgres.map(|(_, pid)| pid);
    let load = Wrk::get("/bench/oauth2/token").script(TOKEN_REQUEST).connections(CROWD);
    let cpu = || cpu_micros(gateway.pid()) + server.map_or(0.0, cpu_micros);
    load.run_beside(folder, gateway.proxy_port, cpu);
    let rounds: Vec<Round> = (0..3).map(|_| load.run_beside(folder, gateway.proxy_port, cpu)).collect();
    assert!(rounds.iter().all(|round| round.refused == 0), "some token requests were refused: {rounds:?}");
    let issued = runtime.block_on(gateway.metric("tollgate_tokens_issued_total"));
    let batches = runtime.block_on(gateway.metric("tollgate_token_batches_total"));
    (Round::median(&rounds), issued as f64 / batches.max(1) as f64)
}
