//! Servers that a test starts: each is a child of its own process group, signalled by its process id, and ended whatever
//! becomes of the test.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for a server to start, to answer, or to end.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It exists, keeps its connections, and does nothing.
    Stop,
    Continue,
    /// PostgreSQL's "immediate": it ends without writing anything down.
    Quit,
}

/// Sends a signal to one process.
pub fn signal(pid: u32, signal: Signal) {
    let name = match signal {
        Signal::Stop => "-STOP",
        Signal::Continue => "-CONT",
        Signal::Quit => "-QUIT",
    };
    let sent = Command::new("kill").arg(name).arg(pid.to_string()).stderr(Stdio::null()).status().unwrap();
    assert!(sent.success(), "cannot send {signal:?} to {pid}");
}

/// Ends a process when the test itself ends without a chance to do so. A shell waits at a pipe that only this process
/// holds open: a word through it means all is well, its end means that we are gone.
pub struct Guard {
    shell: Child,
    pipe: ChildStdin,
}

impl Guard {
    pub fn over(pid: u32) -> Self {
        let script = format!("trap '' INT TERM HUP; read -r word || kill -KILL {pid}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = command.process_group(0).spawn().unwrap();
        let pipe = shell.stdin.take().unwrap();
        Self { shell, pipe }
    }

    /// The process has ended; its id may be another's soon.
    pub fn dismiss(mut self) {
        let _ = self.pipe.write_all(b"over\n");
        let _ = self.shell.wait();
    }
}

/// A running server. Dropped, it is gone.
pub struct Process {
    child: Child,
    guard: Option<Guard>,
}

impl Process {
    pub fn spawn(mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).process_group(0).spawn().unwrap();
        let guard = Some(Guard::over(child.id()));
        Self { child, guard }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, what: Signal) {
        signal(self.pid(), what);
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end. Panics when it lives on.
    pub fn wait(&mut self) {
        eventually("a server that was told to end has ended", || self.has_ended());
    }

    /// Ends it at once and waits until it is gone.
    pub fn kill(&mut self) {
        // SIGKILL also ends what is stopped.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
    }
}

/// Waits until `is_so`. Panics after [`PATIENCE`].
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody listens on. Below the range that the system gives to outgoing connections, so that a server that
/// is down for a while finds its port free when it comes back.
pub fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Tests run as processes side by side, so each begins at a place of its own.
    let begin = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + ((u32::from(begin) * 37 + u32::from(step)) % u32::from(COUNT)) as u16;
        if TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// The user that servers run as: PostgreSQL refuses to be root. `None`: the one who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    pub fn of_servers() -> Option<Self> {
        let me = number_of("id", &["-u"])?;
        if me != 0 {
            return None;
        }
        let found = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Some(Self { uid: number_of("id", &["-u", name])?, gid: number_of("id", &["-g", name])? }));
        Some(found.expect("root needs a user `postgres` or `nobody` to run servers as"))
    }

    /// Makes `command` run as this user.
    pub fn take(account: Option<Self>, command: &mut Command) {
        if let Some(Self { uid, gid }) = account {
            command.uid(uid).gid(gid);
        }
    }

    /// Gives `path` to this user.
    pub fn own(account: Option<Self>, path: &Path) {
        if let Some(Self { uid, gid }) = account {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
}

fn number_of(program: &str, arguments: &[&str]) -> Option<u32> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// CPU that a process has used, with the children it has waited for: user and system together.
pub fn cpu(pid: u32) -> Duration {
    let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return Duration::ZERO };
    // The name in parentheses may hold anything, also spaces.
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11..15].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// The kernel tells CPU time in units of `USER_HZ`, which is 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// CPU of a process and of its living children.
pub fn cpu_of_family(pid: u32) -> Duration {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    cpu(pid) + children.map(cpu).sum::<Duration>()
}
