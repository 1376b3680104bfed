//! Many clients that want nothing but the gateway's patience, while others are served.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tollgate::proxy::Settings;

use crate::house::{House, configured, echo, run};

const CROWD: usize = 400;
const PATIENCE: Duration = Duration::from_millis(500);

async fn house() -> House {
    let settings = Settings { head_timeout: PATIENCE, idle_timeout: PATIENCE, ..Settings::default() };
    House::with(settings, configured(echo().await, json!({}), json!({})))
}

async fn others_are_served(house: &House) {
    for _ in 0..20 {
        let reply = timeout(Duration::from_secs(10), house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).await.unwrap();
        assert_eq!(reply.status, 200);
    }
}

/// Until the gateway has closed every connection.
async fn all_go(house: &House) {
    let gone = async {
        while house.gateway.connections_active() > 0 {
            sleep(Duration::from_millis(10)).await
        }
    };
    timeout(Duration::from_secs(20), gone).await.expect("connections are closed in time");
}

#[test]
fn heads_that_come_a_byte_at_a_time_are_cut_off() {
    run(async {
        let house = house().await;
        for _ in 0..CROWD {
            let mut stream = TcpStream::connect(house.plain).await.unwrap();
            tokio::task::spawn_local(async move {
                // Each byte comes well within every time limit; the head does not.
                for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX: ".iter().chain(std::iter::repeat(&b'a')) {
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            });
        }
        others_are_served(&house).await;
        all_go(&house).await;
    });
}

#[test]
fn connections_that_say_nothing_are_closed() {
    run(async {
        let house = house().await;
        let mut silent = Vec::new();
        for address in [house.plain, house.tls] {
            for _ in 0..CROWD {
                silent.push(TcpStream::connect(address).await.unwrap());
            }
        }
        others_are_served(&house).await;
        all_go(&house).await;
        drop(silent);
    });
}

#[test]
fn connections_that_come_and_go_leave_nothing_behind() {
    run(async {
        let house = house().await;
        for _ in 0..5 {
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                crowd.push(TcpStream::connect(house.plain).await.unwrap());
            }
            drop(crowd);
        }
        others_are_served(&house).await;
        all_go(&house).await;
        assert!(house.gateway.connections_accepted() >= 5 * CROWD as u64);
    });
}
