//! A database, the commands on it, and a gateway and an upstream beside them.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Folder, Gateway, Start, client, tollgate};

pub enum On {
    Sqlite,
    Postgres,
}

/// A migrated database with its keyring.
pub struct House {
    pub folder: Folder,
    pub url: String,
    schema: Option<String>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The last line of what it did.
    pub fn summary(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.lines().last().unwrap()
    }
}

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

/// A file of `tests/import/files`.
pub fn file(name: &str) -> String {
    format!("{}/tests/import/files/{name}", env!("CARGO_MANIFEST_DIR"))
}

impl House {
    pub async fn new(on: On) -> Self {
        let folder = Folder::new();
        let (url, schema) = match on {
            On::Sqlite => (format!("sqlite:{}", folder.join("gate.db").display()), None),
            On::Postgres => {
                let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
                sql(&format!("CREATE SCHEMA {schema}")).await;
                let base = postgres_url();
                let joint = if base.contains('?') { '&' } else { '?' };
                (format!("{base}{joint}options=-csearch_path%3D{schema}"), Some(schema))
            }
        };
        let house = Self { folder, url, schema };
        assert!(house.command(&["keyring", "init"]).output().unwrap().status.success());
        assert!(house.command(&["migrate", "up"]).output().unwrap().status.success());
        house
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = tollgate();
        command.args(args).env("TOLLGATE_DATABASE_URL", &self.url);
        command.env("TOLLGATE_KEYRING_FILE", self.folder.join("keyring")).env("TOLLGATE_CLUSTER_LEASE", "400ms");
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, while tasks of the test go on.
    pub async fn run(&self, args: &[&str]) -> Said {
        let mut command = self.command(args);
        Said::of(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
    }

    /// Imports a text by standard input.
    pub async fn take(&self, document: &str, more: &[&str]) -> Said {
        let mut command = self.command(&[&["import", "-"], more].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let document = document.to_owned();
        let run = move || {
            let mut child = command.spawn().unwrap();
            // It may have refused the command before it read anything.
            let _ = child.stdin.take().unwrap().write_all(document.as_bytes());
            Said::of(child.wait_with_output().unwrap())
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub async fn gateway(&self, more: &[(&str, &str)]) -> Gateway {
        let mut start = Start::serve(self.folder.path(), &self.url).env("TOLLGATE_CLUSTER_LEASE", "400ms");
        start = start.env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.0/8");
        for (name, value) in more {
            start = start.env(name, value);
        }
        tokio::task::spawn_blocking(move || start.ready()).await.unwrap()
    }

    pub async fn clear(self) {
        if let Some(schema) = self.schema {
            sql(&format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

/// An upstream that answers with the request line and head it got, as JSON.
pub async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    });
    address
}

pub async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

async fn echo(mut stream: TcpStream) {
    while let Some(head) = read_head(&mut stream).await {
        let mut lines = head.lines();
        let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        let told = |line: &str| {
            line.to_ascii_lowercase().starts_with("x-") && !line.to_ascii_lowercase().starts_with("x-request-id")
        };
        let mut headers: Vec<String> = lines.filter(|line| told(line)).map(|line| line.to_ascii_lowercase()).collect();
        headers.sort();
        let body = json!({ "target": target, "headers": headers }).to_string();
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A call by the proxy: status, and the answer's body as JSON.
pub async fn call(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = client().get(gateway.url("proxy", path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// A token request: status and body.
pub async fn ask_token(gateway: &Gateway, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let request = client().post(gateway.url("proxy", path)).header("X-Forwarded-Proto", "https").form(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}
