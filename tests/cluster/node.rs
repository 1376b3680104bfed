//! A node: a tollgate process whose every way to its surroundings is a link that can fail.

use std::net::SocketAddr;

use crate::link::Link;
use crate::process::{Guard, Signal, signal};
use crate::support::{Folder, Gateway, Start};

/// What a node is told of its surroundings.
pub struct Surroundings {
    pub keyring: Vec<u8>,
    /// Addresses of the databases: the primary, and the standby where there is one.
    pub databases: Vec<SocketAddr>,
    pub redis: Option<SocketAddr>,
    /// Settings beside these, by environment variable.
    pub settings: Vec<(String, String)>,
}

pub struct Node {
    number: usize,
    folder: Folder,
    settings: Vec<(String, String)>,
    running: Option<(Gateway, Guard)>,
    /// To the databases, in the order of the URL.
    pub databases: Vec<Link>,
    pub redis: Option<Link>,
    /// From clients to the listeners `proxy`, `admin` and `status`; their addresses outlive restarts.
    pub proxy: Link,
    pub admin: Link,
    pub status: Link,
}

/// Where clients reach a node.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub proxy: SocketAddr,
    pub admin: SocketAddr,
    pub status: SocketAddr,
}

const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

impl Node {
    /// A node that is not started yet.
    pub async fn new(number: usize, surroundings: &Surroundings) -> Self {
        let folder = Folder::new();
        std::fs::write(folder.join("keyring"), &surroundings.keyring).unwrap();
        let mut databases = Vec::new();
        for address in &surroundings.databases {
            databases.push(Link::to(*address).await);
        }
        let redis = match surroundings.redis {
            Some(address) => Some(Link::to(address).await),
            None => None,
        };
        let (proxy, admin, status) = (Link::to(NOWHERE).await, Link::to(NOWHERE).await, Link::to(NOWHERE).await);
        let settings = surroundings.settings.clone();
        Self { number, folder, settings, running: None, databases, redis, proxy, admin, status }
    }

    pub fn number(&self) -> usize {
        self.number
    }

    fn database_url(&self) -> String {
        let hosts: Vec<_> = self.databases.iter().map(|link| link.address().to_string()).collect();
        // Several hosts: only the one that takes writes will do.
        let query = if hosts.len() > 1 { "?target_session_attrs=read-write" } else { "" };
        format!("postgres://{}@{}/postgres{query}", crate::postgres::Postgres::user(), hosts.join(","))
    }

    /// Starts the process and waits until it is ready. Blocks.
    pub fn start(&mut self) {
        assert!(self.running.is_none(), "node {} runs already", self.number);
        // Whoever believes the header takes a plain connection for TLS that ended before it.
        let mut start = Start::serve(self.folder.path(), &self.database_url())
            .env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1")
            .env("TOLLGATE_LOG_LEVEL", "info");
        if let Some(redis) = &self.redis {
            start = start.env("TOLLGATE_REDIS_URL", &format!("redis://{}/", redis.address()));
        }
        for (name, value) in &self.settings {
            start = start.env(name, value);
        }
        let gateway = start.ready();
        for (listener, link) in [("proxy", &self.proxy), ("admin", &self.admin), ("status", &self.status)] {
            link.lead_to(gateway.addresses[listener]);
        }
        let guard = Guard::over(gateway.pid());
        self.running = Some((gateway, guard));
    }

    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the node runs").0.pid()
    }

    /// Ends it at once, and keeps its log.
    pub fn kill(&mut self) {
        let Some((mut gateway, guard)) = self.running.take() else { return };
        gateway.kill();
        guard.dismiss();
        let _ = std::fs::rename(&gateway.log, gateway.log.with_extension("before"));
    }

    pub fn freeze(&self) {
        signal(self.pid(), Signal::Stop);
    }

    pub fn thaw(&self) {
        signal(self.pid(), Signal::Continue);
    }

    /// Asks it to stop, and gives its exit code. Blocks.
    pub fn stop(&mut self) -> Option<i32> {
        let (mut gateway, guard) = self.running.take()?;
        let code = gateway.stop();
        guard.dismiss();
        code
    }

    pub fn addresses(&self) -> Addresses {
        let (proxy, admin, status) = (self.proxy.address(), self.admin.address(), self.status.address());
        Addresses { proxy, admin, status }
    }

    /// Its log, with the one from before the last restart.
    pub fn log_text(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        read("log.before") + &read("log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
