//! How much of everything there may be at once, and who waits when there is no more.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use tollgate::proxy::Settings;

use crate::house::{House, configured, echo, run, upstream};

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn connections_beyond_the_limit_wait_for_silent_ones_to_be_closed() {
    run(async {
        let head_timeout = Duration::from_millis(500);
        let settings = Settings { most_connections: 4, head_timeout, ..Settings::default() };
        let house = House::with(settings, configured(echo().await, json!({}), json!({})));
        let mut silent = Vec::new();
        for _ in 0..4 {
            silent.push(house.connect().await);
        }
        while house.gateway.connections_active() < 4 {
            sleep(Duration::from_millis(5)).await;
        }
        let mut waiting = Vec::new();
        for _ in 0..8 {
            let mut client = house.connect().await;
            client.send(ASK).await;
            waiting.push(client);
        }
        for client in &mut waiting {
            let reply = client.reply().await;
            assert_eq!(reply.status, 200);
            assert!(house.gateway.connections_active() <= 4);
        }
        for client in &mut silent {
            assert!(client.is_closed().await);
        }
    });
}

#[test]
fn idle_connections_make_room_for_others_at_once() {
    run(async {
        // Nothing else would end them within the time of the test.
        let idle_timeout = Duration::from_secs(3600);
        let settings = Settings { most_connections: 3, idle_timeout, ..Settings::default() };
        let house = House::with(settings, configured(echo().await, json!({}), json!({})));
        let mut idle = Vec::new();
        for _ in 0..20 {
            let mut client = house.connect().await;
            client.send(ASK).await;
            assert_eq!(client.reply().await.status, 200);
            idle.push(client);
        }
        let mut last = idle.pop().unwrap();
        last.send(ASK).await;
        assert_eq!(last.reply().await.status, 200, "whoever came last was not closed for anybody");
    });
}

#[test]
fn an_upstream_that_is_stuck_is_left_so_many_calls_and_refuses_the_others() {
    run(async {
        let stuck = upstream(|mut client, _| async move {
            client.request().await;
            std::future::pending::<()>().await;
        })
        .await;
        let settings = Settings { most_upstream_calls: 3, ..Settings::default() };
        let house = House::with(settings, configured(stuck, json!({}), json!({})));
        let mut callers = Vec::new();
        for _ in 0..3 {
            let mut client = house.connect().await;
            client.send(ASK).await;
            callers.push(client);
        }
        // The first to be refused shows that the others are under way.
        let reply = loop {
            let mut client = house.connect().await;
            client.send(ASK).await;
            if let Ok(reply) = tokio::time::timeout(Duration::from_secs(1), client.reply()).await {
                break reply;
            }
        };
        assert_eq!((reply.status, reply.field("retry-after")), (503, Some("1")));
        let told = house.told(1).await;
        assert_eq!(told[0].3.as_deref(), Some("upstream has too many calls under way"));
        // Whoever goes leaves its place to another.
        drop(callers.pop());
        house.told(2).await;
        let mut next = house.connect().await;
        next.send(ASK).await;
        assert!(tokio::time::timeout(Duration::from_millis(300), next.reply()).await.is_err(), "it waits, unrefused");
    });
}

#[test]
fn heads_of_answers_and_interim_answers_are_bounded() {
    run(async {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(70_000));
        let early =
            format!("{}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17));
        for answer in [long, early] {
            let address = upstream(move |mut client, _| {
                let answer = answer.clone();
                async move {
                    client.request().await;
                    let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, answer.as_bytes()).await;
                    client.more().await;
                }
            })
            .await;
            let house = House::build(configured(address, json!({}), json!({})));
            assert_eq!(house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 502);
        }
    });
}
