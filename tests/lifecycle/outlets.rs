//! Where the log goes may break; the gateway does not.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use reqwest::StatusCode;

use crate::support::{Folder, client, tollgate};

/// `tollgate dev` whose log goes where the test says, so that its addresses are chosen and not read from there.
struct Deaf {
    child: Child,
    proxy: SocketAddr,
    _folder: Folder,
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Deaf {
    async fn started(adjust: impl FnOnce(&mut Command)) -> Self {
        let (folder, proxy) = (Folder::new(), free());
        let mut command = tollgate();
        for listener in ["PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN"] {
            command.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
        }
        command.env("TOLLGATE_PROXY_LISTEN", proxy.to_string()).env("TOLLGATE_PROXY_WORKERS", "2");
        command.arg("dev").arg("--data-dir").arg(folder.join("data")).stdin(Stdio::null());
        adjust(&mut command);
        let mut child = command.spawn().unwrap();
        // Nobody reads what it says.
        drop((child.stdout.take(), child.stderr.take()));
        let mut deaf = Self { child, proxy, _folder: folder };
        while deaf.call().await.is_none() {
            let status = deaf.child.try_wait().unwrap();
            assert!(status.is_none(), "ended with {status:?}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        deaf
    }

    async fn call(&self) -> Option<StatusCode> {
        let answer = client().get(format!("http://{}/demo", self.proxy)).send().await.ok()?;
        Some(answer.status())
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// It serves, takes signals that make it write, serves on, and ends well.
    async fn lives(mut self) {
        assert_eq!(self.call().await, Some(StatusCode::UNAUTHORIZED));
        for _ in 0..20 {
            self.signal("-HUP");
            assert_eq!(self.call().await, Some(StatusCode::UNAUTHORIZED));
        }
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_reader_of_the_output_that_is_gone_does_not_end_it() {
    let deaf = Deaf::started(|command| {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    });
    deaf.await.lives().await;
}

#[tokio::test]
async fn a_log_file_on_a_full_disk_does_not_end_it() {
    let deaf = Deaf::started(|command| {
        command.env("TOLLGATE_LOG_FILE", "/dev/full").stdout(Stdio::piped()).stderr(Stdio::piped());
    });
    deaf.await.lives().await;
}
