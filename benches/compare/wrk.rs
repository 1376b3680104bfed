//! Loads by wrk, and what they cost the process that answered.

use std::path::Path;
use std::process::Command;

use super::round::{Round, Stretch};

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

/// Every request with one of the tokens in the file `tokens`, at random.
pub const TOKENS: &str = r#"
local requests = {}
init = function()
  math.randomseed(os.time())
  for token in io.lines("tokens") do
    requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
  end
end
request = function() return requests[math.random(#requests)] end
"#;

/// A token request as a client behind a TLS-terminating proxy sends it.
pub const TOKEN_REQUEST: &str = r#"
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["X-Forwarded-Proto"] = "https"
wrk.body = "grant_type=client_credentials&client_id=bench&client_secret=bench-secret&scope=email"
"#;

/// One kind of load.
#[derive(Clone)]
pub struct Wrk {
    path: String,
    headers: Vec<String>,
    script: Option<&'static str>,
    connections: u32,
    secure: bool,
    cores: &'static str,
}

impl Wrk {
    pub fn get(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            headers: Vec::new(),
            script: None,
            connections: CONNECTIONS,
            secure: false,
            cores: "1",
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    /// With this token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Over TLS.
    pub fn secure(mut self) -> Self {
        self.secure = true;
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

    /// From these cores instead of the second one, as taskset names them; with a thread on each of two.
    pub fn cores(mut self, cores: &'static str) -> Self {
        self.cores = cores;
        self
    }

    /// Loads the port and tells what that cost, by `cpu` (µs so far).
    pub fn run(&self, folder: &Path, port: u16, stretch: Stretch, cpu: impl Fn() -> f64) -> Round {
        let mut command = Command::new("taskset");
        let threads = if self.cores.contains('-') { "-t2" } else { "-t1" };
        command.current_dir(folder).args(["-c", self.cores, "wrk", threads, "--latency"]);
        command.args(["-c", &self.connections.to_string(), "-d", &format!("{}s", stretch.seconds)]);
        for header in &self.headers {
            command.args(["-H", header]);
        }
        if let Some(script) = self.script {
            std::fs::write(folder.join("load.lua"), script).expect("the temporary folder can be written");
            command.args(["-s", "load.lua"]);
        }
        let scheme = if self.secure { "https" } else { "http" };
        command.arg(format!("{scheme}://127.0.0.1:{port}{}", self.path));
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
