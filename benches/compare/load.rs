//! Load by wrk on the second core, and what it cost the process that answered.

use std::path::Path;
use std::process::Command;

const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 50;

/// Every request with another 32-character token.
pub const GUESSES: &str = r#"
local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
math.randomseed(os.time())
request = function()
  local token = {}
  for i = 1, 32 do local at = math.random(#letters); token[i] = letters:sub(at, at) end
  return wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. table.concat(token) })
end
"#;

/// A token request as a client behind a TLS-terminating proxy sends it.
pub const TOKEN_REQUEST: &str = r#"
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["X-Forwarded-Proto"] = "https"
wrk.body = "grant_type=client_credentials&client_id=bench&client_secret=bench-secret&scope=email"
"#;

/// One kind of load.
pub struct Wrk {
    path: String,
    headers: Vec<String>,
    script: Option<&'static str>,
    connections: u32,
}

/// One measured stretch.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub answered: u64,
    /// Answers that were not 2xx or 3xx.
    pub refused: u64,
    pub cpu_micros: f64,
    pub p99_ms: f64,
}

impl Wrk {
    pub fn get(path: &str) -> Self {
        Self { path: path.to_owned(), headers: Vec::new(), script: None, connections: CONNECTIONS }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    pub fn script(mut self, script: &'static str) -> Self {
        self.script = Some(script);
        self
    }

    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// Loads the port and tells what that cost `pid` and its children.
    pub fn run(&self, folder: &Path, port: u16, pid: u32) -> Round {
        self.run_beside(folder, port, || cpu_micros(pid))
    }

    /// The same, with CPU read by `cpu` (µs so far).
    pub fn run_beside(&self, folder: &Path, port: u16, cpu: impl Fn() -> f64) -> Round {
        let mut command = Command::new("taskset");
        command.args(["-c", "1", "wrk", "-t1", "--latency"]);
        command.args(["-c", &self.connections.to_string(), "-d", &format!("{SECONDS}s")]);
        for header in &self.headers {
            command.args(["-H", header]);
        }
        if let Some(script) = self.script {
            let file = folder.join("load.lua");
            std::fs::write(&file, script).expect("the temporary folder can be written");
            command.arg("-s").arg(file);
        }
        command.arg(format!("http://127.0.0.1:{port}{}", self.path));
        let before = cpu();
        let output = command.output().expect("wrk and taskset are installed");
        let spent = cpu() - before;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        let answered = number_before(&text, " requests in").expect("wrk tells how many") as u64;
        let refused = text.lines().find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses: "));
        let errors = text.lines().find(|line| line.contains("Socket errors"));
        assert!(errors.is_none(), "{errors:?}");
        Round {
            answered,
            refused: refused.map_or(0, |number| number.trim().parse().expect("wrk prints a number")),
            cpu_micros: spent / answered as f64,
            p99_ms: p99(&text),
        }
    }
}

impl Round {
    pub fn median(rounds: &[Round]) -> f64 {
        middle(rounds.iter().map(|round| round.cpu_micros).collect())
    }

    pub fn p99(rounds: &[Round]) -> f64 {
        middle(rounds.iter().map(|round| round.p99_ms).collect())
    }
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn number_before(text: &str, mark: &str) -> Option<f64> {
    text[..text.find(mark)?].split_whitespace().last()?.parse().ok()
}

fn p99(text: &str) -> f64 {
    let value = text.lines().find_map(|line| line.trim().strip_prefix("99%")).map_or("0ms", str::trim);
    let digits = value.trim_end_matches(char::is_alphabetic);
    let number: f64 = digits.parse().unwrap_or(0.0);
    match value.trim_start_matches(digits) {
        "us" => number / 1000.0,
        "s" => number * 1000.0,
        _ => number,
    }
}

/// CPU time of a process and its children so far, user and system, in µs.
pub fn cpu_micros(pid: u32) -> f64 {
    let own = stat_micros(pid);
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    own + children.split_whitespace().filter_map(|child| child.parse().ok()).map(cpu_micros).sum::<f64>()
}

fn stat_micros(pid: u32) -> f64 {
    // schedstat counts nanoseconds; stat's ticks are too coarse for a stretch of seconds.
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanos.sum::<f64>() / 1000.0
}
