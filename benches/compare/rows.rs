//! The rows of the comparison: which traffic, upon whom, and what is aimed at.

use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::contest::{self, Entry, Load, Standing};
use super::echo;
use super::gateway::Gateway;
use super::h2load::H2load;
use super::peer::{Doors, Pair, Server};
use super::round::Stretch;
use super::wrk::{self, Wrk};
use super::{haproxy, nginx};

const NGINX: &str = "nginx, no authentication";
const HAPROXY: &str = "HAProxy, no authentication";
const OPEN: &str = "tollgate, no authentication";
const CHECKED: &str = "tollgate, token checked";
const TOKENS: usize = 10_000;

/// Everybody who takes part.
pub struct Field {
    pub folder: PathBuf,
    pub runtime: Runtime,
    pub upstream: u16,
    pub gateway: Gateway,
    nginx: (Server, Doors),
    haproxy: Option<(Server, Doors)>,
    token: String,
    grpc_token: String,
    pub stretch: Stretch,
    /// Kept running.
    _upstreams: [Server; 2],
}

/// What came of a row.
pub struct Outcome {
    pub aim: &'static str,
    pub tollgate: f64,
    pub haproxy: Option<f64>,
}

pub struct Row {
    pub name: &'static str,
    pub title: &'static str,
    pub run: fn(&Field, &str) -> Outcome,
}

pub const ROWS: [Row; 9] = [
    Row { name: "http1", title: "HTTP/1.1, kept connections", run: http1 },
    Row { name: "tokens", title: "HTTP/1.1, 10 000 tokens at random", run: tokens },
    Row { name: "tls", title: "HTTP/1.1 over TLS, kept connections", run: tls },
    Row { name: "http2", title: "HTTP/2 by prior knowledge", run: http2 },
    Row { name: "http2-tls", title: "HTTP/2 over TLS", run: http2_tls },
    Row { name: "grpc", title: "gRPC, unary calls", run: grpc },
    Row { name: "connections", title: "HTTP/1.1, a new connection per call", run: connections },
    Row { name: "latency", title: "HTTP/1.1 at half of what nginx can, 99th percentile", run: latency },
    Row { name: "workers", title: "HTTP/1.1, two workers beside one", run: workers },
];

impl Field {
    pub fn set_up(folder: PathBuf, stretch: Stretch) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let (answering, upstream) = nginx::upstream(&folder, "1");
        let (calls, grpc) = echo::start("1");
        let pair = Pair::make(&folder);
        let nginx = nginx::proxy(&folder, &pair, upstream, grpc);
        let haproxy = haproxy::proxy(&folder, &pair, upstream, grpc);
        let gateway = Gateway::start(&folder, "sqlite", None);
        let token = runtime.block_on(gateway.configure(upstream));
        let grpc_token = runtime.block_on(gateway.configure_grpc(grpc));
        let (started, idle) = (gateway.started_in.as_millis(), gateway.resident_mib());
        println!("start to ready: {started} ms, idle memory: {idle} MiB");
        let _upstreams = [answering, calls];
        Self { folder, runtime, upstream, gateway, nginx, haproxy, token, grpc_token, stretch, _upstreams }
    }

    /// The same load upon all: what the others get has the token too, but nobody there looks at it.
    fn entries(&self, door: fn(&Doors) -> u16, load: &Load) -> Vec<Entry> {
        let mut entries = vec![Entry::new(NGINX, self.nginx.0.pid(), door(&self.nginx.1), load.clone())];
        if let Some((haproxy, doors)) = &self.haproxy {
            entries.push(Entry::new(HAPROXY, haproxy.pid(), door(doors), load.clone()));
        }
        entries.push(self.entry(CHECKED, door, load.clone()));
        entries
    }

    fn entry(&self, name: &'static str, door: fn(&Doors) -> u16, load: Load) -> Entry {
        Entry::new(name, self.gateway.pid(), door(&self.gateway.doors), load)
    }

    fn run(&self, title: &str, entries: &[Entry]) -> Vec<Standing> {
        contest::run(title, entries, &self.folder, self.stretch)
    }

    /// A row in which nothing else is looked at.
    fn compare(&self, title: &str, aim: &'static str, door: fn(&Doors) -> u16, load: Load) -> Outcome {
        outcome(aim, &self.run(title, &self.entries(door, &load)))
    }
}

fn named<'s>(standings: &'s [Standing], name: &str) -> Option<&'s Standing> {
    standings.iter().find(|standing| standing.name == name)
}

fn outcome(aim: &'static str, standings: &[Standing]) -> Outcome {
    let ratio = |name| named(standings, name).map(Standing::ratio);
    Outcome { aim, tollgate: ratio(CHECKED).expect("the gateway took part"), haproxy: ratio(HAPROXY) }
}

fn http1(field: &Field, title: &str) -> Outcome {
    let mut entries = field.entries(|doors| doors.plain, &Load::Wrk(Wrk::get("/bench/x").bearer(&field.token)));
    entries.push(field.entry(OPEN, |doors| doors.plain, Load::Wrk(Wrk::get("/open/x"))));
    let guesses = Load::Wrk(Wrk::get("/bench/x").script(wrk::GUESSES));
    let refused = "tollgate, wrong token refused";
    entries.push(Entry { refused: true, ..field.entry(refused, |doors| doors.plain, guesses) });
    let reads = || field.runtime.block_on(field.gateway.metric("tollgate_token_checks_total{tier=\"database\"}"));
    let before = reads();
    let standings = field.run(title, &entries);
    let guesses = named(&standings, refused).map_or(0, Standing::answered);
    println!("\n{guesses} different wrong tokens caused {} database reads", reads() - before);
    outcome("<= 1.00", &standings)
}

fn tokens(field: &Field, title: &str) -> Outcome {
    let tokens = field.runtime.block_on(field.gateway.tokens(TOKENS));
    std::fs::write(field.folder.join("tokens"), tokens.join("\n")).expect("the temporary folder can be written");
    field.compare(title, "<= 1.05", |doors| doors.plain, Load::Wrk(Wrk::get("/bench/x").script(wrk::TOKENS)))
}

fn tls(field: &Field, title: &str) -> Outcome {
    let load = Wrk::get("/bench/x").bearer(&field.token).secure();
    field.compare(title, "<= 0.85", |doors| doors.tls, Load::Wrk(load))
}

fn http2(field: &Field, title: &str) -> Outcome {
    let load = H2load::get("/bench/x").bearer(&field.token);
    field.compare(title, "<= 0.65", |doors| doors.prior, Load::H2load(load))
}

fn http2_tls(field: &Field, title: &str) -> Outcome {
    let load = H2load::get("/bench/x").bearer(&field.token).secure();
    field.compare(title, "<= 0.65", |doors| doors.tls, Load::H2load(load))
}

fn grpc(field: &Field, title: &str) -> Outcome {
    let load = H2load::grpc(echo::METHOD, echo::MESSAGE).bearer(&field.grpc_token);
    let entries = field.entries(|doors| doors.prior, &Load::H2load(load));
    for entry in &entries {
        field.runtime.block_on(echo::look(entry.port, &field.grpc_token));
    }
    outcome("<= 0.60", &field.run(title, &entries))
}

fn connections(field: &Field, title: &str) -> Outcome {
    let load = Wrk::get("/bench/x").bearer(&field.token).header("Connection", "close");
    field.compare(title, "<= 1.10", |doors| doors.plain, Load::Wrk(load))
}

fn latency(field: &Field, title: &str) -> Outcome {
    let nginx = &field.entries(|doors| doors.plain, &Load::Wrk(Wrk::get("/bench/x").bearer(&field.token)))[..1];
    let stretch = Stretch { rounds: 1, ..field.stretch };
    let most = contest::run("nginx as fast as it can", nginx, &field.folder, stretch);
    let pace = most[0].answered() / u64::from(stretch.seconds) / 2;
    let load = Load::H2load(H2load::paced("/bench/x", pace).bearer(&field.token));
    let standings = field.run(title, &field.entries(|doors| doors.plain, &load));
    let ratio = |name| named(&standings, name).map(Standing::p99_ratio);
    Outcome { aim: "<= 1.00", tollgate: ratio(CHECKED).expect("the gateway took part"), haproxy: ratio(HAPROXY) }
}

/// Workers on the first two cores. Load and upstream have cores of their own where there are four; else they take from
/// the same two, and what two workers would do alone is told by what a call costs them.
fn workers(field: &Field, title: &str) -> Outcome {
    let has_room = std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 4);
    let others = if has_room { "2-3" } else { "0-1" };
    let (_answering, upstream) = nginx::upstream(&field.folder.join("both"), others);
    let gateways = [1, 2].map(|workers| {
        let name = format!("workers-{workers}");
        let gateway = Gateway::start_on("0-1", workers, &field.folder, &name, None);
        let token = field.runtime.block_on(gateway.configure(upstream));
        (gateway, token)
    });
    let entry = |name, (gateway, token): &(Gateway, String)| {
        let load = Wrk::get("/bench/x").bearer(token).cores(others);
        Entry::new(name, gateway.pid(), gateway.doors.plain, Load::Wrk(load))
    };
    let entries = [entry("one worker", &gateways[0]), entry("two workers", &gateways[1])];
    let standings = field.run(title, &entries);
    let [one, two] = &standings[..] else { unreachable!("two took part") };
    let tollgate = if has_room {
        two.answered() as f64 / one.answered() as f64
    } else {
        println!("\nno cores to spare for the load: twice the calls, at the CPU time each costs");
        2.0 / two.ratio()
    };
    Outcome { aim: ">= 1.80", tollgate, haproxy: None }
}
