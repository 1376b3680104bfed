//! Redis as it really is: a process per server, on free ports of this machine, in a folder that goes with its test.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use redis::{Commands, ConnectionLike};

use crate::process::{Account, Process, Signal, free_port};

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

/// A running server; killed when dropped.
pub struct Server {
    /// `None` while it is down.
    process: Option<Process>,
    /// Where in its log it began last.
    begun_at: usize,
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
            // Ports that are still free when it comes back after a while.
            let (folder, [port, tls_port, bus_port]) = (Folder::new(), [(); 3].map(|()| free_port()));
            let path = folder.join("redis.conf");
            let place = folder.0.display().to_string();
            fs::write(&path, file.replace("{port}", &port.to_string()).replace("{folder}", &place)).unwrap();
            // A Sentinel writes its file anew.
            [folder.path(), &path].into_iter().for_each(|path| Account::own(Account::of_servers(), path));
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
            let mut server = Self { process: None, begun_at: 0, folder, arguments, port, tls_port, bus_port };
            if server.has_started() {
                return server;
            }
        }
        panic!("no redis-server starts");
    }

    /// Starts it; false when its port was taken meanwhile.
    fn has_started(&mut self) -> bool {
        self.begun_at = self.log_text().len();
        let log = OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new("redis-server");
        command.args(&self.arguments).current_dir("/").stdout(log.try_clone().unwrap()).stderr(log);
        Account::take(Account::of_servers(), &mut command);
        let process = self.process.insert(Process::spawn(command));
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let has_ended = process.has_ended();
            let text = fs::read_to_string(self.folder.join("log")).unwrap();
            let told = &text[self.begun_at..];
            if told.contains("Ready to accept connections") || told.contains("Sentinel ID is") {
                return true;
            }
            if has_ended {
                assert!(told.contains("in use") || told.contains("Failed listening"), "{told}");
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not start: {}", self.log_text());
    }

    /// What it has said since it was first started.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
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

    /// The field of `INFO`, which must be there.
    pub fn info(&self, field: &str) -> String {
        self.info_of(field).unwrap_or_else(|| panic!("no {field}"))
    }

    /// A Sentinel that gives a server another role ends all its connections, this one too: then it is asked again.
    pub fn info_of(&self, field: &str) -> Option<String> {
        let end = Instant::now() + PATIENCE;
        let text = loop {
            let asked = redis::Client::open(self.url()).unwrap().get_connection();
            match asked.and_then(|mut line| redis::cmd("INFO").arg("everything").query::<String>(&mut line)) {
                Ok(text) => break text,
                Err(error) => assert!(error.is_io_error() && Instant::now() < end, "{error}"),
            }
        };
        text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned))
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// The same server once more, on the same port, with what it saved.
    pub fn start_again(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !self.has_started() {
            assert!(Instant::now() < end, "the port stays taken");
        }
    }

    /// Lets it hang: it takes connections, and says nothing.
    pub fn pause(&self) {
        self.signal(Signal::Stop);
    }

    pub fn resume(&self) {
        self.signal(Signal::Continue);
    }

    fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("the server runs").signal(signal);
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
