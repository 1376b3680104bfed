//! A cluster: nodes on one PostgreSQL and one Redis, each joined by links, with an API behind them.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::http::Client;
use crate::node::{Addresses, Node, Surroundings};
use crate::postgres::Postgres;
use crate::process::PATIENCE;
use crate::redis::{Redis, Snapshot};
use crate::support::{Folder, tollgate};
use crate::upstream::Upstream;

/// `cluster.lease` of every cluster here.
pub const LEASE: Duration = Duration::from_secs(2);
/// `cluster.stale_limit` where Redis is of several servers: so long a node that was lost with its master is waited for.
const STALE_LIMIT: Duration = Duration::from_secs(4);
/// `refresh_grace`: short, so that a run outlasts it.
pub const GRACE: Duration = Duration::from_secs(2);
/// Life of a token: longer than any run.
pub const LIFE: Duration = Duration::from_secs(7200);
/// The application that is never revoked.
pub const CLIENT: &str = "app";
pub const SECRET: &str = "secret";
pub const PROVISION_KEY: &str = "provision";

/// What Redis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// One server, with a link from each node.
    Single,
    /// A master and a replica under three Sentinels. Nodes reach all of them directly: their addresses they learn there.
    Sentinel,
    /// A Redis Cluster of three masters, each with a replica; reached directly too.
    Cluster,
}

/// What a cluster is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub nodes: usize,
    pub store: Store,
    pub has_standby: bool,
}

impl Shape {
    pub const THREE: Self = Self { nodes: 3, store: Store::Single, has_standby: false };
    pub const WITH_STANDBY: Self = Self { has_standby: true, ..Self::THREE };
}

pub struct Cluster {
    // Nodes before servers: what is dropped first asks the others for nothing any more.
    pub nodes: Vec<Node>,
    pub postgres: Postgres,
    pub standby: Option<Postgres>,
    /// The one server, or several.
    pub redis: Option<Redis>,
    pub fleet: Option<Fleet>,
    /// What Redis held once, to be restored.
    pub snapshot: Option<Snapshot>,
    /// Connections that are held only so that nobody else has them.
    pub squatters: Vec<tokio_postgres::Client>,
    pub keyring: Vec<u8>,
    _upstream: Upstream,
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn new_keyring() -> Vec<u8> {
    let folder = Folder::new();
    let path = folder.join("keyring");
    assert!(tollgate().args(["keyring", "init"]).arg(&path).output().unwrap().status.success());
    std::fs::read(path).unwrap()
}

impl Cluster {
    /// So many nodes that are ready, with the API in force on each.
    pub async fn of(nodes: usize) -> Self {
        Self::shaped(Shape { nodes, ..Shape::THREE }).await
    }

    pub async fn shaped(shape: Shape) -> Self {
        let is_single = shape.store == Store::Single;
        let (postgres, redis) = tokio::task::block_in_place(|| (Postgres::start(), is_single.then(Redis::start)));
        let fleet = match shape.store {
            Store::Single => None,
            Store::Sentinel => Some(Fleet::watched().await),
            Store::Cluster => Some(Fleet::cluster().await),
        };
        let standby = if shape.has_standby { Some(postgres.standby().await) } else { None };
        let databases = [Some(&postgres), standby.as_ref()].into_iter().flatten().map(|server| local(server.port()));
        let seconds = |name: &str, value: Duration| (name.to_owned(), format!("{}s", value.as_secs()));
        let mut settings = vec![seconds("TOLLGATE_CLUSTER_LEASE", LEASE)];
        if let Some(fleet) = &fleet {
            settings.push(("TOLLGATE_REDIS_URL".to_owned(), fleet.url()));
            settings.push(seconds("TOLLGATE_CLUSTER_STALE_LIMIT", STALE_LIMIT));
        }
        let surroundings = Surroundings {
            keyring: new_keyring(),
            databases: databases.collect(),
            redis: redis.as_ref().map(|redis| local(redis.port())),
            settings,
        };
        let mut nodes = Vec::new();
        for number in 0..shape.nodes {
            nodes.push(Node::new(number, &surroundings).await);
        }
        let upstream = Upstream::start().await;
        // The first migrates the database and is configured; the others find everything in place.
        tokio::task::block_in_place(|| nodes[0].start());
        configure(nodes[0].addresses(), upstream.address).await;
        tokio::task::block_in_place(|| nodes[1..].iter_mut().for_each(Node::start));
        let keyring = surroundings.keyring;
        let (snapshot, squatters) = (None, Vec::new());
        Self { nodes, postgres, standby, redis, fleet, snapshot, squatters, keyring, _upstream: upstream }
    }

    pub fn addresses(&self) -> Vec<Addresses> {
        self.nodes.iter().map(Node::addresses).collect()
    }
}

/// `/api` is protected; `/setting` leads to a service whose path tells a version.
async fn configure(node: Addresses, upstream: SocketAddr) {
    let mut admin = Client::of(node.admin, PATIENCE);
    let config = json!({
        "provision_key": PROVISION_KEY, "enable_client_credentials": true, "enable_authorization_code": true,
        "accept_http_if_already_terminated": true, "token_expiration": LIFE.as_secs(),
        "refresh_grace": GRACE.as_secs(),
    });
    let application =
        json!({ "name": "app", "client_id": CLIENT, "client_secret": SECRET, "redirect_uris": ["app://back"] });
    for (path, body) in [
        ("/services", json!({ "name": "api", "url": format!("http://{upstream}") })),
        ("/services/api/routes", json!({ "name": "api", "paths": ["/api"] })),
        ("/services/api/plugins", json!({ "name": "oauth2", "config": config })),
        ("/services", json!({ "name": "setting", "url": format!("http://{upstream}/v0") })),
        ("/services/setting/routes", json!({ "name": "setting", "paths": ["/setting"] })),
        ("/consumers", json!({ "username": "shop" })),
        ("/consumers/shop/oauth2", application),
    ] {
        made(&mut admin, path, &body).await;
    }
}

/// Makes an entity, while nothing is wrong.
pub async fn made(admin: &mut Client, path: &str, body: &Value) -> Value {
    let answer = admin.send_json("POST", path, body).await.unwrap();
    assert_eq!(answer.status, 201, "{path}: {}", answer.json());
    answer.json()
}
