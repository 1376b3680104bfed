//! A real gateway per test: the binary, on free ports, in a folder of its own.

#![expect(dead_code, reason = "each test binary uses a part of this")]

pub mod browser;
pub mod html;

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that goes with its test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tollgate-test-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A command of the binary, with no settings of the surroundings.
pub fn tollgate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TOLLGATE_")) {
        command.env_remove(name);
    }
    command
}

/// A running gateway; killed when dropped.
pub struct Gateway {
    child: Child,
    pub log: PathBuf,
    pub addresses: HashMap<String, SocketAddr>,
    pub started_in: Duration,
    pub stdout: PathBuf,
}

/// How a gateway is started.
pub struct Start {
    command: Command,
    log: PathBuf,
    stdout: PathBuf,
}

impl Start {
    /// `tollgate dev` in `folder`, every listener on a free port.
    pub fn dev(folder: &Path) -> Self {
        let mut command = tollgate();
        command.arg("dev").arg("--data-dir").arg(folder.join("data"));
        Self::with(command, folder)
    }

    /// `tollgate dev` with its data on a disk of `size` that only it sees, mounted at `disk`.
    pub fn dev_on_tmpfs(folder: &Path, disk: &Path, size: &str) -> Self {
        let script = format!(
            "mount -t tmpfs -o size={size} tmpfs '{0}' && exec '{1}' dev --data-dir '{0}/data'",
            disk.display(),
            env!("CARGO_BIN_EXE_tollgate")
        );
        // A user namespace of its own makes the mount possible for whoever runs the tests.
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c"]).arg(script);
        Self::with(command, folder)
    }

    /// `tollgate serve` on the database at `url`, with a keyring in `folder`.
    pub fn serve(folder: &Path, url: &str) -> Self {
        let keyring = folder.join("keyring");
        if !keyring.exists() {
            assert!(tollgate().args(["keyring", "init"]).arg(&keyring).output().unwrap().status.success());
        }
        let mut command = tollgate();
        command.arg("serve").env("TOLLGATE_DATABASE_URL", url).env("TOLLGATE_KEYRING_FILE", keyring);
        command.env("TOLLGATE_DATABASE_AUTO_MIGRATE", "true").env("TOLLGATE_PROXY_LISTEN_TLS", "");
        Self::with(command, folder)
    }

    fn with(mut command: Command, folder: &Path) -> Self {
        for name in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN", "PORTAL_LISTEN"] {
            let variable = format!("TOLLGATE_{name}");
            let is_set = command.get_envs().any(|(known, _)| known == variable.as_str());
            if !is_set {
                command.env(variable, "127.0.0.1:0");
            }
        }
        let (log, stdout) = (folder.join("log"), folder.join("stdout"));
        command.env("TOLLGATE_LOG_FORMAT", "json").env("TOLLGATE_LOG_FILE", &log).env("TOLLGATE_PROXY_WORKERS", "2");
        Self { command, log, stdout }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    /// Starts it and waits for `ready`.
    pub fn ready(self) -> Gateway {
        let Self { mut command, log, stdout } = self;
        let _ = fs::remove_file(&log);
        let begun = Instant::now();
        command.stdout(fs::File::create(&stdout).unwrap()).stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut addresses = HashMap::new();
        loop {
            let lines = fs::read_to_string(&log).unwrap_or_default();
            let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut is_ready = false;
            for event in events {
                match event["message"].as_str() {
                    Some("listening") => {
                        let listener = event["listener"].as_str().unwrap().to_owned();
                        addresses.insert(listener, event["address"].as_str().unwrap().parse().unwrap());
                    }
                    Some("ready") => is_ready = true,
                    _ => {}
                }
            }
            if is_ready {
                return Gateway { child, log, addresses, started_in: begun.elapsed(), stdout };
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the gateway ended with {status}:\n{lines}");
            }
            assert!(begun.elapsed() < PATIENCE, "the gateway did not get ready:\n{lines}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Gateway {
    pub fn url(&self, listener: &str, path: &str) -> String {
        let scheme = if listener.ends_with("_tls") { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.addresses[listener])
    }

    pub fn admin(&self, path: &str) -> String {
        self.url("admin", path)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let asked = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status().unwrap();
        assert!(asked.success());
        self.wait()
    }

    /// Waits for its end and gives its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "the gateway did not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that believes the gateway's self-signed certificate and follows no redirects.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

/// A client that trusts the certificate in this file and no other, as a careful user's does.
pub fn trusting(certificate: &Path) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_pem(&fs::read(certificate).unwrap()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([certificate])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .unwrap()
}
