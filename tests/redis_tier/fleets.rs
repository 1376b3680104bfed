//! Several servers that are one Redis: a Cluster, and a master with replicas under Sentinels.

use redis::{Value, cmd};

use crate::server::{Server, until};

const OF_A_CLUSTER: &[&str] =
    &["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-announce-ip", "127.0.0.1"];

/// Masters that share the slots among themselves.
pub struct Cluster {
    pub masters: Vec<Server>,
    /// One of each master, or none at all.
    pub replicas: Vec<Server>,
}

impl Cluster {
    pub async fn start(size: usize, settings: &[&str], file: &str) -> Self {
        let settings = [OF_A_CLUSTER, settings].concat();
        let masters: Vec<Server> = (0..size).map(|_| Server::start_with(&settings, file, &[])).collect();
        for (at, master) in masters.iter().enumerate() {
            let (first, end) = (16_384 * at / size, 16_384 * (at + 1) / size);
            master.run(&format!("CLUSTER ADDSLOTSRANGE {first} {}", end - 1));
            // Else all begin with the same number, and settle by and by who has which.
            master.run(&format!("CLUSTER SET-CONFIG-EPOCH {}", at + 1));
        }
        let cluster = Self { masters, replicas: Vec::new() };
        cluster.meet(&cluster.masters[1..]).await;
        cluster
    }

    /// The same, where each master has a replica.
    pub async fn with_replicas(size: usize, settings: &[&str]) -> Self {
        let mut cluster = Self::start(size, settings, "").await;
        let settings = [OF_A_CLUSTER, settings].concat();
        cluster.replicas = (0..size).map(|_| Server::start(&settings)).collect();
        cluster.meet(&cluster.replicas).await;
        for (master, replica) in cluster.masters.iter().zip(&cluster.replicas) {
            let id: String = cmd("CLUSTER").arg("MYID").query(&mut master.connection()).unwrap();
            replica.run(&format!("CLUSTER REPLICATE {id}"));
        }
        until("every replica follows its master", async || {
            cluster.replicas.iter().all(|replica| replica.info_of("master_link_status").as_deref() == Some("up"))
        })
        .await;
        cluster
    }

    /// Makes `newcomers` known to all.
    async fn meet(&self, newcomers: &[Server]) {
        for server in newcomers {
            self.masters[0].run(&format!("CLUSTER MEET 127.0.0.1 {} {}", server.port, server.bus_port));
        }
        let size = self.masters.len() + self.replicas.len();
        until("every server knows the whole Cluster", async || {
            self.masters.iter().chain(&self.replicas).all(|server| {
                let told: String = cmd("CLUSTER").arg("INFO").query(&mut server.connection()).unwrap();
                told.contains("cluster_state:ok") && told.contains(&format!("cluster_known_nodes:{size}"))
            })
        })
        .await;
    }

    /// Keys that each master holds.
    pub fn held(&self) -> Vec<usize> {
        self.masters.iter().map(|master| master.keys("*").len()).collect()
    }

    /// Addresses of all, as a URL has them.
    pub fn hosts(&self) -> String {
        hosts(&self.masters)
    }
}

pub fn hosts(servers: &[Server]) -> String {
    servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect::<Vec<_>>().join(",")
}

/// A master and a replica, watched by three Sentinels that call the master `main`.
pub struct Watched {
    pub master: Server,
    pub replica: Server,
    pub sentinels: Vec<Server>,
}

impl Watched {
    pub async fn start(file: &str, sentinel_file: &str) -> Self {
        let master = Server::start_with(&["--repl-diskless-sync-delay", "0"], file, &[]);
        let follow = format!("127.0.0.1 {}", master.port);
        let replica = Server::start_with(&["--repl-diskless-sync-delay", "0", "--replicaof", &follow], file, &[]);
        let watch = format!(
            "sentinel monitor main 127.0.0.1 {} 2\nsentinel down-after-milliseconds main 1000\n\
             sentinel failover-timeout main 5000\n{sentinel_file}",
            master.port
        );
        let sentinels = (0..3).map(|_| Server::start_with(&[], &watch, &["--sentinel"])).collect();
        let watched = Self { master, replica, sentinels };
        until("the replica follows", async || watched.replica.info_of("master_link_status").as_deref() == Some("up"))
            .await;
        until("every Sentinel knows the others and the replica", async || {
            watched
                .sentinels
                .iter()
                .all(|sentinel| sentinel.number("num-other-sentinels") == 2 && sentinel.number("num-slaves") == 1)
        })
        .await;
        watched
    }

    pub fn url(&self, login: &str, rest: &str) -> String {
        format!("redis+sentinel://{login}{}/main{rest}", hosts(&self.sentinels))
    }
}

impl Server {
    /// A number that a Sentinel tells of `main`; -1 when it tells none.
    pub fn number(&self, field: &str) -> i64 {
        let mut connection = self.connection();
        let told: Vec<Value> = cmd("SENTINEL").arg("MASTER").arg("main").query(&mut connection).unwrap();
        let words: Vec<String> = told.into_iter().map(|word| redis::from_redis_value(word).unwrap()).collect();
        let pair = words.chunks_exact(2).find(|pair| pair[0] == field);
        pair.and_then(|pair| pair[1].parse().ok()).unwrap_or(-1)
    }
}
