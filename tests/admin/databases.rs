//! A gateway on each database.

use crate::desk::Desk;
use crate::relay::Relay;
use crate::support::{Folder, Start, client};

/// The server of the PostgreSQL half.
fn postgres_url() -> String {
    std::env::var("TOLLGATE_TEST_POSTGRES").expect(
        "set TOLLGATE_TEST_POSTGRES to the URL of a PostgreSQL server for tests (postgres://user@host:port/database), \
         or run tests/run, which starts one",
    )
}

async fn sql(text: &str) {
    let (client, connection) = tokio_postgres::connect(&postgres_url(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(text).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// `tollgate serve` on a SQLite file.
pub async fn on_sqlite() -> Desk {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.join("gate.db").display());
    let gateway = Start::serve(folder.path(), &url).ready();
    Desk { gateway, client: client(), folder }
}

/// A schema of PostgreSQL, reached through a relay.
pub struct Postgres {
    pub relay: Relay,
    schema: String,
}

impl Postgres {
    pub async fn new() -> Self {
        let base: reqwest::Url = postgres_url().parse().unwrap();
        let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
        sql(&format!("CREATE SCHEMA {schema}")).await;
        let to = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap_or(5432));
        Self { relay: Relay::open(to).await, schema }
    }

    /// `tollgate serve` on it.
    pub async fn desk(&self) -> Desk {
        self.desk_with(|start| start).await
    }

    /// With more settings.
    pub async fn desk_with(&self, more: impl FnOnce(Start) -> Start + Send + 'static) -> Desk {
        let mut url: reqwest::Url = postgres_url().parse().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.relay.address.port())).unwrap();
        let joint = if url.query().is_some() { '&' } else { '?' };
        let url = format!("{url}{joint}options=-csearch_path%3D{}", self.schema);
        let folder = Folder::new();
        // Starting waits for the child, and the relay must go on meanwhile.
        let started = tokio::task::spawn_blocking(move || (more(Start::serve(folder.path(), &url)).ready(), folder));
        let (gateway, folder) = started.await.unwrap();
        Desk { gateway, client: client(), folder }
    }

    pub async fn clear(self) {
        sql(&format!("DROP SCHEMA {} CASCADE", self.schema)).await;
    }
}
