//! A Redis of the test's own, with a hand on its switch.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Account, PATIENCE, Process, Signal, eventually, free_port};
use crate::support::Folder;

pub struct Redis {
    account: Option<Account>,
    port: u16,
    process: Option<Process>,
    folder: Folder,
}

/// What a Redis held at one moment, as a file.
pub struct Snapshot(Vec<u8>);

impl Redis {
    pub fn start() -> Self {
        let (account, folder) = (Account::of_servers(), Folder::new());
        Account::own(account, folder.path());
        let mut server = Self { account, port: 0, process: None, folder };
        for _ in 0..3 {
            server.port = free_port();
            if server.launched() {
                return server;
            }
        }
        panic!("Redis does not start:\n{}", server.log_text());
    }

    /// Starts the server on its port; false when it ended again.
    fn launched(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--daemonize", "no"]);
        command.arg("--dir").arg(self.folder.path()).args(["--dbfilename", "dump.rdb", "--save", ""]);
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        command.current_dir("/").stdout(log).stderr(Stdio::null());
        Account::take(self.account, &mut command);
        let mut process = Process::spawn(command);
        let mut ended = false;
        eventually("Redis takes commands", || {
            ended = process.has_ended();
            ended || self.try_command("PING").is_ok_and(|answer| answer == "+PONG")
        });
        self.process = (!ended).then_some(process);
        !ended
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

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("Redis runs").pid()
    }

    /// Sends one command in words and gives the first line of the answer, with its sign: `+OK`, `:1`, `-ERR …`, `$3`.
    pub fn command(&self, words: &str) -> String {
        self.try_command(words).expect("Redis answers")
    }

    fn try_command(&self, words: &str) -> std::io::Result<String> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{words}\r\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// A text value; `None` when the key is not there.
    pub fn get(&self, key: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("GET {key}\r\n").as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines();
        let head = lines.next().unwrap().unwrap();
        (head != "$-1").then(|| lines.next().unwrap().unwrap())
    }

    /// Ends it at once; everything it held is gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    pub fn freeze(&self) {
        self.process.as_ref().expect("Redis runs").signal(Signal::Stop);
    }

    pub fn thaw(&self) {
        self.process.as_ref().expect("Redis runs").signal(Signal::Continue);
    }

    /// Starts it again on the same port, empty.
    pub fn restart(&mut self) {
        let _ = fs::remove_file(self.folder.join("dump.rdb"));
        self.restart_with_what_is_there();
    }

    fn restart_with_what_is_there(&mut self) {
        assert!(self.process.is_none(), "Redis runs already");
        assert!(self.launched(), "Redis does not start again:\n{}", self.log_text());
    }

    pub fn flush(&self) {
        assert_eq!(self.command("FLUSHALL"), "+OK");
    }

    pub fn save(&self) -> Snapshot {
        assert_eq!(self.command("SAVE"), "+OK");
        Snapshot(fs::read(self.folder.join("dump.rdb")).unwrap())
    }

    /// Replaces what it holds by an older state, as restoring a backup does: it is down for a moment.
    pub fn restore(&mut self, Snapshot(bytes): &Snapshot) {
        self.kill();
        let file = self.folder.join("dump.rdb");
        fs::write(&file, bytes).unwrap();
        Account::own(self.account, &file);
        self.restart_with_what_is_there();
    }

    /// From now on it refuses every write that needs memory (`OOM`).
    pub fn fill(&self) {
        assert_eq!(self.command("CONFIG SET maxmemory-policy noeviction"), "+OK");
        assert_eq!(self.command("CONFIG SET maxmemory 1"), "+OK");
    }

    pub fn empty(&self) {
        assert_eq!(self.command("CONFIG SET maxmemory 0"), "+OK");
    }

    /// From now on it is a replica (of nobody that answers), and refuses every write (`READONLY`).
    pub fn demote(&self) {
        assert_eq!(self.command("REPLICAOF 127.0.0.1 1"), "+OK");
    }

    pub fn promote(&self) {
        assert_eq!(self.command("REPLICAOF NO ONE"), "+OK");
    }
}
