use serde_json::json;

use crate::house::{House, echo, field, probed, run};

#[test]
fn a_plugin_changes_what_the_upstream_gets() {
    run(async {
        let config = json!({"set": {"X-Consumer-ID": "7"}, "remove": "authorization", "query": "a=b"});
        let house = House::build(probed(echo().await, config));
        let reply = house
            .ask("GET /?access_token=x HTTP/1.1\r\nHost: a\r\nX-Consumer-ID: 8\r\nAuthorization: Bearer x\r\n\r\n")
            .await;
        let seen = reply.text();
        assert!(seen.starts_with("GET /?a=b HTTP/1.1\r\n"), "{seen}");
        assert_eq!(field(&seen, "x-consumer-id"), Some("7"));
        assert_eq!(field(&seen, "authorization"), None);
        assert_eq!(reply.field("x-probe"), Some("seen"));
    });
}

#[test]
fn a_body_a_plugin_read_reaches_the_upstream_whole() {
    run(async {
        let house = House::build(probed(echo().await, json!({"read": 10})));
        let reply = house.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").await;
        let seen = reply.text();
        assert_eq!(field(&seen, "x-read"), Some("5"));
        assert!(seen.ends_with("\r\n\r\nhello"));
        let chunked =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n";
        let seen = house.ask(chunked).await.text();
        assert_eq!(field(&seen, "x-read"), Some("body is longer than 10 bytes"));
        assert!(seen.ends_with("\r\n\r\nhello, world"), "{seen}");
    });
}

#[test]
fn a_plugin_replaces_a_body() {
    run(async {
        let house = House::build(probed(echo().await, json!({"read": 100, "body": "other"})));
        let seen = house.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").await.text();
        assert_eq!(field(&seen, "content-length"), Some("5"));
        assert!(seen.ends_with("\r\n\r\nother"));
    });
}

#[test]
fn a_refused_request_leaves_the_connection_usable() {
    run(async {
        let house = House::build(probed(echo().await, json!({"refuse": 401})));
        let mut client = house.connect().await;
        for _ in 0..2 {
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n").await;
            let reply = client.reply().await;
            assert_eq!((reply.status, reply.field("connection")), (401, None));
            client.send(b"hello").await;
        }
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n").await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.field("connection")), (401, Some("close")));
        assert!(client.is_closed().await);
    });
}

#[test]
fn a_body_is_asked_for_only_after_the_plugins_agreed() {
    run(async {
        let house = House::build(probed(echo().await, json!({"refuse": 401})));
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
        let mut client = house.connect().await;
        client.send(head).await;
        assert_eq!(client.reply().await.status, 401);
        assert!(client.is_closed().await);
        for config in [json!({}), json!({"read": 10})] {
            let house = House::build(probed(echo().await, config));
            let mut client = house.connect().await;
            client.send(head).await;
            assert_eq!(client.reply().await.status, 100);
            client.send(b"hello").await;
            let reply = client.reply().await;
            assert!(reply.text().ends_with("hello"));
            assert!(!reply.text().contains("100-continue"));
        }
    });
}

#[test]
fn a_plugin_that_does_not_compile_lets_nothing_through() {
    run(async {
        let house = House::build(probed(echo().await, json!({"broken": true})));
        assert_eq!(house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 500);
    });
}
