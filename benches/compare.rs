//! The gateway beside nginx and haproxy, in one run, as CPU per call: `cargo bench --bench compare`.
//!
//! Names of rows choose some of them (`cargo bench --bench compare -- http2 grpc`), `rounds=3` and `seconds=2` shorten
//! them, `gateway=PATH` measures another binary; without names all are run, and issuance after them.
//!
//! One worker each on the first core; load (wrk, h2load) and upstreams (nginx with 105-byte answers, one of gRPC of our
//! own) on the second. Rounds are interleaved; told is the median of each round's ratio, for machines are noisy: quote
//! the ratios, never the times. Needs nginx, wrk, h2load and taskset; haproxy takes part where it is installed; with
//! `TOLLGATE_TEST_POSTGRES` set, issuance is measured on PostgreSQL too.

#[path = "compare/contest.rs"]
mod contest;
#[path = "compare/echo.rs"]
mod echo;
#[path = "compare/gateway.rs"]
mod gateway;
#[path = "compare/h2load.rs"]
mod h2load;
#[path = "compare/haproxy.rs"]
mod haproxy;
#[path = "compare/issuance.rs"]
mod issuance;
#[path = "compare/nginx.rs"]
mod nginx;
#[path = "compare/peer.rs"]
mod peer;
#[path = "compare/round.rs"]
mod round;
#[path = "compare/rows.rs"]
mod rows;
#[path = "compare/wrk.rs"]
mod wrk;

use round::Stretch;
use rows::{Field, ROWS};

const ISSUANCE: &str = "issuance";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [command, port] = &words[..]
        && command == echo::COMMAND
    {
        return serve_grpc(port.parse().expect("a port"));
    }
    let number = |key: &str, usual| {
        let word = words.iter().find_map(|word| word.strip_prefix(key));
        word.map_or(usual, |word| word.parse().unwrap_or_else(|_| panic!("{key} wants a number")))
    };
    let stretch = Stretch { seconds: number("seconds=", 4), rounds: number("rounds=", 5) as usize };
    let names: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.contains('=')).collect();
    let known = |name: &&str| *name == ISSUANCE || ROWS.iter().any(|row| row.name == *name);
    assert!(names.iter().all(known), "the rows are {:?} and {ISSUANCE}", ROWS.map(|row| row.name));
    let is_chosen = |name: &str| names.is_empty() || names.contains(&name);

    let folder = std::env::temp_dir().join(format!("tollgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let field = Field::set_up(folder.clone(), stretch);
    let chosen = ROWS.iter().filter(|row| is_chosen(row.name));
    let outcomes: Vec<_> = chosen.map(|row| (row.title, (row.run)(&field, row.title))).collect();
    println!("\n| nginx without authentication = 1.00 | aim | tollgate, token checked | HAProxy |\n|---|---|---|---|");
    for (title, outcome) in outcomes {
        let haproxy = outcome.haproxy.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        println!("| {title} | {} | {:.2} | {haproxy} |", outcome.aim, outcome.tollgate);
    }
    if is_chosen(ISSUANCE) {
        issuance::compare(&folder, &field.runtime, field.upstream, stretch);
    }
    drop(field);
    let _ = std::fs::remove_dir_all(&folder);
}

fn serve_grpc(port: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    tokio::task::LocalSet::new().block_on(&runtime, echo::answer(port));
}
