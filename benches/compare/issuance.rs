//! What a token costs to issue: gathered by the gateway, and by one INSERT and commit each.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tollgate::domain::{Clock, Keyring, NewToken, Timestamp};
use tollgate::schema::Registry;
use tollgate::storage::{Location, Role, Store};
use uuid::Uuid;

use super::gateway::Gateway;
use super::round::{Round, Stretch, cpu_micros};
use super::wrk::{TOKEN_REQUEST, Wrk};

const TOKENS: usize = 5000;
const BATCH: usize = 500;
/// Clients that ask at once.
const CROWD: u32 = 200;

/// CPU per token, in µs: of whoever writes, and of the database server where it is a process of its own.
#[derive(Clone, Copy)]
struct Cost {
    writer: f64,
    server: f64,
}

impl Cost {
    fn total(self) -> f64 {
        self.writer + self.server
    }
}

pub fn compare(folder: &Path, runtime: &Runtime, upstream: u16, stretch: Stretch) {
    println!(
        "\n| issuance, CPU µs per token | writer | database | both | one INSERT each = 1.00 |\n|---|---|---|---|---|"
    );
    let sqlite = |name: &str| format!("sqlite:{}", folder.join(name).display());
    rows("SQLite", folder, runtime, (upstream, stretch), None, &sqlite);
    let Ok(url) = std::env::var("TOLLGATE_TEST_POSTGRES") else { return };
    let server = postmaster();
    let fresh = |name: &str| runtime.block_on(database(&url, name));
    rows("PostgreSQL", folder, runtime, (upstream, stretch), Some(server), &fresh);
}

fn rows(
    kind: &str,
    folder: &Path,
    runtime: &Runtime,
    load: (u16, Stretch),
    server: Option<u32>,
    database: &dyn Fn(&str) -> String,
) {
    let single = runtime.block_on(stored(&database("single"), server, 1));
    let batches = runtime.block_on(stored(&database("batches"), server, BATCH));
    let url = server.map(|_| database("gateway"));
    let (whole, batch) = by_gateway(folder, runtime, load, url.as_deref(), server);
    for (what, cost) in [
        ("one INSERT and commit per token".to_owned(), single),
        (format!("{BATCH} tokens per commit"), batches),
        (format!("whole token requests over HTTP, {batch:.0} per commit"), whole),
    ] {
        let Cost { writer, server } = cost;
        let (both, ratio) = (cost.total(), cost.total() / single.total());
        println!("| {kind}: {what} | {writer:.1} | {server:.1} | {both:.1} | {ratio:.2} |");
    }
}

/// Process id of the server at `TOLLGATE_TEST_POSTGRES`.
fn postmaster() -> u32 {
    let id = std::env::var("TOLLGATE_TEST_POSTGRES_PID");
    id.expect("set TOLLGATE_TEST_POSTGRES_PID to the server's process id").parse().expect("a process id")
}

/// A new database on the server; gives its URL. It stays behind: the server is a test's.
async fn database(url: &str, name: &str) -> String {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the server answers");
    let connection = tokio::spawn(connection);
    let name = format!("bench_{name}_{}", Uuid::new_v4().simple());
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("the user may make databases");
    drop(client);
    let _ = connection.await;
    let (server, _) = url.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}

/// Stores tokens, `batch` at a time.
async fn stored(url: &str, server: Option<u32>, batch: usize) -> Cost {
    let keyring = Arc::new(Keyring::new([1; 32], [2; 32]));
    let location = Location::parse(url, Role::Tool).expect("the URL is good");
    let store = Store::open(location, Arc::clone(&keyring), Clock::System).await.expect("the database opens");
    store.migrate_up().await.expect("the database migrates");
    let credential = application(&store).await;
    let cpu = || (cpu_micros(std::process::id()), server.map_or(0.0, cpu_micros));
    let before = cpu();
    for _ in 0..TOKENS / batch {
        let tokens = (0..batch).map(|_| token(&keyring, credential)).collect();
        for result in store.insert_tokens(tokens).await {
            result.expect("the token is stored");
        }
    }
    let after = cpu();
    let number = TOKENS as f64;
    // The load generators are children of this process, but none runs now.
    Cost { writer: (after.0 - before.0) / number, server: (after.1 - before.1) / number }
}

fn token(keyring: &Keyring, credential: Uuid) -> NewToken {
    NewToken {
        id: Uuid::now_v7(),
        credential_id: credential,
        service_id: None,
        access_token: keyring.mint_at(rand::random(), Clock::System.now()),
        refresh_token: None,
        family_id: None,
        scope: Some("email".to_owned()),
        authenticated_userid: None,
        created_at: Clock::System.now(),
        expires_in: 7200,
        expires_at: Some(Timestamp::from_seconds(4_000_000_000)),
    }
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

fn by_gateway(
    folder: &Path,
    runtime: &Runtime,
    (upstream, stretch): (u16, Stretch),
    url: Option<&str>,
    server: Option<u32>,
) -> (Cost, f64) {
    let gateway = Gateway::start(folder, if url.is_some() { "issue-postgres" } else { "issue-sqlite" }, url);
    runtime.block_on(gateway.configure(upstream));
    let load = Wrk::get("/bench/oauth2/token").script(TOKEN_REQUEST).connections(CROWD);
    let run = || load.run(folder, gateway.doors.plain, stretch, || cpu_micros(gateway.pid()));
    run();
    let mut rounds: Vec<(Round, f64)> = (0..3)
        .map(|_| {
            let before = server.map_or(0.0, cpu_micros);
            let round = run();
            assert_eq!(round.refused, 0, "some token requests were refused");
            (round, (server.map_or(0.0, cpu_micros) - before) / round.answered as f64)
        })
        .collect();
    rounds.sort_by(|one, other| (one.0.cpu_micros + one.1).total_cmp(&(other.0.cpu_micros + other.1)));
    let issued = runtime.block_on(gateway.metric("tollgate_tokens_issued_total"));
    let batches = runtime.block_on(gateway.metric("tollgate_token_batches_total"));
    let cost = Cost { writer: rounds[1].0.cpu_micros, server: rounds[1].1 };
    (cost, issued as f64 / batches.max(1) as f64)
}
