//! Ten thousand tokens beside millions: what a look-up and an issuance cost, and how fast what has ended leaves.

use std::sync::Arc;
use std::time::Instant;

use tollgate::domain::{Clock, Keyring};
use tollgate::storage::{Location, Role, Store};

use super::load::{Ask, Cost, HEAD, row, send};
use super::loader::{Batch, load};
use crate::checker::Percentiles;
use crate::cluster::{Cluster, Shape};
use crate::process::cpu_of_family;

/// Look-ups and issuances of each measurement.
const REQUESTS: usize = 10_000;
const FEW: usize = 10_000;
/// Rows of one statement of the janitor.
const BITE: usize = 1000;
const LIVES: i64 = 30 * 24 * 3600;

/// `tokens`: how many there are at last.
pub async fn table(tokens: usize) -> String {
    let mut cluster = Cluster::shaped(Shape { nodes: 1, ..Shape::THREE }).await;
    let keyring = Keyring::parse(std::str::from_utf8(&cluster.keyring).unwrap()).unwrap();
    let mut text = format!("Per request, each token once, with few tokens in the database and with many.\n\n{HEAD}");
    let few = measured(&cluster, &keyring, FEW, &mut text).await;
    let many = measured(&cluster, &keyring, tokens, &mut text).await;
    let ratio = |part: usize, what: usize| many[what].micros()[part] / few[what].micros()[part];
    text += &format!(
        "\nWith {tokens} tokens a look-up costs PostgreSQL {:.2} times and the node {:.2} times what it costs with {FEW}; \
         an issuance {:.2} and {:.2} times. Memory of the node: {} MiB.\n",
        ratio(1, 0),
        ratio(0, 0),
        ratio(1, 1),
        ratio(0, 1),
        resident(cluster.nodes[0].pid()) >> 20,
    );
    // Its own janitor must not help.
    tokio::task::block_in_place(|| cluster.nodes[0].kill());
    text + &swept(&cluster, keyring, (tokens / 10).clamp(10_000, 200_000)).await
}

/// Look-ups and issuances with so many tokens in the database.
async fn measured(cluster: &Cluster, keyring: &Keyring, tokens: usize, text: &mut String) -> [Cost; 2] {
    let database = cluster.postgres.connect().await;
    let there: i64 = database.query_one("SELECT count(*) FROM oauth2_tokens", &[]).await.unwrap().get(0);
    let rows = tokens.saturating_sub(there as usize).max(REQUESTS);
    let begun = Instant::now();
    let usable = load(&database, keyring, &Batch { rows, usable: REQUESTS, ends_in: LIVES }).await;
    println!("{rows} tokens loaded in {:.1} s", begun.elapsed().as_secs_f64());
    cluster.redis.as_ref().expect("the cluster has a Redis").flush();
    let (look_up, _) = send(cluster, &[0], Ask::Calls(Arc::new(usable))).await;
    let (issuance, _) = send(cluster, &[0], Ask::Tokens(REQUESTS)).await;
    *text += &row(&format!("{tokens} tokens: a call, known to PostgreSQL only"), &look_up);
    *text += &row(&format!("{tokens} tokens: a token is issued"), &issuance);
    [look_up, issuance]
}

/// How fast ended rows leave, beside all the others.
async fn swept(cluster: &Cluster, keyring: Keyring, rows: usize) -> String {
    let database = cluster.postgres.connect().await;
    load(&database, &keyring, &Batch { rows, usable: 0, ends_in: -3600 }).await;
    let location = Location::parse(&cluster.postgres.url(), Role::Tool).unwrap();
    let store = Store::open(location, Arc::new(keyring), Clock::System).await.unwrap();
    let (before, begun) = (cpu_of_family(cluster.postgres.pid()), Instant::now());
    let (mut times, mut gone) = (Vec::new(), 0);
    loop {
        let bite_begun = Instant::now();
        let bite = store.sweep_expired(Clock::System.now(), BITE).await.unwrap();
        times.push(bite_begun.elapsed().as_micros() as u64);
        gone += bite;
        if bite < BITE {
            break;
        }
    }
    let took = begun.elapsed().as_secs_f64();
    assert!(gone >= rows, "{gone} of {rows} ended rows were swept");
    let cpu = (cpu_of_family(cluster.postgres.pid()) - before).as_secs_f64() * 1e6 / gone as f64;
    store.close().await;
    let times = Percentiles::of(times);
    let ms = |micros: u64| micros as f64 / 1000.0;
    format!(
        "\n{gone} ended rows left in {took:.1} s without a pause, {:.0} a second, {BITE} a statement ({:.1} ms, p99 {:.1} ms), \
         at {cpu:.1} µs of PostgreSQL's CPU each.\n",
        gone as f64 / took,
        ms(times.p50),
        ms(times.p99),
    )
}

/// Resident memory of a process, in bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
