//! Load without think time, and what it costs whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::checker::Percentiles;
use crate::cluster::{CLIENT, Cluster, SECRET};
use crate::http::Client;
use crate::node::Addresses;
use crate::process::{PATIENCE, cpu, cpu_of_family};

/// Connections at once, to each node.
const CROWD: usize = 16;

/// What some requests have cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub requests: usize,
    pub took: Duration,
    pub times: Percentiles,
    /// CPU of all nodes, of PostgreSQL, of Redis.
    nodes: Duration,
    postgres: Duration,
    redis: Duration,
}

impl Cost {
    fn each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.requests as f64
    }

    /// CPU µs per request: nodes, PostgreSQL, Redis.
    pub fn micros(&self) -> [f64; 3] {
        [self.nodes, self.postgres, self.redis].map(|cpu| self.each(cpu))
    }

    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }
}

/// CPU that each part of a cluster has used so far.
fn used(cluster: &Cluster) -> [Duration; 3] {
    let nodes = cluster.nodes.iter().map(|node| cpu(node.pid())).sum();
    let redis = cluster.redis.as_ref().map_or(Duration::ZERO, |redis| cpu(redis.pid()));
    [nodes, cpu_of_family(cluster.postgres.pid()), redis]
}

/// What is asked for.
#[derive(Clone)]
pub enum Ask {
    /// A call with each of these tokens, from the first to the last.
    Calls(Arc<Vec<String>>),
    /// So many calls with these tokens, over and over.
    Again(Arc<Vec<String>>, usize),
    /// So many tokens.
    Tokens(usize),
    /// The end of each of these tokens, by its owner's hand.
    Revocations(Arc<Vec<String>>),
}

impl Ask {
    fn count(&self) -> usize {
        match self {
            Self::Calls(tokens) | Self::Revocations(tokens) => tokens.len(),
            Self::Again(_, count) | Self::Tokens(count) => *count,
        }
    }
}

/// Sends it all to the nodes of these numbers, each with a crowd of its own. Gives the cost, and the tokens it brought.
pub async fn send(cluster: &Cluster, nodes: &[usize], ask: Ask) -> (Cost, Vec<String>) {
    send_by(CROWD, cluster, nodes, ask).await
}

/// The same by so many connections to each node.
pub async fn send_by(crowd: usize, cluster: &Cluster, nodes: &[usize], ask: Ask) -> (Cost, Vec<String>) {
    let next = Arc::new(AtomicUsize::new(0));
    let addresses = cluster.addresses();
    let (before, begun) = (used(cluster), Instant::now());
    let mut clients = JoinSet::new();
    for node in nodes {
        for _ in 0..crowd {
            clients.spawn(one(addresses[*node], ask.clone(), Arc::clone(&next)));
        }
    }
    let (mut times, mut brought) = (Vec::with_capacity(ask.count()), Vec::new());
    while let Some(done) = clients.join_next().await {
        let (its_times, its_tokens) = done.expect("a client does not panic");
        times.extend(its_times);
        brought.extend(its_tokens);
    }
    let (took, after) = (begun.elapsed(), used(cluster));
    let [nodes, postgres, redis] = std::array::from_fn(|part| after[part] - before[part]);
    (Cost { requests: ask.count(), took, times: Percentiles::of(times), nodes, postgres, redis }, brought)
}

async fn one(node: Addresses, ask: Ask, next: Arc<AtomicUsize>) -> (Vec<u64>, Vec<String>) {
    let listener = if matches!(ask, Ask::Revocations(_)) { node.admin } else { node.proxy };
    let mut client = Client::of(listener, PATIENCE);
    let (mut times, mut brought) = (Vec::new(), Vec::new());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= ask.count() {
            return (times, brought);
        }
        let begun = Instant::now();
        let answer = match &ask {
            Ask::Calls(tokens) | Ask::Again(tokens, _) => {
                let token = &tokens[number % tokens.len()];
                client.get("/api/x", &format!("Authorization: Bearer {token}\r\n")).await
            }
            Ask::Tokens(_) => {
                let headers = "Content-Type: application/x-www-form-urlencoded\r\nX-Forwarded-Proto: https\r\n";
                let form = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret={SECRET}");
                client.send("POST", "/api/oauth2/token", headers, &form).await
            }
            Ask::Revocations(tokens) => {
                client.send("DELETE", &format!("/oauth2_tokens/{}", tokens[number]), "", "").await
            }
        };
        let answer = answer.expect("nothing is wrong, so there is an answer");
        times.push(begun.elapsed().as_micros() as u64);
        let expected = if matches!(ask, Ask::Revocations(_)) { 204 } else { 200 };
        assert_eq!(answer.status, expected, "{}", answer.json());
        if matches!(ask, Ask::Tokens(_)) {
            brought.extend(answer.json()["access_token"].as_str().map(str::to_owned));
        }
    }
}

/// A row of a table: CPU µs per request, requests per second, times.
pub fn row(name: &str, cost: &Cost) -> String {
    let [nodes, postgres, redis] = cost.micros();
    let ms = |micros: u64| micros as f64 / 1000.0;
    format!(
        "| {name} | {nodes:.0} | {postgres:.0} | {redis:.0} | {:.0} | {:.1} | {:.1} |\n",
        cost.per_second(),
        ms(cost.times.p50),
        ms(cost.times.p99),
    )
}

pub const HEAD: &str = "\
| | nodes, CPU µs | PostgreSQL, CPU µs | Redis, CPU µs | per second | p50 ms | p99 ms |
|---|---:|---:|---:|---:|---:|---:|
";
