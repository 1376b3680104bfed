//! Few tokens at rest beside millions: what a look-up, an issuance, a revocation and the sweeping of expired ones cost.
//!
//! `TOLLGATE_TEST_POSTGRES=postgres://… cargo bench --bench tokens_at_rest -- 10000000`: the number is that of the many;
//! a tenth of them can be tried first. The server must be on this machine, for its CPU time is read; ten million need 7 GB
//! of disk. Two databases are made and dropped. Rounds are interleaved and medians told: quote ratios, not times.

#[path = "tokens_at_rest/commits.rs"]
mod commits;
#[path = "tokens_at_rest/rest.rs"]
mod rest;
#[path = "tokens_at_rest/server.rs"]
mod server;
#[path = "tokens_at_rest/work.rs"]
mod work;

use rest::Rest;
use server::Server;

const FEW: u64 = 10_000;
const ROUNDS: usize = 7;

fn main() {
    let many = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let url = std::env::var("TOLLGATE_TEST_POSTGRES").expect("set TOLLGATE_TEST_POSTGRES to a server on this machine");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(tokio::task::LocalSet::new().run_until(compare(&url, many)));
}

async fn compare(url: &str, many: u64) {
    let server = Server::at(url).await;
    println!("{}", server.describe().await);
    let few = Rest::filled(&server, FEW).await;
    let many = Rest::filled(&server, many).await;
    println!("\n| {many} | µs of the database's CPU | µs in all | of few |\n|---|---|---|---|");
    work::lookups(&server, &few, &many).await;
    work::revocations(&server, &few).await;
    work::issuance(&server, &few, &many).await;
    work::sweeping(&server, &many).await;
    commits::flushes(&server, &few).await;
    for rest in [few, many] {
        rest.drop(&server).await;
    }
}
