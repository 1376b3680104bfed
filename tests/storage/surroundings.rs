//! Surroundings in which the gateway cannot work: one line says what is wrong and what to do, nothing is lost, and it
//! goes on by itself when they are mended.

use std::io::{Read, Write};
use std::process::Stdio;

use futures_util::future::join_all;
use reqwest::{Response, StatusCode};
use serde_json::json;
use tokio_postgres::{Client, NoTls};
use tollgate::storage::{Location, PostgresOptions, StorageError};

use crate::bench::{self, run};
use crate::servers::{PgBouncer, Pooling, Server, USER, Wire, eventually, free_port, impatient};
use crate::support::{Folder, Gateway, Start, client, tollgate};

/// What `tollgate serve` says when it does not start.
fn refused(url: &str) -> String {
    let folder = Folder::new();
    let keyring = folder.join("keyring");
    assert!(tollgate().args(["keyring", "init"]).arg(&keyring).output().unwrap().status.success());
    let mut command = tollgate();
    for listener in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN"] {
        command.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
    }
    command.env("TOLLGATE_DATABASE_URL", url).env("TOLLGATE_KEYRING_FILE", keyring).stdin(Stdio::null());
    let output = command.env("TOLLGATE_LOG_FILE", folder.join("log")).arg("serve").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "not one line: {text}");
    assert!(!text.contains("hunter2"), "{text}");
    text
}

fn assert_says(text: &str, expected: &[&str]) {
    for words in expected {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

#[test]
fn what_keeps_the_gateway_from_starting_is_told_in_one_line() {
    run(async {
        let server = Server::start_with_password("hunter2").await;
        let standby = Server::standby_of(&server).await;
        let place = server.place();
        let at = |who: &str, place: &str, name: &str| format!("postgres://{who}@{place}/{name}");
        let wrong_password = refused(&at(&format!("{USER}:not hunter"), &place, "postgres").replace(' ', "%20"));
        assert_says(&wrong_password, &[&place, "refuses the user or the password", "check database.url"]);
        let no_password = refused(&at(USER, &place, "postgres"));
        assert_says(&no_password, &[&place, "password missing", "check database.url"]);
        let no_user = refused(&at("nobody:hunter2", &place, "postgres"));
        assert_says(&no_user, &[&place, "refuses the user or the password", "check database.url"]);
        let us = format!("{USER}:hunter2");
        let no_database = refused(&at(&us, &place, "nowhere"));
        assert_says(&no_database, &[&place, "does not exist", "create it, or check database.url"]);
        let nobody = format!("127.0.0.1:{}", free_port());
        let no_server = refused(&at(&us, &nobody, "postgres"));
        assert_says(&no_server, &[&nobody, "cannot be reached", "check database.url, and whether it runs"]);
        let no_name = refused(&at(&us, "no-such-host.invalid", "postgres"));
        assert_says(&no_name, &["no-such-host.invalid:5432", "cannot be resolved", "check database.url"]);
        let follower = refused(&at(&us, &standby.place(), "postgres"));
        assert_says(&follower, &[&standby.place(), "is a standby", "database.url must lead to the primary"]);
        let both = refused(&at(&us, &format!("{},{nobody}", standby.place()), "postgres"));
        assert_says(&both, &[&standby.place(), "is a standby", &nobody, "cannot be reached"]);
        let no_tls = refused(&format!("{}?sslmode=require", at(&us, &place, "postgres")));
        assert_says(&no_tls, &[&place, "TLS", "check database.url"]);
        let unmigrated = refused(&at(&us, &place, "postgres"));
        assert_says(&unmigrated, &["run `tollgate migrate up`"]);
    });
}

/// The address of a server that answers whatever comes as a web server does. It hears a client out before it closes:
/// closing on bytes not read yet would take the answer back.
fn speaks_http() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut heard) = (stream.unwrap(), [0; 1024]);
            let _ = stream.read(&mut heard);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = stream.shutdown(std::net::Shutdown::Write);
            while stream.read(&mut heard).is_ok_and(|length| length > 0) {}
        }
    });
    address
}

#[test]
fn what_answers_but_is_no_database_is_told() {
    run(async {
        let http = speaks_http();
        let text = refused(&format!("postgres://{USER}@{http}/postgres"));
        assert_says(&text, &[&http, "does not speak PostgreSQL's protocol", "check database.url"]);
        let silent = Wire::to_nobody().await;
        let url = format!("postgres://{USER}@127.0.0.1:{}/postgres?connect_timeout=1", silent.port);
        assert_says(&refused(&url), &["does not answer", "check database.url"]);
    });
}

#[test]
fn a_pooler_that_the_url_does_not_tell_of_keeps_the_gateway_from_starting() {
    run(async {
        let server = Server::start().await;
        let pgbouncer = PgBouncer::before(server.port, Pooling::Transaction, "").await;
        assert_says(&refused(&pgbouncer.url("postgres", "")), &["pooler", "add pgbouncer=true to database.url"]);
    });
}

async fn consumers(gateway: &Gateway) -> Response {
    client().get(gateway.admin("/consumers")).send().await.unwrap()
}

async fn put_consumer(gateway: &Gateway, username: &str) -> StatusCode {
    let body = json!({ "username": username });
    client().put(gateway.admin(&format!("/consumers/{username}"))).json(&body).send().await.unwrap().status()
}

/// The calls are answered "try again later", and after `mend` as before.
async fn suffers<T>(
    gateway: &mut Gateway,
    what: &mut T,
    harm: impl AsyncFnOnce(&mut T),
    mend: impl AsyncFnOnce(&mut T),
) {
    assert_eq!(put_consumer(gateway, "before").await, StatusCode::OK);
    harm(what).await;
    let answer = consumers(gateway).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(put_consumer(gateway, "meanwhile").await, StatusCode::SERVICE_UNAVAILABLE);
    mend(what).await;
    eventually("calls are answered again", async || consumers(gateway).await.status().is_success().then_some(())).await;
    assert_eq!(put_consumer(gateway, "after").await, StatusCode::OK);
    let page: serde_json::Value = consumers(gateway).await.json().await.unwrap();
    let mut names: Vec<&str> =
        page["data"].as_array().unwrap().iter().map(|consumer| consumer["username"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["after", "before"]);
    assert_eq!(gateway.stop(), Some(0));
}

/// Takes every connection that the server has, also those that were somebody's.
async fn occupied(server: &Server) -> Vec<Client> {
    let mut taken = vec![server.client().await];
    loop {
        while let Ok((client, connection)) = tokio_postgres::connect(&server.url(), NoTls).await {
            tokio::spawn(connection);
            taken.push(client);
        }
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate'";
        if taken[0].query(end, &[]).await.unwrap().is_empty() {
            return taken;
        }
    }
}

#[test]
fn a_server_without_a_connection_left_is_waited_for() {
    run(async {
        let mut server = Server::start().await;
        server.stop();
        server.restart(&["max_connections=12"]).await;
        let folder = Folder::new();
        let mut gateway = Start::serve(folder.path(), &server.url()).ready();
        let take = async |taken: &mut Vec<Client>| *taken = occupied(&server).await;
        suffers(&mut gateway, &mut Vec::new(), take, async |taken| taken.clear()).await;
    });
}

#[test]
fn few_connections_are_enough_for_many_calls() {
    run(async {
        let mut server = Server::start().await;
        server.stop();
        server.restart(&["max_connections=12"]).await;
        let store = bench::open(Location::Postgres(PostgresOptions::new(&server.url()))).await;
        let mut taken = occupied(&server).await;
        let Err(StorageError::Unavailable(reason)) = store.ping().await else { panic!("it has a connection") };
        assert_says(&reason, &[&server.place(), "raise its max_connections, or lower database.pool"]);
        taken.truncate(9);
        eventually("there is a connection", async || store.ping().await.ok()).await;
        for outcome in join_all((0..200).map(|_| store.ping())).await {
            assert_eq!(outcome, Ok(()));
        }
        store.close().await;
    });
}

#[test]
fn a_password_that_is_changed_meanwhile_is_told_and_waited_for() {
    run(async {
        let server = Server::start_with_password("hunter2").await;
        let store = impatient(&server.url()).await;
        store.ping().await.unwrap();
        let admin = server.client().await;
        let change = async |password: &str| {
            admin.batch_execute(&format!("ALTER ROLE {USER} PASSWORD '{password}'")).await.unwrap();
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate'";
            admin.query(end, &[]).await.unwrap();
        };
        change("another").await;
        let Err(StorageError::Unavailable(reason)) = store.ping().await else { panic!("it was let in") };
        assert_says(&reason, &[&server.place(), "refuses the user or the password"]);
        change("hunter2").await;
        store.ping().await.unwrap();
        store.close().await;
    });
}

#[test]
fn a_server_that_is_away_for_a_while_is_waited_for() {
    run(async {
        let mut server = Server::start().await;
        let folder = Folder::new();
        let mut gateway = Start::serve(folder.path(), &server.url()).ready();
        let stop = async |server: &mut Server| server.stop_immediately();
        suffers(&mut gateway, &mut server, stop, async |server| server.restart(&[]).await).await;
    });
}

#[test]
fn a_gateway_runs_through_pgbouncer() {
    run(async {
        let server = Server::start().await;
        let pgbouncer = PgBouncer::before(server.port, Pooling::Transaction, "").await;
        let folder = Folder::new();
        let mut gateway = Start::serve(folder.path(), &pgbouncer.url("postgres", "pgbouncer=true")).ready();
        for number in 0..20 {
            assert_eq!(put_consumer(&gateway, &format!("c{number}")).await, StatusCode::OK);
        }
        let page: serde_json::Value = consumers(&gateway).await.json().await.unwrap();
        assert_eq!(page["data"].as_array().unwrap().len(), 20);
        assert_eq!(gateway.stop(), Some(0));
    });
}
