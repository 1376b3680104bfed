//! A PostgreSQL of the test's own, with a hand on its switch.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::process::{Account, Process, Signal, eventually, free_port};
use crate::support::Folder;

const USER: &str = "tollgate";
/// Name of the standby at its primary: of its slot, and in `synchronous_standby_names`.
const STANDBY: &str = "s1";

pub struct Postgres {
    bin: PathBuf,
    account: Option<Account>,
    data: PathBuf,
    port: u16,
    process: Option<Process>,
    folder: Folder,
}

/// Where the server's programs are: beside `initdb` in the path, or where Debian keeps them.
fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("initdb")).find(|file| file.exists());
    if let Some(initdb) = in_path {
        let folder = fs::canonicalize(initdb).unwrap().parent().unwrap().to_owned();
        if folder.join("postgres").exists() {
            return folder;
        }
    }
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is missing; tests/run installs it");
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    found.retain(|folder| folder.join("initdb").exists());
    found.sort();
    found.pop().expect("PostgreSQL is missing; tests/run installs it")
}

impl Postgres {
    /// Makes a database cluster and starts it.
    pub fn start() -> Self {
        let (bin, account, folder) = (binaries(), Account::of_servers(), Folder::new());
        Account::own(account, folder.path());
        let data = folder.join("data");
        let mut server = Self { bin, account, data, port: 0, process: None, folder };
        let data = server.data.display().to_string();
        let how = ["-U", USER, "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync", "-D", &data];
        server.run("initdb", &how);
        server.launch_on_a_free_port();
        server
    }

    /// Runs one of PostgreSQL's own programs to its end.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).current_dir("/").stdin(Stdio::null());
        Account::take(self.account, &mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn launch_on_a_free_port(&mut self) {
        for _ in 0..3 {
            self.port = free_port();
            if self.launched() {
                return;
            }
        }
        panic!("PostgreSQL does not start:\n{}", self.log_text());
    }

    /// Starts the server on its port; false when it ended again.
    fn launched(&mut self) -> bool {
        let mut command = Command::new(self.bin.join("postgres"));
        command.arg("-D").arg(&self.data).args(["-p", &self.port.to_string()]).arg("-k").arg(self.folder.path());
        // Enough connections for three nodes and the test itself; prepared for a standby.
        for setting in ["listen_addresses=127.0.0.1", "max_connections=100", "wal_level=replica", "hot_standby=on"] {
            command.args(["-c", setting]);
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        command.current_dir("/").stdout(Stdio::null()).stderr(log);
        Account::take(self.account, &mut command);
        let mut process = Process::spawn(command);
        let mut ended = false;
        eventually("PostgreSQL takes connections", || {
            ended = process.has_ended();
            ended || self.answers()
        });
        self.process = (!ended).then_some(process);
        !ended
    }

    fn answers(&self) -> bool {
        let mut command = Command::new(self.bin.join("pg_isready"));
        command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.status().unwrap().success()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The part of a URL before `@`.
    pub fn user() -> &'static str {
        USER
    }

    /// Process id of the postmaster, which is the ancestor of every backend.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("PostgreSQL runs").pid()
    }

    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Ends postmaster and backends at once, and waits until the last has gone.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let family = self.family(process.pid());
        process.kill();
        // Backends notice by themselves that the postmaster has gone, unless they are stopped.
        for pid in &family {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        let is_gone = |pid: &u32| !Path::new(&format!("/proc/{pid}")).exists();
        eventually("every backend has ended", || family.iter().all(is_gone));
    }

    /// `pg_ctl stop -m immediate`: ends without a checkpoint, and must replay its log when it comes back.
    pub fn stop_immediately(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.signal(Signal::Quit);
        process.wait();
    }

    /// Every process of the server keeps what it has and does nothing.
    pub fn freeze(&self) {
        self.signal_all(Signal::Stop);
    }

    pub fn thaw(&self) {
        self.signal_all(Signal::Continue);
    }

    fn signal_all(&self, signal: Signal) {
        let postmaster = self.pid();
        // The postmaster first, so that no backend is born meanwhile.
        crate::process::signal(postmaster, signal);
        for pid in self.family(postmaster) {
            // A backend may end between being listed and being asked.
            let name = if signal == Signal::Stop { "-STOP" } else { "-CONT" };
            let _ = Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status();
        }
    }

    fn family(&self, postmaster: u32) -> Vec<u32> {
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
        children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Starts it again on the same data and port.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "PostgreSQL runs already");
        let _ = fs::remove_file(self.data.join("postmaster.pid"));
        assert!(self.launched(), "PostgreSQL does not start again:\n{}", self.log_text());
    }

    /// A standby that copies this server. From now on no commit is answered here before the standby has it on disk, so
    /// that promoting it loses nothing.
    pub async fn standby(&self) -> Self {
        let folder = Folder::new();
        Account::own(self.account, folder.path());
        let data = folder.join("data");
        let source = format!("host=127.0.0.1 port={} user={USER} application_name={STANDBY}", self.port);
        let target = data.display().to_string();
        let how = ["-d", &source, "-D", &target, "-c", "fast", "-R", "-X", "stream", "-C", "-S", STANDBY, "--no-sync"];
        self.run("pg_basebackup", &how);
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        let (bin, account) = (self.bin.clone(), self.account);
        let mut standby = Self { bin, account, data, port: 0, process: None, folder };
        standby.launch_on_a_free_port();
        self.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")).await;
        self.sql("SELECT pg_reload_conf()").await;
        let state = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        let begun = std::time::Instant::now();
        while self.sql(state).await.is_empty() {
            assert!(begun.elapsed() < crate::process::PATIENCE, "the standby does not follow:\n{}", standby.log_text());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        standby
    }

    /// Makes a standby a server of its own. It waits for nobody: the order to wait was never copied.
    pub async fn promote(&self) {
        let done = self.sql("SELECT pg_promote(true, 30)").await;
        assert_eq!(done, [["t"]], "the standby was not promoted:\n{}", self.log_text());
    }

    /// URL straight to this server.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    pub async fn connect(&self) -> Client {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(USER).dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.expect("PostgreSQL takes a connection");
        tokio::spawn(connection);
        client
    }

    /// Takes every connection there is, also those that were somebody's: who keeps these keeps all others out.
    pub async fn occupied(&self) -> Vec<Client> {
        let mut taken = vec![self.connect().await];
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(USER).dbname("postgres");
        loop {
            while let Ok((client, connection)) = config.connect(NoTls).await {
                tokio::spawn(connection);
                taken.push(client);
            }
            let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate'";
            let ended = taken[0].query(others, &[]).await.expect("PostgreSQL answers");
            if ended.is_empty() {
                return taken;
            }
        }
    }

    /// Runs SQL on a connection of its own; gives the rows of all statements as text.
    pub async fn sql(&self, text: &str) -> Vec<Vec<String>> {
        let messages = self.connect().await.simple_query(text).await.unwrap();
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|place| row.get(place).unwrap_or("NULL").to_owned()).collect()).collect()
    }
}
