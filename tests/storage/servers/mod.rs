//! Servers that one test starts, hurts and stops. They are children of the test, on free ports of 127.0.0.1.

mod pgbouncer;
mod postgres;
mod wire;

use std::fs;
use std::future::Future;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

pub use pgbouncer::{PgBouncer, Pooling};
pub use postgres::{Server, USER, impatient};
pub use wire::Wire;

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Who runs the servers: they refuse to be root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// `None`: whoever runs the tests.
    fn of_servers() -> Option<Self> {
        if number(&["-u"]) != Some(0) {
            return None;
        }
        let account = |name: &&str| Some(Self { user: number(&["-u", name])?, group: number(&["-g", name])? });
        Some(["postgres", "nobody"].iter().find_map(account).expect("root needs a user to run servers as"))
    }
}

fn number(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A command that runs as the servers do.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(Account { user, group }) = Account::of_servers() {
        command.uid(user).gid(group);
    }
    command
}

/// Gives a path to who runs the servers.
fn hand_over(path: &Path) {
    if let Some(Account { user, group }) = Account::of_servers() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// A port nobody listens on, outside of the range from which connections take theirs: it is still free after a restart.
pub fn free_port() -> u16 {
    loop {
        let random = uuid::Uuid::new_v4().as_u128();
        let port = 20_000 + u16::try_from(random % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The first `Some`.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

fn log_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
