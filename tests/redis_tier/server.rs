//! Redis as it really is: a process per server, on free ports of this machine, in a folder that goes with its test.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Commands, ConnectionLike};

/// What has not happened by then does not happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that goes with its test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tollgate-redis-{}", uuid::Uuid::new_v4()));
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

/// Ports that were free a moment ago.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    folder: Folder,
    arguments: Vec<String>,
    pub port: u16,
    /// Open if it has a certificate.
    pub tls_port: u16,
    /// Of a Cluster's servers among themselves.
    pub bus_port: u16,
}

impl Server {
    /// A server without a password, with these settings besides: `name value ..`.
    pub fn start(settings: &[&str]) -> Self {
        Self::start_with(settings, "", &[])
    }

    /// One with lines in its configuration file, and arguments behind it.
    pub fn start_with(settings: &[&str], file: &str, flags: &[&str]) -> Self {
        for _ in 0..10 {
            let (folder, [port, tls_port, bus_port]) = (Folder::new(), free_ports());
            let path = folder.join("redis.conf");
            let place = folder.0.display().to_string();
            fs::write(&path, file.replace("{port}", &port.to_string()).replace("{folder}", &place)).unwrap();
            let mut arguments = vec![path.display().to_string()];
            let usual = [
                "--bind 127.0.0.1 --save  --appendonly no --daemonize no --protected-mode no --loglevel notice",
                &format!("--dir {place} --cluster-port {bus_port}"),
            ];
            arguments.extend(usual.join(" ").split(' ').map(str::to_owned));
            arguments.extend(["--port".to_owned(), port.to_string()]);
            if settings.contains(&"--tls-cert-file") {
                arguments.extend(["--tls-port".to_owned(), tls_port.to_string()]);
            }
            arguments.extend(settings.iter().map(|setting| setting.replace("{folder}", &place)));
            arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
            let child = spawn(&folder, &arguments);
            let mut server = Self { child, folder, arguments, port, tls_port, bus_port };
            if server.has_started() {
                return server;
            }
        }
        panic!("no redis-server starts");
    }

    /// Whether it is up; false when its port was taken meanwhile.
    fn has_started(&mut self) -> bool {
        let log = self.folder.join("log");
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let told = fs::read_to_string(&log).unwrap_or_default();
            if told.contains("Ready to accept connections") || told.contains("Sentinel ID is") {
                return true;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(told.contains("in use") || told.contains("Failed listening"), "{status}: {told}");
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not start: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Plain, without a user.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection to prepare and to look with.
    pub fn connection(&self) -> redis::Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    pub fn run(&self, command: &str) -> redis::Value {
        let packed = command.split(' ').fold(redis::Cmd::new(), |mut packed, word| {
            packed.arg(word);
            packed
        });
        let mut connection = self.connection();
        connection.req_command(&packed).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub fn keys(&self, pattern: &str) -> Vec<Vec<u8>> {
        self.connection().keys(pattern).unwrap()
    }

    /// The field of `INFO`.
    pub fn info(&self, field: &str) -> String {
        let text: String = redis::cmd("INFO").arg("everything").query(&mut self.connection()).unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned));
        found.unwrap_or_else(|| panic!("no {field} in {text}"))
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same server once more, on the same port, with what it saved.
    pub fn start_again(&mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.child = spawn(&self.folder, &self.arguments);
            if self.has_started() {
                return;
            }
            assert!(Instant::now() < end, "the port stays taken");
        }
    }

    /// Lets it hang: it takes connections, and says nothing.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }
}

fn spawn(folder: &Folder, arguments: &[String]) -> Child {
    let log = File::create(folder.join("log")).unwrap();
    let mut command = Command::new("redis-server");
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().expect("redis-server is missing: install it, or run tests/run")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `is_so`.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "it never came to pass that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
