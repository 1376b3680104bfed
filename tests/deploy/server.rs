//! Servers of others, started by a test and ended with it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Server(Child);

impl Server {
    /// Starts it and waits until it listens on `port`.
    pub fn start(mut command: Command, port: u16) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        eventually("the server listens", || {
            assert!(child.try_wait().unwrap().is_none(), "{command:?} ended");
            TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()
        });
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx's master ends its workers only when it is told to end.
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until `is_so`. Panics after a while.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
