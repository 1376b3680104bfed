//! What strangers send is not kept: memory stays bounded however much of it comes, and others are served meanwhile.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::{Folder, Gateway, Start, client};
use crate::wire::Wire;

const CONNECTIONS: usize = 16;
const AT_ONCE: usize = 50;
/// Generous: caches of the unknown may fill.
const GROWTH: u64 = 64 << 20;

fn resident(gateway: &Gateway) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// A gateway that believes this host when it says that a call came by TLS.
fn started(folder: &Folder) -> Gateway {
    Start::dev(folder.path()).env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.1").ready()
}

async fn warmed(gateway: &Gateway, flood: &Flood) -> u64 {
    flood.send(gateway, 0..CONNECTIONS * AT_ONCE).await;
    resident(gateway)
}

/// So many different requests, all answered alike.
struct Flood {
    status: u16,
    request: fn(usize) -> String,
}

impl Flood {
    async fn send(&self, gateway: &Gateway, numbers: std::ops::Range<usize>) {
        let each = numbers.len() / CONNECTIONS;
        let lanes = (0..CONNECTIONS).map(|lane| async move {
            let mut wire = Wire::connect(gateway.addresses["proxy"]).await;
            for batch in 0..each / AT_ONCE {
                let first = 1_000_000 * lane + AT_ONCE * batch;
                let requests: Vec<_> = (first..first + AT_ONCE).map(self.request).collect();
                wire.all(&requests, self.status).await;
            }
        });
        join_all(lanes).await;
    }

    async fn leaves_memory_bounded(&self, count: usize) {
        let folder = Folder::new();
        let gateway = started(&folder);
        let before = warmed(&gateway, self).await;
        self.send(&gateway, 0..count).await;
        let grown = resident(&gateway).saturating_sub(before);
        assert!(grown < GROWTH, "grew by {} KiB", grown / 1024);
        serves_others(&gateway).await;
    }
}

async fn serves_others(gateway: &Gateway) {
    let application = client().get(gateway.admin("/oauth2/demo")).send().await.unwrap();
    let application: serde_json::Value = application.json().await.unwrap();
    let form = json!({ "grant_type": "client_credentials", "client_id": "demo",
        "client_secret": application["client_secret"] });
    let url = gateway.url("proxy_tls", "/demo/oauth2/token");
    let token: serde_json::Value = client().post(url).form(&form).send().await.unwrap().json().await.unwrap();
    let call = client().get(gateway.url("proxy", "/demo")).bearer_auth(token["access_token"].as_str().unwrap());
    assert_eq!(call.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn three_hundred_thousand_wrong_tokens_are_not_kept() {
    // Half look like minted ones: 32 characters of the same alphabet.
    let request = |number| match number % 2 {
        0 => format!("GET /demo HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {number:032}\r\n\r\n"),
        _ => {
            format!("GET /demo HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer guess-{number}{0}\r\n\r\n", "x".repeat(200))
        }
    };
    Flood { status: 401, request }.leaves_memory_bounded(300_000).await;
}

#[tokio::test]
async fn fifty_thousand_unknown_clients_are_not_kept() {
    let request = |number| {
        let body = format!("grant_type=client_credentials&client_secret=s&client_id={number:0200}");
        let length = body.len();
        format!(
            "POST /demo/oauth2/token HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    Flood { status: 400, request }.leaves_memory_bounded(50_000).await;
}

#[tokio::test]
async fn twenty_thousand_wrong_paths_and_hosts_are_not_kept() {
    let request = |number| format!("GET /none/{number:0200} HTTP/1.1\r\nHost: host-{number}.example\r\n\r\n");
    Flood { status: 404, request }.leaves_memory_bounded(20_000).await;
}

/// Half of what this process may open, at most 5 000.
fn affordable() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let soft = line.split_whitespace().next().unwrap().parse::<usize>().unwrap_or(usize::MAX);
    if soft >= 10_000 { 5_000 } else { 800.min(soft / 2) }
}

/// Connections with half a head on them, closed again when all are open and others were served.
async fn half_heads(gateway: &Gateway, count: usize) -> u64 {
    let mut idle = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(gateway.addresses["proxy"]).await.unwrap();
        stream.writable().await.unwrap();
        stream.try_write(b"GET /demo HTTP/1.1\r\nHos").unwrap();
        idle.push(stream);
    }
    serves_others(gateway).await;
    resident(gateway)
}

/// Waits until memory that was freed is the system's again: the allocator keeps it for some seconds.
async fn given_back(gateway: &Gateway, most: u64) {
    let settled = async {
        while resident(gateway) > most {
            sleep(Duration::from_millis(200)).await;
        }
    };
    let kept = timeout(Duration::from_secs(60), settled).await;
    assert!(kept.is_ok(), "{} KiB are not given back", resident(gateway) / 1024);
}

#[tokio::test]
async fn thousands_of_connections_that_say_nothing_more_leave_room_for_others() {
    let folder = Folder::new();
    let gateway = started(&folder);
    let (before, count) = (resident(&gateway), affordable());
    let held = half_heads(&gateway, count).await;
    let each = held.saturating_sub(before) / count as u64;
    assert!(each < 32 << 10, "{each} bytes for each connection");
    for _ in 0..3 {
        given_back(&gateway, before + (held - before) / 2).await;
        let again = half_heads(&gateway, count).await;
        let grown = again.saturating_sub(held);
        // Were they held, it would be as much again each time; what the allocator does not return at once is less.
        assert!(grown < (held - before) / 2, "connections that ended are still held: {} KiB", grown / 1024);
    }
}
