use serde_json::json;
use tollgate::proxy::{Settings, TrustedNetworks};

use crate::house::{House, configured, echo, field, probed, run, upstream};

#[test]
fn a_request_reaches_the_upstream_rebuilt() {
    run(async {
        let house = House::build(configured(echo().await, json!({"path": "/base"}), json!({"paths": ["/api"]})));
        let request = "GET /api/x%20y?q=1 HTTP/1.1\r\nHost: shop.org:8000\r\nConnection: keep-alive, X-Secret\r\n\
                       X-Secret: 1\r\nX_Consumer_Id: evil\r\nX-Consumer-Username: evil\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\
                       X-Real-IP: 6.6.6.6\r\nTE: trailers\r\nKeep-Alive: 5\r\nVia: 1.0 old\r\nAccept: */*\r\n\r\n";
        let reply = house.ask(request).await;
        assert_eq!(reply.status, 200);
        let seen = reply.text();
        assert!(seen.starts_with("GET /base/x%20y?q=1 HTTP/1.1\r\nHost: 127.0.0.1:"), "{seen}");
        assert_eq!(field(&seen, "x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(field(&seen, "x-forwarded-proto"), Some("http"));
        assert_eq!(field(&seen, "x-forwarded-host"), Some("shop.org:8000"));
        assert_eq!(field(&seen, "x-forwarded-path"), Some("/api/x%20y"));
        assert_eq!(field(&seen, "x-forwarded-prefix"), Some("/api"));
        assert_eq!(field(&seen, "x-forwarded-port"), Some(house.plain.port().to_string().as_str()));
        assert_eq!(field(&seen, "x-real-ip"), Some("127.0.0.1"));
        assert_eq!(field(&seen, "accept"), Some("*/*"));
        assert!(seen.contains("Via: 1.0 old\r\nX-") || seen.contains("Via: 1.0 old\r\n"));
        assert!(seen.contains("Via: 1.1 tollgate/"));
        for gone in ["evil", "6.6.6.6", "Secret", "TE:", "Keep-Alive", "Connection"] {
            assert!(!seen.contains(gone), "{gone} in {seen}");
        }
    });
}

#[test]
fn an_answer_reaches_the_client_rebuilt() {
    run(async {
        let address = upstream(|mut client, _| async move {
            client.request().await;
            client.send(b"HTTP/1.1 201 Whatever\r\nServer: up\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 3\r\nX-Request-Id: theirs\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nhi").await;
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let reply = house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!((reply.status, reply.text().as_str()), (201, "hi"));
        assert_eq!(reply.field("server"), Some("up"));
        assert!(reply.field("via").unwrap().starts_with("1.1 tollgate/"));
        assert!(reply.field("date").is_some());
        assert_eq!(reply.field("x-request-id").unwrap().len(), 32);
        for latency in ["x-upstream-latency", "x-proxy-latency"] {
            assert!(reply.field(latency).unwrap().parse::<u64>().is_ok());
        }
        assert_eq!(reply.head.matches("Set-Cookie").count(), 2);
        for gone in ["Hop", "Keep-Alive", "theirs", "Connection"] {
            assert!(!reply.head.contains(gone), "{gone} in {}", reply.head);
        }
    });
}

#[test]
fn a_trusted_peer_is_believed() {
    run(async {
        let settings =
            Settings { trusted: TrustedNetworks(vec!["127.0.0.0/8".parse().unwrap()]), ..Settings::default() };
        let house = House::with(settings, configured(echo().await, json!({}), json!({"protocols": ["https"]})));
        let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n\r\n";
        let reply = house.ask(request).await;
        assert_eq!(reply.status, 200);
        let seen = reply.text();
        assert_eq!(field(&seen, "x-forwarded-for"), Some("9.9.9.9, 127.0.0.1"));
        assert_eq!(field(&seen, "x-forwarded-proto"), Some("https"));
        assert_eq!(field(&seen, "x-forwarded-host"), Some("b"));
        assert_eq!(field(&seen, "x-real-ip"), Some("9.9.9.9"));
    });
}

#[test]
fn nothing_decoded_or_set_ends_a_line() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({"paths": ["~/[^*]*x"]})));
        let reply = house.ask("GET /a%0d%0aEvil:%201%0d%0ax/b%0d%0aEvil:2 HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let seen = reply.text();
        assert_eq!(field(&seen, "evil"), None, "{seen}");
        assert_eq!(field(&seen, "x-forwarded-prefix"), Some("/a%0D%0AEvil:%201%0D%0Ax"));
        let config = json!({"set": {"X-Consumer-Username": "a\r\nEvil: 1"}, "query": "a b\r\nEvil: 1"});
        let house = House::build(probed(echo().await, config));
        let seen = house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.text();
        assert_eq!(field(&seen, "evil"), None, "{seen}");
        assert!(seen.starts_with("GET /?a%20b%0D%0AEvil:%201 HTTP/1.1\r\n"), "{seen}");
    });
}

#[test]
fn preserve_host_keeps_the_clients_host() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({"preserve_host": true})));
        let reply = house.ask("GET / HTTP/1.1\r\nHost: shop.org\r\n\r\n").await;
        assert_eq!(field(&reply.text(), "host"), Some("shop.org"));
    });
}
