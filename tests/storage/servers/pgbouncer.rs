//! A PgBouncer of the test's own.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::{USER, command, eventually, free_port, hand_over, log_of};
use crate::bench::Folder;

/// How server sessions are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    Session,
    Transaction,
    Statement,
}

pub struct PgBouncer {
    pub port: u16,
    child: Child,
    folder: Folder,
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = PathBuf::from("/usr/sbin");
    let mut places = std::env::split_paths(&path).chain([debian]).map(|folder| folder.join("pgbouncer"));
    places.find(|program| program.exists()).expect("PgBouncer is missing; tests/run installs it")
}

impl PgBouncer {
    /// Stands before every database of the server at this port. `settings`: further lines of its configuration.
    pub async fn before(server: u16, pooling: Pooling, settings: &str) -> Self {
        Self::with_databases(&format!("* = host=127.0.0.1 port={server}\n"), pooling, settings).await
    }

    /// Stands before these databases, with two server sessions for each.
    pub async fn with_databases(databases: &str, pooling: Pooling, settings: &str) -> Self {
        let folder = Folder::new();
        let port = free_port();
        let (users, file) = (folder.0.join("users"), folder.0.join("pgbouncer.ini"));
        fs::write(&users, format!("\"{USER}\" \"\"\n")).unwrap();
        let mode = format!("{pooling:?}").to_lowercase();
        let text = format!(
            "[databases]\n{databases}[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {mode}\ndefault_pool_size = 2\n\
             max_client_conn = 100\nserver_login_retry = 1\n{settings}\n",
            users.display()
        );
        fs::write(&file, text).unwrap();
        for path in [&folder.0, &users, &file] {
            hand_over(path);
        }
        let log = OpenOptions::new().create(true).append(true).open(folder.0.join("log")).unwrap();
        let mut pgbouncer = command(&program());
        pgbouncer.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = pgbouncer.spawn().unwrap();
        let mut this = Self { port, child, folder };
        eventually("PgBouncer takes connections", || {
            let ended = this.child.try_wait().unwrap();
            assert!(ended.is_none(), "PgBouncer does not start:\n{}", log_of(&this.folder.0.join("log")));
            async move { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok() }
        })
        .await;
        this
    }

    /// A URL through it, with a query that may be empty.
    pub fn url(&self, database: &str, query: &str) -> String {
        let joint = if query.is_empty() { "" } else { "?" };
        format!("postgres://{USER}@127.0.0.1:{}/{database}{joint}{query}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
