//! A gateway with two workers on a database, two upstreams, and one protected API.

use std::net::SocketAddr;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::caller::read_head;
use crate::support::{Folder, Gateway, Start, client};

pub struct Stage {
    pub gateway: Gateway,
    http: reqwest::Client,
    schema: Option<String>,
    _folder: Folder,
}

pub enum On {
    Sqlite,
    Postgres,
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

/// An upstream that answers with its name and the consumer it was told of.
async fn upstream(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, name));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, name: &str) {
    while let Some(head) = read_head(&mut stream).await {
        let told = head.lines().find_map(|line| {
            let (field, value) = line.split_once(": ")?;
            field.eq_ignore_ascii_case("x-consumer-username").then(|| value.to_owned())
        });
        let consumer = told.unwrap_or_default();
        let text =
            format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Upstream: {name}\r\nX-Consumer: {consumer}\r\n\r\n");
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl Stage {
    /// `/api` leads by service `one` to upstream `one` and is protected; service `two` is there and unused. Consumer
    /// `shop` has the application `app`.
    pub async fn set(on: On) -> Self {
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
        let gateway = Start::serve(folder.path(), &url).ready();
        let stage = Self { gateway, http: client(), schema, _folder: folder };
        for name in ["one", "two"] {
            let address = upstream(if name == "one" { "one" } else { "two" }).await;
            stage.made("/services", json!({ "name": name, "url": format!("http://{address}") })).await;
        }
        stage.made("/services/one/routes", json!({ "name": "api", "paths": ["/api"] })).await;
        let config = json!({ "global_credentials": true, "enable_client_credentials": true });
        stage
            .made("/services/one/plugins", json!({ "name": "oauth2", "instance_name": "gate", "config": config }))
            .await;
        stage.make_application().await;
        stage
    }

    /// Consumer `shop` and its application.
    pub async fn make_application(&self) {
        self.made("/consumers", json!({ "username": "shop" })).await;
        self.made("/consumers/shop/oauth2", json!({ "name": "app", "client_id": "app" })).await;
    }

    pub async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.http.request(method.parse::<Method>().unwrap(), self.gateway.admin(path));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// A change that the Admin API answers with success.
    pub async fn change(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub async fn made(&self, path: &str, body: Value) -> Value {
        self.change("POST", path, body).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.change("GET", path, Value::Null).await
    }

    /// Id of what stands at `path`.
    pub async fn id(&self, path: &str) -> String {
        self.get(path).await["id"].as_str().unwrap().to_owned()
    }

    /// The body that imports `token` for the application.
    pub async fn import(&self, token: &str) -> Value {
        let credential = self.id("/oauth2/app").await;
        json!({ "credential": { "id": credential }, "expires_in": 3600, "access_token": token })
    }

    pub fn proxy(&self) -> SocketAddr {
        self.gateway.addresses["proxy"]
    }

    pub async fn clear(self) {
        let Self { gateway, schema, .. } = self;
        drop(gateway);
        if let Some(schema) = schema {
            sql(&format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}
