//! The gateway under measurement: the release binary, or the one that `gateway=PATH` names.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::peer::Doors;

/// Tokens asked for at once.
const CROWD: usize = 50;

pub struct Gateway {
    child: Child,
    pub doors: Doors,
    admin_port: u16,
    pub started_in: Duration,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Asked to stop: one that records what it does writes that at its end.
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The program.
fn program() -> String {
    let named = std::env::args().find_map(|word| word.strip_prefix("gateway=").map(str::to_owned));
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_tollgate").to_owned())
}

impl Gateway {
    /// Starts it with one worker on the first core, in a folder of its own, on SQLite or on the database at `url`.
    pub fn start(folder: &Path, name: &str, url: Option<&str>) -> Self {
        Self::start_on("0", 1, folder, name, url)
    }

    /// Starts it with so many workers on these cores, as taskset names them.
    pub fn start_on(cores: &str, workers: usize, folder: &Path, name: &str, url: Option<&str>) -> Self {
        let home = folder.join(name);
        let log = folder.join(format!("{name}.log"));
        let mut command = Command::new("taskset");
        command.args(["-c", cores, &program(), "dev", "--empty", "--data-dir"]).arg(&home);
        for listener in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN", "PORTAL_LISTEN"] {
            command.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
        }
        command.env("TOLLGATE_LOG_FILE", &log).env("TOLLGATE_LOG_FORMAT", "json");
        // As nginx does.
        let access = folder.join(format!("{name}.access.log"));
        command.env("TOLLGATE_LOG_ACCESS", "combined").env("TOLLGATE_LOG_ACCESS_FILE", access);
        command.env("TOLLGATE_PROXY_WORKERS", workers.to_string()).env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1");
        if let Some(url) = url {
            command.env("TOLLGATE_DATABASE_URL", url);
        }
        let begun = Instant::now();
        let child = command.stdout(Stdio::null()).spawn().expect("the gateway starts");
        let doors = Doors { plain: 0, prior: 0, tls: 0 };
        let mut gateway = Self { child, doors, admin_port: 0, started_in: Duration::ZERO };
        let mut lines = String::new();
        while !lines.contains("\"ready\"") {
            assert!(begun.elapsed() < Duration::from_secs(20), "the gateway did not get ready:\n{lines}");
            std::thread::sleep(Duration::from_millis(1));
            lines = std::fs::read_to_string(&log).unwrap_or_default();
        }
        gateway.started_in = begun.elapsed();
        let plain = port_of(&lines, "proxy");
        gateway.doors = Doors { plain, prior: plain, tls: port_of(&lines, "proxy_tls") };
        gateway.admin_port = port_of(&lines, "admin");
        gateway
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
    }

    /// A service with a guarded route `/bench` and an open one `/open`, an application, and a token.
    pub async fn configure(&self, upstream: u16) -> String {
        let client = reqwest::Client::new();
        let service = json!({ "name": "bench", "url": format!("http://127.0.0.1:{upstream}") });
        self.post(&client, "/services", service).await;
        for route in ["bench", "open"] {
            let path = json!({ "name": route, "paths": [format!("/{route}")] });
            self.post(&client, "/services/bench/routes", path).await;
        }
        self.post(&client, "/routes/bench/plugins", json!({ "name": "oauth2", "config": policy() })).await;
        self.post(&client, "/consumers", json!({ "username": "bench" })).await;
        let application = json!({ "name": "bench", "client_id": "bench", "client_secret": "bench-secret",
                                  "redirect_uris": ["http://localhost/"] });
        self.post(&client, "/consumers/bench/oauth2", application).await;
        self.token(&client, "bench").await
    }

    /// A service of gRPC, guarded too, and a token for it: issued by a route of HTTP, as it cannot be by one of gRPC.
    pub async fn configure_grpc(&self, upstream: u16) -> String {
        let client = reqwest::Client::new();
        let service = json!({ "name": "echo", "url": format!("grpc://127.0.0.1:{upstream}") });
        self.post(&client, "/services", service).await;
        let calls = json!({ "name": "calls", "paths": ["/bench.Echo/"], "protocols": ["grpc"], "strip_path": false });
        self.post(&client, "/services/echo/routes", calls).await;
        let issue = json!({ "name": "echo", "paths": ["/echo"], "protocols": ["http"] });
        self.post(&client, "/services/echo/routes", issue).await;
        self.post(&client, "/services/echo/plugins", json!({ "name": "oauth2", "config": policy() })).await;
        self.token(&client, "echo").await
    }

    /// Different tokens for the guarded route.
    pub async fn tokens(&self, number: usize) -> Vec<String> {
        let client = reqwest::Client::new();
        let mut tokens = Vec::with_capacity(number);
        while tokens.len() < number {
            let asked = (0..CROWD.min(number - tokens.len())).map(|_| self.token(&client, "bench"));
            tokens.extend(futures_util::future::join_all(asked).await);
        }
        tokens
    }

    async fn token(&self, client: &reqwest::Client, route: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("client_id", "bench"), ("client_secret", "bench-secret")];
        let url = format!("http://127.0.0.1:{}/{route}/oauth2/token", self.doors.plain);
        let answer = client.post(url).header("X-Forwarded-Proto", "https").form(&form).send().await;
        let body: Value = answer.expect("the proxy answers").json().await.expect("a token answer is JSON");
        body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {body}")).to_owned()
    }

    async fn post(&self, client: &reqwest::Client, path: &str, body: Value) {
        let url = format!("http://127.0.0.1:{}{path}", self.admin_port);
        let answer = client.post(url).json(&body).send().await.expect("the Admin API answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap_or_default());
    }

    pub async fn metric(&self, series: &str) -> u64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.admin_port);
        let text = reqwest::get(url).await.expect("the Admin API answers").text().await.expect("metrics are text");
        let value = text.lines().find_map(|line| line.strip_prefix(series));
        value.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("no {series} in {text}"))
    }
}

/// What guards the routes.
fn policy() -> Value {
    json!({ "enable_client_credentials": true, "scopes": ["email"], "accept_http_if_already_terminated": true })
}

fn port_of(lines: &str, listener: &str) -> u16 {
    let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let address = events.filter(|event| event["listener"] == listener).find_map(|event| {
        let address = event["address"].as_str()?;
        address.rsplit(':').next()?.parse().ok()
    });
    address.unwrap_or_else(|| panic!("no listener {listener} in\n{lines}"))
}
