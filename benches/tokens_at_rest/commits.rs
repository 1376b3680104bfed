//! How many tokens share a flush of the WAL, by how many issuers are at work: one per worker of every node.

use std::time::{Duration, Instant};

use tollgate::actors::{Issue, Issuer};
use tollgate::telemetry::{Meter, Registry};

use super::rest::Rest;
use super::server::Server;

const FOR: Duration = Duration::from_secs(4);
/// Clients that ask at once, each again as soon as it is answered.
const CROWDS: [usize; 3] = [1, 200, 1000];

pub async fn flushes(server: &Server, few: &Rest) {
    println!(
        "\n| issuers | clients | tokens/s | tokens per commit | flushes per 1000 tokens | median ms | database µs |"
    );
    println!("|---|---|---|---|---|---|---|");
    for crowd in CROWDS {
        for issuers in [1, 2, 4, 16] {
            if issuers <= crowd {
                under_load(server, few, issuers, crowd).await;
            }
        }
    }
}

/// Lets every connection report its counts, which it does after a statement, but once a second.
async fn told(few: &Rest) {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let pings = (0..16).map(|_| few.store.ping());
    futures_util::future::join_all(pings).await.into_iter().for_each(|told| told.expect("the database answers"));
}

async fn under_load(server: &Server, few: &Rest, issuers: usize, crowd: usize) {
    let meters = Registry::default();
    let owners: Vec<_> = (0..issuers).map(|_| Issuer::start_with(few.store.clone(), meters.worker())).collect();
    told(few).await;
    let (before, begun) = (server.spent().await, Instant::now());
    let clients = (0..crowd).map(|client| {
        let owner = &owners[client % issuers];
        async move {
            let mut waits = Vec::new();
            while begun.elapsed() < FOR {
                let asked = Instant::now();
                owner.send(Issue(few.token(client, false))).await.expect("it lives").expect("it is stored");
                waits.push(asked.elapsed());
            }
            waits
        }
    });
    let mut waits = futures_util::future::join_all(clients).await.concat();
    let passed = begun.elapsed().as_secs_f64();
    told(few).await;
    let spent = server.spent().await - before;
    waits.sort();
    let tokens = meters.total(Meter::TokensIssued) as f64;
    println!(
        "| {issuers} | {crowd} | {:.0} | {:.1} | {:.1} | {:.2} | {:.1} |",
        tokens / passed,
        tokens / meters.total(Meter::TokenBatches) as f64,
        spent.flushes * 1000.0 / tokens,
        waits[waits.len() / 2].as_secs_f64() * 1000.0,
        spent.cpu / tokens,
    );
}
