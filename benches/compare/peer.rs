//! Programs beside the gateway: started on their cores, stopped when dropped.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

/// Where a proxy listens: HTTP/1.1, HTTP/2 by prior knowledge, and both over TLS. The first two may be one.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    pub plain: u16,
    pub prior: u16,
    pub tls: u16,
}

/// A certificate of the kind the gateway makes for itself, and its key.
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// One after the other in one file.
    pub both: PathBuf,
}

impl Pair {
    pub fn make(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("the temporary folder can be written");
            path
        };
        Self {
            certificate: write("cert.pem", &certificate),
            key: write("key.pem", &key),
            both: write("both.pem", &format!("{certificate}{key}")),
        }
    }
}

/// A running program.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts a program on its cores and waits until it listens.
    pub fn start(cores: &str, program: &[&str], file: &Path, port: u16) -> Self {
        let child = Command::new("taskset").args(["-c", cores]).args(program).arg(file).spawn();
        let server = Self { child: child.expect("taskset is installed") };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{program:?} did not start");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx takes its workers along when it is asked to stop, not when it is killed.
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free").port()
}
