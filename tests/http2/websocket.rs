//! WebSocket over a stream (RFC 8441).

use bytes::Bytes;
use h2::ext::Protocol;
use http::{HeaderValue, Method};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Client, give, whole};
use crate::house::{House, configured, field, run, upstream};

/// An upstream that switches, and sends back what it gets until it has ended.
async fn switching() -> std::net::SocketAddr {
    upstream(|mut client, _| async move {
        let head = client.head().await.unwrap();
        let key = field(&head, "sec-websocket-key").unwrap();
        assert!(head.starts_with("GET /chat HTTP/1.1\r\n") && key.len() == 24, "{head}");
        assert_eq!(field(&head, "upgrade"), Some("websocket"));
        assert_eq!(field(&head, "sec-websocket-protocol"), Some("soap"));
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: soap\r\n\r\n";
        client.send(answer.as_bytes()).await;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match client.stream.read(&mut buffer).await.unwrap_or(0) {
                0 => return client.stream.shutdown().await.unwrap(),
                length => client.send(&buffer[..length]).await,
            }
        }
    })
    .await
}

fn connect(client: &Client, path: &str) -> http::Request<()> {
    let mut request = client.request("CONNECT", path);
    *request.method_mut() = Method::CONNECT;
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    request.headers_mut().insert("sec-websocket-version", HeaderValue::from_static("13"));
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("soap"));
    request
}

#[test]
fn a_stream_becomes_a_tunnel() {
    run(async {
        for protocols in [json!(["http"]), json!(["ws"])] {
            let route = json!({ "protocols": protocols, "strip_path": false });
            let house = House::build(configured(switching().await, json!({}), route));
            let mut client = Client::to(house.plain).await;
            while !client.send.is_extended_connect_protocol_enabled() {
                tokio::task::yield_now().await;
            }
            let request = connect(&client, "/chat");
            let (response, mut send) = client.begin(request, false).await;
            let (parts, mut body) = response.await.unwrap().into_parts();
            assert_eq!(parts.status, 200);
            assert_eq!(parts.headers["sec-websocket-protocol"], "soap");
            assert!(!parts.headers.contains_key("sec-websocket-accept") && !parts.headers.contains_key("upgrade"));
            give(&mut send, Bytes::from_static(b"hello"), false).await;
            assert_eq!(body.data().await.unwrap().unwrap(), "hello");
            // More than all windows together, so that both directions must move.
            let many: Bytes = vec![7; 4 << 20].into();
            let sent = many.clone();
            let sender = tokio::task::spawn_local(async move {
                give(&mut send, sent, true).await;
            });
            let echoed = whole(&mut body).await.unwrap();
            sender.await.unwrap();
            assert!(echoed == many, "{} bytes came back", echoed.len());
        }
    });
}

#[test]
fn an_upstream_that_does_not_switch_answers() {
    run(async {
        let house = House::build(configured(crate::house::echo().await, json!({}), json!({})));
        let mut client = Client::to(house.plain).await;
        while !client.send.is_extended_connect_protocol_enabled() {
            tokio::task::yield_now().await;
        }
        let request = connect(&client, "/chat");
        let (response, _send) = client.begin(request, false).await;
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["server"], "echo");
    });
}
