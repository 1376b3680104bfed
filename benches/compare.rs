//! The gateway beside nginx, in one run, as CPU per request: `cargo bench --bench compare`.
//!
//! One worker each on the first core; load (wrk) and upstream (nginx, 105-byte answers) on the second. Rounds are
//! interleaved and the median is told, for machines are noisy: quote the ratios, never the times. Needs nginx, wrk and
//! taskset; with `TOLLGATE_TEST_POSTGRES` set, issuance is measured on PostgreSQL too.

#[path = "compare/gateway.rs"]
mod gateway;
#[path = "compare/issuance.rs"]
mod issuance;
#[path = "compare/load.rs"]
mod load;
#[path = "compare/nginx.rs"]
mod nginx;

use gateway::Gateway;
use load::{Round, Wrk};

const ROUNDS: usize = 5;

fn main() {
    let folder = std::env::temp_dir().join(format!("tollgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let upstream = nginx::upstream(&folder);
    let peer = nginx::proxy(&folder, upstream.port);
    let gateway = Gateway::start(&folder, "sqlite", None);
    let token = runtime.block_on(gateway.configure(upstream.port));
    println!("start to ready: {} ms, idle memory: {} MiB", gateway.started_in.as_millis(), gateway.resident_mib());

    let bearer = Wrk::get("/bench/x").header("Authorization", &format!("Bearer {token}"));
    let anonymous = Wrk::get("/bench/x");
    let guesses = Wrk::get("/bench/x").script(load::GUESSES);
    let (mut nginx, mut open, mut checked, mut refused) = (vec![], vec![], vec![], vec![]);
    for round in 0..=ROUNDS {
        let at_nginx = anonymous.run(&folder, peer.port, peer.pid());
        let open_route = Wrk::get("/open/x").run(&folder, gateway.proxy_port, gateway.pid());
        let with_token = bearer.run(&folder, gateway.proxy_port, gateway.pid());
        let without = guesses.run(&folder, gateway.proxy_port, gateway.pid());
        assert_eq!((at_nginx.refused, with_token.refused, without.answered - without.refused), (0, 0, 0));
        if round > 0 {
            nginx.push(at_nginx);
            open.push(open_route);
            checked.push(with_token);
            refused.push(without);
        }
    }
    let reads = runtime.block_on(gateway.metric("tollgate_token_checks_total{tier=\"database\"}"));
    let base = Round::median(&nginx);
    println!("\n| call | CPU µs | nginx = 1.00 | p99 ms | requests |\n|---|---|---|---|---|");
    for (name, rounds) in [
        ("nginx, proxied, no authentication", &nginx),
        ("tollgate, proxied, no authentication", &open),
        ("tollgate, proxied, token checked", &checked),
        ("tollgate, wrong token refused", &refused),
    ] {
        let micros = Round::median(rounds);
        let (p99, requests) = (Round::p99(rounds), rounds.iter().map(|round| round.answered).sum::<u64>());
        println!("| {name} | {micros:.1} | {:.2} | {p99:.1} | {requests} |", micros / base);
    }
    let guesses: u64 = refused.iter().map(|round| round.answered).sum();
    println!("\n{guesses} different wrong tokens caused {reads} database reads");
    drop(gateway);
    issuance::compare(&folder, &runtime, upstream.port);
    drop((upstream, peer));
    let _ = std::fs::remove_dir_all(&folder);
}
