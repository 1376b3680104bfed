use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use tollgate::proxy::Settings;

use crate::house::{House, configured, echo, run, upstream};

#[test]
fn pipelined_requests_are_answered_in_order() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let mut client = house.connect().await;
        let all: String = (0..20).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
        client.send(all.as_bytes()).await;
        for n in 0..20 {
            assert!(client.reply().await.text().starts_with(&format!("GET /{n} ")));
        }
    });
}

#[test]
fn a_client_that_dribbles_or_idles_is_closed() {
    run(async {
        let settings = Settings {
            head_timeout: Duration::from_millis(300),
            idle_timeout: Duration::from_millis(600),
            ..Settings::default()
        };
        let house = House::with(settings, configured(echo().await, json!({}), json!({})));
        let mut silent = house.connect().await;
        let mut idle = house.connect().await;
        idle.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        idle.reply().await;
        let mut slow = house.connect().await;
        for byte in b"GET / HT".iter() {
            slow.send(&[*byte]).await;
            sleep(Duration::from_millis(30)).await;
        }
        assert_eq!(slow.reply().await.status, 408);
        assert!(silent.is_closed().await);
        assert!(idle.is_closed().await);
    });
}

#[test]
fn a_body_that_stalls_is_given_up() {
    run(async {
        let settings = Settings { client_timeout: Duration::from_millis(200), ..Settings::default() };
        let house = House::with(settings, configured(echo().await, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe").await;
        assert_eq!(client.reply().await.status, 408);
        assert!(client.is_closed().await);
    });
}

#[test]
fn a_client_that_does_not_read_is_given_up_and_little_is_held_for_it() {
    run(async {
        let sent = std::rc::Rc::new(std::cell::Cell::new(0));
        let seen = std::rc::Rc::clone(&sent);
        let address = upstream(move |mut client, _| {
            let seen = std::rc::Rc::clone(&seen);
            async move {
                client.request().await;
                client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
                let part = vec![b'x'; 64 * 1024];
                while tokio::io::AsyncWriteExt::write_all(&mut client.stream, &part).await.is_ok() {
                    seen.set(seen.get() + part.len());
                }
            }
        })
        .await;
        let settings = Settings { client_timeout: Duration::from_millis(300), ..Settings::default() };
        let house = House::with(settings, configured(address, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let told = house.told(1).await;
        assert_eq!(told[0].3.as_deref(), Some("client has gone"));
        assert!(told[0].2 < 32 << 20, "took {} from the upstream", told[0].2);
        sleep(Duration::from_millis(50)).await;
        assert!(sent.get() < 64 << 20, "the upstream was left to write {}", sent.get());
    });
}

#[test]
fn old_and_unwilling_clients_are_closed_after_their_answer() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        for (head, closes) in [
            ("GET / HTTP/1.0\r\n\r\n", true),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
        ] {
            let mut client = house.connect().await;
            client.send(head.as_bytes()).await;
            let reply = client.reply().await;
            assert_eq!(reply.field("connection"), Some(if closes { "close" } else { "keep-alive" }));
            if closes {
                assert!(client.is_closed().await);
            }
        }
    });
}

#[test]
fn draining_closes_the_idle_and_lets_the_busy_finish() {
    run(async {
        let address = upstream(|mut client, _| async move {
            while client.request().await.is_some() {
                sleep(Duration::from_millis(200)).await;
                client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut idle = house.connect().await;
        let mut busy = house.connect().await;
        busy.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        sleep(Duration::from_millis(50)).await;
        house.gateway.drain();
        assert!(idle.is_closed().await);
        assert_eq!(busy.reply().await.status, 200);
        assert!(busy.is_closed().await);
    });
}

#[test]
fn an_upgrade_to_anything_but_websocket_is_not_heard() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n";
        let reply = house.ask(head).await;
        assert_eq!(reply.status, 200);
        assert!(!reply.text().contains("h2c") && !reply.text().contains("HTTP2"), "{}", reply.text());
    });
}

#[test]
fn an_upgrade_is_tunnelled_both_ways_with_half_close() {
    run(async {
        let address = upstream(|mut client, _| async move {
            let head = client.head().await.unwrap();
            assert!(head.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "{head}");
            client
                .send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
                .await;
            while client.more().await {}
            let all = std::mem::take(&mut client.ahead);
            client.send(&all).await;
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly").await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.field("upgrade")), (101, Some("websocket")));
        assert_eq!(client.exactly(5).await, b"first");
        client.send(b" late").await;
        tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
        assert_eq!(client.exactly(10).await, b"early late");
        assert!(client.is_closed().await);
    });
}
