//! A database of the test's own on the server that tests/run starts, and PostgreSQL's own programs.

use std::path::PathBuf;
use std::process::Command;

fn server() -> String {
    std::env::var("TOLLGATE_TEST_POSTGRES").expect("run tests/run, or set it to the URL of a PostgreSQL for tests")
}

async fn sql_at(url: &str, text: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(text).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

pub struct Database {
    name: String,
    pub url: String,
}

impl Database {
    pub async fn create() -> Self {
        let name = format!("operations_{}", uuid::Uuid::new_v4().simple());
        sql_at(&server(), &format!("CREATE DATABASE {name}")).await;
        let url = format!("{}/{name}", server().rsplit_once('/').unwrap().0);
        Self { name, url }
    }

    pub async fn sql(&self, text: &str) {
        sql_at(&self.url, text).await;
    }

    pub async fn drop(self) {
        sql_at(&server(), &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

/// One of PostgreSQL's own programs: in the path, or where Debian keeps them.
pub fn program(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).exists()) {
        return Command::new(name);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is missing; tests/run installs it");
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path().join("bin").join(name)).collect();
    found.retain(|file| file.exists());
    found.sort();
    Command::new(found.pop().unwrap_or_else(|| panic!("{name} is missing; tests/run installs it")))
}
