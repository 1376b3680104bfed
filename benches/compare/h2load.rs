//! Loads by h2load: HTTP/2, gRPC, and HTTP/1.1 at a given pace.

use std::path::Path;
use std::process::Command;

use super::round::{Round, Stretch};

#[derive(Clone)]
pub struct H2load {
    path: String,
    headers: Vec<String>,
    /// Sent by POST.
    body: Option<&'static [u8]>,
    options: Vec<String>,
    secure: bool,
}

impl H2load {
    /// HTTP/2, ten calls at once on each of ten connections.
    pub fn get(path: &str) -> Self {
        let options = ["-c10", "-m10"].map(str::to_owned).to_vec();
        Self { path: path.to_owned(), headers: Vec::new(), body: None, options, secure: false }
    }

    /// A unary call of gRPC, without an answer's meaning being looked at.
    pub fn grpc(path: &str, message: &'static [u8]) -> Self {
        let call = Self { body: Some(message), ..Self::get(path) };
        call.header("content-type", "application/grpc").header("te", "trailers")
    }

    /// HTTP/1.1, so many calls a second in all on fifty connections. A call that is due while its connection still waits
    /// for an answer is sent, and its time counted, when that came.
    pub fn paced(path: &str, per_second: u64) -> Self {
        let each = (per_second / 50).max(1);
        let options = ["--h1", "-c50", "-m1", &format!("--rps={each}")].map(str::to_owned).to_vec();
        Self { options, ..Self::get(path) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    /// With this token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Over TLS.
    pub fn secure(mut self) -> Self {
        self.secure = true;
        self
    }

    /// Loads the port and tells what that cost, by `cpu` (µs so far).
    pub fn run(&self, folder: &Path, port: u16, stretch: Stretch, cpu: impl Fn() -> f64) -> Round {
        let mut command = Command::new("taskset");
        command.current_dir(folder).args(["-c", "1", "h2load", "--log-file=calls"]).args(&self.options);
        command.arg(format!("-D{}", stretch.seconds));
        for header in &self.headers {
            command.args(["-H", header]);
        }
        if let Some(body) = self.body {
            std::fs::write(folder.join("body"), body).expect("the temporary folder can be written");
            command.args(["-d", "body"]);
        }
        let scheme = if self.secure { "https" } else { "http" };
        command.arg(format!("{scheme}://127.0.0.1:{port}{}", self.path));
        let _ = std::fs::remove_file(folder.join("calls"));
        let before = cpu();
        let output = command.output().expect("h2load and taskset are installed");
        let spent = cpu() - before;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "h2load failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        let calls = std::fs::read_to_string(folder.join("calls")).expect("h2load writes what it is told to");
        round(&calls, spent).unwrap_or_else(|| panic!("no calls: {text}"))
    }
}

/// What the lines of calls tell: start, status and microseconds of each.
fn round(calls: &str, spent: f64) -> Option<Round> {
    let mut times = Vec::new();
    let mut refused = 0;
    for call in calls.lines() {
        let mut columns = call.split('\t');
        let (status, micros) = (columns.nth(1)?, columns.next()?);
        // The calls that were under way when time was up have no status.
        if let Some(status) = status.parse::<u16>().ok().filter(|status| *status > 0) {
            refused += u64::from(!(200..400).contains(&status));
            times.push(micros.parse::<u64>().ok()?);
        }
    }
    times.sort_unstable();
    let p99 = *times.get(times.len().checked_sub(1)? * 99 / 100)?;
    let answered = times.len() as u64;
    Some(Round { answered, refused, cpu_micros: spent / answered as f64, p99_ms: p99 as f64 / 1000.0 })
}
