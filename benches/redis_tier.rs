//! What a look-up in Redis costs a worker: `cargo bench --bench redis_tier`. Needs redis-server.
//!
//! One thread asks a server of its own on this machine, as a worker does, with 1, 10 and 50 look-ups under way. CPU is
//! that of the asking thread and of the server, per look-up; the latency is from call to answer.

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/redis_tier/node.rs"]
mod node;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/cluster/process.rs"]
mod process;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/redis_tier/server.rs"]
mod server;

use std::time::{Duration, Instant};

use node::{Node, digest, view};
use server::Server;

const TOKENS: usize = 10_000;
const LOOK_UPS: usize = 200_000;

fn main() {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let node = runtime.block_on(async {
        let node = Node::reach(&server.url()).await;
        for at in 0..TOKENS {
            node.keep_soon(&at.to_string());
            if at % 64 == 0 {
                node.idle().await;
            }
        }
        node.idle().await;
        node
    });
    println!(
        "| under way | latency p50 µs | p99 µs | CPU of the worker µs | CPU of Redis µs | look-ups/s | not found |"
    );
    println!("|---|---|---|---|---|---|---|");
    for under_way in [1, 10, 50] {
        runtime.block_on(round(&node, under_way, LOOK_UPS / 10));
        let (server_before, cpu_before, began) = (server_cpu(&server), thread_cpu(), Instant::now());
        let (mut latencies, absent) = runtime.block_on(round(&node, under_way, LOOK_UPS));
        let (elapsed, cpu) = (began.elapsed(), thread_cpu() - cpu_before);
        let of_server = server_cpu(&server) - server_before;
        latencies.sort_unstable();
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        let at = |share: f64| micros(latencies[(latencies.len() as f64 * share) as usize]);
        println!(
            "| {under_way} | {:.1} | {:.1} | {:.2} | {:.2} | {:.0} | {absent} |",
            at(0.5),
            at(0.99),
            micros(cpu) / latencies.len() as f64,
            micros(of_server) / latencies.len() as f64,
            latencies.len() as f64 / elapsed.as_secs_f64(),
        );
    }
}

/// Latencies of look-ups, so many of them under way at any time, and how many did not find their token.
async fn round(node: &Node, under_way: usize, look_ups: usize) -> (Vec<Duration>, usize) {
    let asking: Vec<_> = (0..under_way)
        .map(|nth| {
            let tier = node.tier.clone();
            let digests: Vec<_> = (0..100).map(|at| digest(&((nth * 197 + at * 31) % TOKENS).to_string())).collect();
            tokio::spawn(async move {
                let (mut latencies, mut absent) = (Vec::with_capacity(look_ups / under_way), 0);
                for at in 0..look_ups / under_way {
                    let began = Instant::now();
                    let found = tier.find(digests[at % digests.len()]).await;
                    latencies.push(began.elapsed());
                    absent += usize::from(found.is_none());
                }
                (latencies, absent)
            })
        })
        .collect();
    let (mut latencies, mut absent) = (Vec::new(), 0);
    for task in asking {
        let (of_task, without) = task.await.expect("a look-up does not panic");
        latencies.extend(of_task);
        absent += without;
    }
    (latencies, absent)
}

impl Node {
    fn keep_soon(&self, name: &str) {
        self.tier.keep(digest(name), Some(&view()), node::NOW, node::stamp(0));
    }

    /// Waits until nothing is being written.
    async fn idle(&self) {
        let mut before = u64::MAX;
        while std::mem::replace(&mut before, self.writes()) != self.writes() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Time on a core of the calling thread.
fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    Duration::from_nanos(text.split(' ').next().and_then(|number| number.parse().ok()).expect("a number"))
}

fn server_cpu(server: &Server) -> Duration {
    let seconds = |field: &str| server.info(field).trim().parse::<f64>().expect("a number");
    Duration::from_secs_f64(seconds("used_cpu_user") + seconds("used_cpu_sys"))
}
