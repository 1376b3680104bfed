//! Signals, power cuts, and two of one.

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::support::{Folder, Gateway, Start, client, tollgate};
use crate::wire::Wire;

const CALLERS: usize = 32;

/// An upstream that lets callers wait until it is told to answer.
pub struct Slow {
    waiting: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
}

impl Slow {
    /// At `/slow` of the gateway.
    pub async fn behind(gateway: &Gateway) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (waiting, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let slow = Self { waiting: Arc::clone(&waiting), answers: Arc::clone(&answers) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&waiting), Arc::clone(&answers)));
            }
        });
        for (path, body) in [
            ("/services", json!({ "name": "slow", "url": format!("http://{address}") })),
            ("/services/slow/routes", json!({ "paths": ["/slow"] })),
        ] {
            let made = client().post(gateway.admin(path)).json(&body).send().await.unwrap();
            assert_eq!(made.status(), 201);
        }
        slow
    }

    /// So many callers, each waiting for the upstream.
    async fn callers(&self, gateway: &Gateway) -> Vec<Wire> {
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            let mut caller = Wire::connect(gateway.addresses["proxy"]).await;
            caller.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
            callers.push(caller);
        }
        self.has(CALLERS).await;
        callers
    }

    /// Waits until so many calls wait.
    pub async fn has(&self, callers: usize) {
        while self.waiting.load(Ordering::SeqCst) < callers {
            tokio::task::yield_now().await;
        }
    }

    pub fn answer(&self, callers: usize) {
        self.answers.add_permits(callers);
    }
}

async fn answer(mut stream: TcpStream, waiting: Arc<AtomicUsize>, answers: Arc<Semaphore>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    waiting.fetch_add(1, Ordering::SeqCst);
    answers.acquire().await.unwrap().forget();
    let body = "x".repeat(100_000);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all((head + &body).as_bytes()).await;
}

pub fn terminate(gateway: &Gateway) {
    assert!(Command::new("kill").arg("-TERM").arg(gateway.pid().to_string()).status().unwrap().success());
}

async fn until_logged(gateway: &Gateway, text: &str) {
    while !gateway.log_text().contains(text) {
        tokio::task::yield_now().await;
    }
}

pub async fn ended(mut gateway: Gateway) -> Option<i32> {
    tokio::task::spawn_blocking(move || gateway.wait()).await.unwrap()
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight_refuses_what_is_new_and_ends_well() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let slow = Slow::behind(&gateway).await;
    let callers = slow.callers(&gateway).await;
    terminate(&gateway);
    while TcpStream::connect(gateway.addresses["proxy"]).await.is_ok() {
        tokio::task::yield_now().await;
    }
    slow.answer(CALLERS);
    for mut caller in callers {
        assert_eq!(caller.status().await, 200);
    }
    let log = gateway.log.clone();
    assert_eq!(ended(gateway).await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("did not stop in time"), "{log}");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let slow = Slow::behind(&gateway).await;
    let _callers = slow.callers(&gateway).await;
    terminate(&gateway);
    until_logged(&gateway, "\"stopping\"").await;
    terminate(&gateway);
    let log = gateway.log.clone();
    assert_eq!(ended(gateway).await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("second signal, ending at once"), "{log}");
}

#[tokio::test]
async fn what_was_configured_is_there_after_kill_9() {
    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).arg("--empty").ready();
    let http = client();
    for number in 0..100 {
        let body = json!({ "username": format!("user-{number}") });
        let made = http.post(gateway.admin("/consumers")).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201);
    }
    gateway.kill();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    for number in 0..100 {
        let found = http.get(gateway.admin(&format!("/consumers/user-{number}"))).send().await.unwrap();
        assert_eq!(found.status(), 200, "user-{number} was answered, and is lost");
    }
}

#[test]
fn a_second_gateway_on_one_file_refuses_in_one_line() {
    let folder = Folder::new();
    let _first = Start::dev(folder.path()).ready();
    let mut second = tollgate();
    for listener in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN"] {
        second.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
    }
    second.env("TOLLGATE_LOG_FILE", folder.join("second.log"));
    let Output { status, stderr, .. } = second.arg("dev").arg("--data-dir").arg(folder.join("data")).output().unwrap();
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), text.trim_end().lines().count()), (Some(1), 1), "{text}");
    assert!(text.contains("one gateway per SQLite file"), "{text}");
}
