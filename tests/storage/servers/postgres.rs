//! A PostgreSQL of the test's own.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio_postgres::{Client, NoTls};
use tollgate::storage::{Location, PostgresOptions, Store};

use super::{command, eventually, free_port, hand_over, log_of};
use crate::bench::{self, Folder};

pub const USER: &str = "tollgate";
/// The standby's name at its primary.
const STANDBY: &str = "s1";

pub struct Server {
    pub port: u16,
    /// What stands between user and `@` in a URL: empty, or a colon and the password.
    secret: String,
    child: Option<Child>,
    folder: Folder,
}

/// Where PostgreSQL's programs are: beside `initdb` in the path, or where Debian keeps them.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok());
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.unwrap().path().join("bin/initdb")).collect();
    debian.sort();
    let mut beside = in_path.chain(debian.into_iter().rev()).map(|initdb| initdb.with_file_name(name));
    beside.find(|program| program.exists()).expect("PostgreSQL is missing; tests/run installs it")
}

fn run(mut command: Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    fn in_folder(folder: Folder, secret: String) -> Self {
        Self { port: 0, secret, child: None, folder }
    }

    /// A new server, empty but for its own databases; anyone may connect.
    pub async fn start() -> Self {
        let mut server = Self::initialised("trust", "");
        server.launch_anywhere().await;
        server
    }

    /// A new server that wants a password.
    pub async fn start_with_password(password: &str) -> Self {
        let mut server = Self::initialised("scram-sha-256", password);
        server.launch_anywhere().await;
        server
    }

    fn initialised(method: &str, password: &str) -> Self {
        let folder = Folder::new();
        hand_over(&folder.0);
        let secret = if password.is_empty() { String::new() } else { format!(":{password}") };
        let file = folder.0.join("password");
        fs::write(&file, format!("{password}\n")).unwrap();
        let server = Self::in_folder(folder, secret);
        let mut initdb = command(&program("initdb"));
        initdb.args(["-U", USER, "-A", method, "--no-locale", "-E", "UTF8", "--no-sync", "-D"]).arg(server.data());
        if !password.is_empty() {
            initdb.arg("--pwfile").arg(file);
        }
        run(initdb);
        server
    }

    /// A standby that follows `primary`. From now on no commit is answered there before the standby has it.
    pub async fn standby_of(primary: &Self) -> Self {
        let folder = Folder::new();
        hand_over(&folder.0);
        let mut standby = Self::in_folder(folder, primary.secret.clone());
        let mut copy = command(&program("pg_basebackup"));
        let from = format!("host=127.0.0.1 port={} user={USER} application_name={STANDBY}", primary.port);
        copy.env("PGPASSWORD", primary.secret.trim_start_matches(':'));
        copy.args(["-w", "-c", "fast", "-R", "-X", "stream", "-C", "-S", STANDBY, "--no-sync", "-d", &from, "-D"]);
        copy.arg(standby.data());
        run(copy);
        standby.launch_anywhere().await;
        primary.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")).await;
        primary.sql("SELECT pg_reload_conf()").await;
        let follows = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        eventually("the standby follows", async || (!primary.sql(follows).await.is_empty()).then_some(())).await;
        standby
    }

    fn data(&self) -> PathBuf {
        self.folder.0.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.0.join("log")
    }

    async fn launch_anywhere(&mut self) {
        for _ in 0..3 {
            self.port = free_port();
            if self.launched(&[]).await {
                return;
            }
        }
        panic!("PostgreSQL does not start:\n{}", log_of(&self.log()));
    }

    /// Starts the server where it was, also with other settings (`name=value`).
    pub async fn restart(&mut self, settings: &[&str]) {
        assert!(self.launched(settings).await, "PostgreSQL does not start again:\n{}", log_of(&self.log()));
    }

    async fn launched(&mut self, settings: &[&str]) -> bool {
        let mut postgres = command(&program("postgres"));
        postgres.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-k", ""]);
        let fixed = ["listen_addresses=127.0.0.1", "max_connections=60", "wal_level=replica", "hot_standby=on"];
        for setting in fixed.iter().chain(settings) {
            postgres.args(["-c", setting]);
        }
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = postgres.spawn().unwrap();
        let port = self.port;
        let started = eventually("PostgreSQL takes connections", || {
            let ended = child.try_wait().unwrap().is_some();
            async move {
                let mut asked = command(&program("pg_isready"));
                let answers =
                    asked.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status().unwrap().success();
                if ended { Some(false) } else { answers.then_some(true) }
            }
        });
        let started = started.await;
        self.child = Some(child);
        started
    }

    fn control(&self, arguments: &[&str]) {
        let mut pg_ctl = command(&program("pg_ctl"));
        pg_ctl.arg("-D").arg(self.data()).args(arguments);
        run(pg_ctl);
    }

    /// Ends it without a checkpoint, as a crash would.
    pub fn stop_immediately(&mut self) {
        self.control(&["stop", "-m", "immediate", "-W"]);
        self.child.take().unwrap().wait().unwrap();
    }

    /// Ends it in good order, with the sessions it has.
    pub fn stop(&mut self) {
        self.control(&["stop", "-m", "fast", "-W"]);
        self.child.take().unwrap().wait().unwrap();
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.control(&["promote", "-w", "-t", "60"]);
    }

    /// From the next start on it follows nobody and takes no writes.
    pub fn demote(&self) {
        let signal = self.data().join("standby.signal");
        fs::write(&signal, "").unwrap();
        hand_over(&signal);
    }

    /// Every process of the server keeps what it has and does nothing, until [`Server::thaw`].
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let postmaster = self.child.as_ref().unwrap().id();
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
        let family = children.split_whitespace().map(str::to_owned).chain([postmaster.to_string()]);
        // One of them may have ended meanwhile.
        let _ = Command::new("kill").arg(name).args(family).stderr(Stdio::null()).status().unwrap();
    }

    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A URL of these servers, in this order.
    pub fn url_of(servers: &[&Self]) -> String {
        let places: Vec<String> = servers.iter().map(|server| server.place()).collect();
        format!("postgres://{USER}{}@{}/postgres", servers[0].secret, places.join(","))
    }

    pub fn url(&self) -> String {
        Self::url_of(&[self])
    }

    pub async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub async fn sql(&self, text: &str) -> Vec<Vec<String>> {
        bench::sql(&self.url(), text).await
    }

    /// Ends every session of the gateway.
    pub async fn end_sessions(&self) {
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate'").await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_none() {
            return;
        }
        // As `pg_ctl stop -m immediate`, also when it is frozen.
        self.thaw();
        let mut child = self.child.take().unwrap();
        let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).stderr(Stdio::null()).status();
        let _ = child.wait();
    }
}

/// A store with short waits, so that tests of what fails are quick.
pub async fn impatient(url: &str) -> Store {
    let options = PostgresOptions {
        pool: 4,
        connect_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_secs(2),
        ..PostgresOptions::new(url)
    };
    bench::open(Location::Postgres(options)).await
}
