//! Clients behind a balancer that speaks the PROXY protocol.

use serde_json::json;
use tollgate::proxy::{Settings, TrustedNetworks};

use crate::house::{House, configured, echo, field, run};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n";

fn trusting(networks: &[&str]) -> Settings {
    let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    Settings { trusted: TrustedNetworks(networks), ..Settings::default() }
}

#[test]
fn a_trusted_balancer_names_the_client() {
    run(async {
        let house = House::with(trusting(&["127.0.0.1/32"]), configured(echo().await, json!({}), json!({})));
        let second =
            [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb]];
        let headers = [b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".to_vec(), second.concat()];
        for header in headers {
            let mut client = house.connect().await;
            client.send(&[&header[..], GET.as_bytes()].concat()).await;
            let seen = client.reply().await.text();
            assert_eq!(field(&seen, "x-real-ip"), Some("192.0.2.7"));
            assert_eq!(field(&seen, "x-forwarded-for"), Some("192.0.2.7"), "the client itself is not trusted: {seen}");
            client.send(GET.as_bytes()).await;
            assert_eq!(client.reply().await.status, 200, "once for each connection");
        }
        let seen = house.ask(GET).await.text();
        assert_eq!(field(&seen, "x-real-ip"), Some("9.9.9.9"), "without a header the peer is the client");
    });
}

#[test]
fn a_header_that_comes_in_parts_is_put_together() {
    run(async {
        let house = House::with(trusting(&["127.0.0.1/32"]), configured(echo().await, json!({}), json!({})));
        let mut client = house.connect().await;
        for part in ["PROXY TC", "P6 2001:db8::1 2001:db8::2 1 2", "\r", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
            client.send(part.as_bytes()).await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(field(&client.reply().await.text(), "x-real-ip"), Some("2001:db8::1"));
    });
}

#[test]
fn nobody_else_names_a_client() {
    run(async {
        let house = House::with(trusting(&["192.0.2.0/24"]), configured(echo().await, json!({}), json!({})));
        let reply = house.ask(&format!("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n{GET}")).await;
        assert_eq!(reply.status, 505, "a request line with an odd version");
        let house = House::with(trusting(&["127.0.0.1/32"]), configured(echo().await, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(format!("PROXY TCP4 nobody nowhere 1 2\r\n{GET}").as_bytes()).await;
        assert!(!client.more().await, "a broken header ends the connection");
    });
}
