use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::house::{House, configured, echo, run, upstream};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Answers the first request of each connection and breaks off at the second.
async fn forgetful(served: Rc<Cell<usize>>) -> std::net::SocketAddr {
    upstream(move |mut client, _| {
        let served = Rc::clone(&served);
        async move {
            client.request().await;
            served.set(served.get() + 1);
            client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            client.request().await;
        }
    })
    .await
}

#[test]
fn an_idle_connection_that_closes_under_us_costs_an_idempotent_call_nothing() {
    run(async {
        let served = Rc::new(Cell::new(0));
        let house = House::build(configured(forgetful(Rc::clone(&served)).await, json!({}), json!({})));
        let mut client = house.connect().await;
        for _ in 0..5 {
            client.send(GET.as_bytes()).await;
            assert_eq!(client.reply().await.status, 200);
        }
        assert_eq!(served.get(), 5);
    });
}

#[test]
fn a_call_that_may_have_had_its_effect_is_not_repeated() {
    run(async {
        let served = Rc::new(Cell::new(0));
        let house = House::build(configured(forgetful(Rc::clone(&served)).await, json!({"retries": 5}), json!({})));
        assert_eq!(house.ask(GET).await.status, 200);
        let reply = house.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").await;
        assert_eq!(reply.status, 502);
        assert!(reply.text().contains("An invalid response was received from the upstream server"));
        assert_eq!(served.get(), 1);
    });
}

#[test]
fn an_upstream_that_breaks_off_is_tried_again_as_often_as_the_service_says() {
    run(async {
        let address = upstream(|mut client, number| async move {
            client.request().await;
            if number == 2 {
                client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            }
        })
        .await;
        let house = House::build(configured(address, json!({"retries": 2}), json!({})));
        assert_eq!(house.ask(GET).await.status, 200);
        assert_eq!(house.ask(GET).await.status, 502);
    });
}

#[test]
fn upstreams_that_are_not_there_are_told_apart() {
    run(async {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let house = House::build(configured(gone, json!({"retries": 3}), json!({})));
        assert_eq!(house.ask(GET).await.status, 502);
        let house = House::build(configured(gone, json!({"host": "no-such-host.invalid"}), json!({})));
        let reply = house.ask(GET).await;
        assert_eq!(reply.status, 503);
        assert!(reply.text().contains("name resolution failed"));
    });
}

#[test]
fn a_silent_upstream_times_out() {
    run(async {
        let address = upstream(|mut client, _| async move {
            client.request().await;
            sleep(Duration::from_secs(30)).await;
        })
        .await;
        let house = House::build(configured(address, json!({"read_timeout": 200}), json!({})));
        let reply = house.ask(GET).await;
        assert_eq!(reply.status, 504);
        assert!(reply.text().contains("The upstream server is timing out"));
        assert_eq!(house.told(1).await[0].3.as_deref(), Some("upstream did not answer in time"));
    });
}

#[test]
fn malformed_answers_are_not_passed_on() {
    run(async {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            let address = upstream(move |mut client, _| async move {
                client.request().await;
                client.send(answer.as_bytes()).await;
                client.more().await;
            })
            .await;
            let house = House::build(configured(address, json!({}), json!({})));
            assert_eq!(house.ask(GET).await.status, 502, "{answer}");
        }
    });
}

#[test]
fn an_answer_that_breaks_off_is_broken_off_for_the_client_too() {
    run(async {
        let address = upstream(|mut client, _| async move {
            client.request().await;
            client.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(GET.as_bytes()).await;
        assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200"));
        while client.more().await {}
        assert_eq!(client.ahead, b"5\r\nhello\r\n", "no end may be pretended");
    });
}

#[test]
fn smuggling_is_refused_and_the_connection_closed() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        for (head, status) in [
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
                400,
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("GET / HTTP/1.1\nHost: a\n\n", 400),
            ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
            ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ] {
            let mut client = house.connect().await;
            client.send(head.as_bytes()).await;
            let reply = client.reply().await;
            assert_eq!((reply.status, reply.field("connection")), (status, Some("close")), "{head}");
            assert!(client.is_closed().await, "{head}");
        }
        let mut client = house.connect().await;
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
        let reply = client.reply().await;
        assert_eq!(reply.status, 400);
        assert!(client.is_closed().await);
    });
}

#[test]
fn a_client_that_goes_takes_its_upstream_call_with_it() {
    run(async {
        let ended = Rc::new(Cell::new(false));
        let seen = Rc::clone(&ended);
        let address = upstream(move |mut client, _| {
            let seen = Rc::clone(&seen);
            async move {
                client.request().await;
                seen.set(client.is_closed().await);
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(GET.as_bytes()).await;
        sleep(Duration::from_millis(100)).await;
        drop(client);
        sleep(Duration::from_millis(200)).await;
        assert!(ended.get());
        assert_eq!(house.told(1).await[0].0, 499);
    });
}
