//! The way of a developer, on both databases.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::house::{House, PASSWORD};
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

/// A schema of its own, and the URL that leads there.
pub struct Postgres {
    pub url: String,
    schema: String,
}

impl Postgres {
    pub async fn new() -> Self {
        let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
        sql(&format!("CREATE SCHEMA {schema}")).await;
        let base = postgres_url();
        let joint = if base.contains('?') { '&' } else { '?' };
        Self { url: format!("{base}{joint}options=-csearch_path%3D{schema}"), schema }
    }

    pub async fn clear(self) {
        sql(&format!("DROP SCHEMA {} CASCADE", self.schema)).await;
    }
}

/// `tollgate serve` with its portal, behaving as `dev` does.
pub fn serve(folder: Folder, url: &str, settings: &[(&str, &str)]) -> House {
    let mut start = Start::serve(folder.path(), url);
    let as_dev = [
        ("PORTAL_ENABLED", "true"),
        ("PORTAL_AUTO_APPROVE", "true"),
        ("PORTAL_EMAIL_VERIFICATION", "true"),
        ("PROXY_TRUSTED_IPS", "127.0.0.1"),
    ];
    for (name, value) in as_dev.iter().chain(settings) {
        start = start.env(&format!("TOLLGATE_{name}"), value);
    }
    House { gateway: start.ready(), client: client(), folder }
}

macro_rules! on_both {
    ($($flow:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $flow() {
                let folder = crate::support::Folder::new();
                let url = format!("sqlite:{}", folder.join("gate.db").display());
                let server = crate::mail_servers::Python::start(&[]);
                let house = super::serve(folder, &url, &[("SMTP_URL", &server.url("smtp"))]);
                super::$flow(&house, &server).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $flow() {
                let database = super::Postgres::new().await;
                let server = crate::mail_servers::Python::start(&[]);
                let smtp = server.url("smtp");
                let house = super::serve(crate::support::Folder::new(), &database.url, &[("SMTP_URL", &smtp)]);
                super::$flow(&house, &server).await;
                drop(house);
                database.clear().await;
            })+
        }
    };
}

on_both!(a_developer_registers_is_known_logs_in_and_leaves, a_link_is_used_by_one_of_many);

use crate::mail_servers::Python;

async fn a_developer_registers_is_known_logs_in_and_leaves(house: &House, server: &Python) {
    let registered = house.register("Ana@b.test").await;
    assert_eq!((registered.status, &registered.body["email"]), (200, &json!({ "sent": true, "error": null })));
    assert_eq!(registered.body["developer"]["status"], 5);
    let token = server.mail("ana@b.test", "Confirm your e-mail address").await.token();
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.body["status"], 5);
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.body, json!({ "status": 0 }));
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 401);
    let cookie = house.session_of("ana@b.test").await;
    assert_eq!(house.get("/developer", &cookie).await.body["id"], registered.body["developer"]["id"]);
    assert_eq!(house.post("/forgot-password", json!({ "email": "ana@b.test" })).await.status, 200);
    let token = server.mail("ana@b.test", "Choose a new password").await.token();
    let reset = json!({ "token": token, "password": "another password" });
    assert_eq!(house.post("/reset-password", reset).await.status, 200);
    server.mail("ana@b.test", "Your password was changed").await;
    assert_eq!(house.get("/developer", &cookie).await.status, 401);
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 401);
    let cookie = house.log_in("ana@b.test", "another password").await.cookie();
    assert_eq!(house.ask("DELETE", "/developer").cookie(&cookie).send().await.status, 204);
    assert_eq!(house.get("/developer", &cookie).await.status, 401);
    assert_eq!(house.admin("GET", "/developers/ana@b.test", json!({})).await.status, 404);
}

async fn a_link_is_used_by_one_of_many(house: &House, server: &Python) {
    house.register("ana@b.test").await;
    let token = server.mail("ana@b.test", "Confirm your e-mail address").await.token();
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 200);
    house.post("/forgot-password", json!({ "email": "ana@b.test" })).await;
    let token = server.mail("ana@b.test", "Choose a new password").await.token();
    let (taken, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tries = (0..16).map(|number| {
        let (token, taken, refused) = (&token, &taken, &refused);
        async move {
            let reset = json!({ "token": token, "password": format!("password number {number}") });
            match house.post("/reset-password", reset).await.status {
                200 => taken.fetch_add(1, Ordering::Relaxed),
                401 => refused.fetch_add(1, Ordering::Relaxed),
                other => panic!("{other}"),
            }
        }
    });
    futures_util::future::join_all(tries).await;
    assert_eq!((taken.into_inner(), refused.into_inner()), (1, 15));
}
