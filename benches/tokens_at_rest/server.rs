//! The server: what it is, what it has spent, and what it has written.

use tokio_postgres::{Client, NoTls};

/// A PostgreSQL server on this machine.
pub struct Server {
    pub url: String,
    client: Client,
    postmaster: u32,
}

/// CPU time of the whole server (µs), bytes and full pages of WAL, and flushes of it, all so far.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    pub cpu: f64,
    pub wal_bytes: f64,
    pub wal_pages: f64,
    pub flushes: f64,
}

impl std::ops::Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            cpu: self.cpu - before.cpu,
            wal_bytes: self.wal_bytes - before.wal_bytes,
            wal_pages: self.wal_pages - before.wal_pages,
            flushes: self.flushes - before.flushes,
        }
    }
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
    tokio::spawn(async move { drop(connection.await) });
    client
}

impl Server {
    pub async fn at(url: &str) -> Self {
        let client = connect(url).await;
        let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.expect("it tells").get(0);
        let stat = std::fs::read_to_string(format!("/proc/{backend}/stat")).expect("the server is on this machine");
        let (_, rest) = stat.rsplit_once(')').expect("the name of the process ends");
        let postmaster = rest.split_whitespace().nth(1).and_then(|id| id.parse().ok()).expect("it has a parent");
        Self { url: url.to_owned(), client, postmaster }
    }

    pub async fn describe(&self) -> String {
        let settings = "SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
            WHERE name IN ('server_version', 'shared_buffers', 'max_wal_size', 'fsync', 'synchronous_commit')";
        let row = self.client.query_one(settings, &[]).await.expect("it tells");
        format!("PostgreSQL: {}", row.get::<_, String>(0))
    }

    pub async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.expect("the statement is good");
    }

    /// URL of a database of this server.
    pub fn database(&self, name: &str) -> String {
        let (base, _) = self.url.rsplit_once('/').expect("the URL names a database");
        format!("{base}/{name}")
    }

    pub async fn spent(&self) -> Spent {
        let wal = "SELECT wal_bytes::float8, wal_fpi::float8, wal_sync::float8 FROM pg_stat_wal";
        let row = self.client.query_one(wal, &[]).await.expect("PostgreSQL 14 or newer");
        Spent { cpu: family(self.postmaster), wal_bytes: row.get(0), wal_pages: row.get(1), flushes: row.get(2) }
    }

    /// CPU time of those who serve a database, µs.
    pub async fn serving(&self, database: &str) -> f64 {
        let pids = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
        let rows = self.client.query(pids, &[&database]).await.expect("it tells");
        rows.iter().map(|row| own(row.get::<_, i32>(0).unsigned_abs())).sum()
    }

    pub async fn sizes(&self, database: &str) -> String {
        let client = connect(&self.database(database)).await;
        let sizes =
            "SELECT pg_size_pretty(pg_relation_size(relid)), pg_size_pretty(pg_indexes_size(relid)), n_dead_tup,
                autovacuum_count FROM pg_stat_user_tables WHERE relname = 'oauth2_tokens'";
        let row = client.query_one(sizes, &[]).await.expect("it tells");
        let (table, indexes): (String, String) = (row.get(0), row.get(1));
        let (dead, vacuums): (i64, i64) = (row.get(2), row.get(3));
        format!("table {table}, indexes {indexes}, {dead} dead rows, vacuumed {vacuums} times by itself")
    }
}

/// CPU time of a process and its children, µs.
fn family(pid: u32) -> f64 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    own(pid) + children.split_whitespace().filter_map(|child| child.parse().ok()).map(own).sum::<f64>()
}

/// schedstat counts nanoseconds; the ticks of stat are too coarse.
fn own(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1000.0
}
