//! Large bodies in little memory. Alone in its process, whose memory it watches.

#[path = "proxy/house.rs"]
#[expect(dead_code, reason = "the house serves the other tests too")]
mod house;

#[path = "http2/client.rs"]
#[expect(dead_code, reason = "the client serves the other tests too")]
mod client;

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::house::{House, configured, field, run, upstream};

const MANY: usize = 100 << 20;

/// Resident memory of this process: gateway, upstream and client together.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn a_hundred_megabytes_pass_each_way_in_little_memory() {
    run(async {
        let address = upstream(|mut client, _| async move {
            let head = client.head().await.unwrap();
            assert_eq!(field(&head, "content-length"), Some(MANY.to_string().as_str()));
            client.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {MANY}\r\n\r\n").as_bytes()).await;
            // Sends back what it gets as it gets it.
            let mut buffer = vec![0; 32 * 1024];
            let mut left = MANY - client.ahead.len();
            let first = std::mem::take(&mut client.ahead);
            client.send(&first).await;
            while left > 0 {
                let length = client.stream.read(&mut buffer).await.unwrap();
                assert!(length > 0);
                left -= length;
                client.send(&buffer[..length]).await;
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {MANY}\r\n\r\n").as_bytes()).await;
        let before = resident();
        let (mut reading, mut writing) = client.stream.into_split();
        let sender = tokio::task::spawn_local(async move {
            let part = vec![7; 64 * 1024];
            for _ in 0..MANY / part.len() {
                writing.write_all(&part).await.unwrap();
            }
            writing
        });
        // A slow reader at first: what comes meanwhile may not pile up in the gateway.
        sleep(Duration::from_millis(300)).await;
        let (mut got, mut peak, mut buffer) = (0, 0, vec![0; 64 * 1024]);
        while got < MANY {
            let length = reading.read(&mut buffer).await.unwrap();
            assert!(length > 0, "ended after {got}");
            got += length;
            peak = peak.max(resident());
        }
        sender.await.unwrap();
        assert!(peak.saturating_sub(before) < 40 << 20, "grew by {} MB", (peak - before) >> 20);
    });
}

/// Sends back what it gets as it gets it.
async fn echoed(mut request: http::Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let mut send = respond.send_response(http::Response::new(()), false).unwrap();
    while let Some(data) = request.body_mut().data().await {
        let data = data.unwrap();
        let length = data.len();
        client::give(&mut send, data, false).await;
        request.body_mut().flow_control().release_capacity(length).unwrap();
    }
    send.send_data(Bytes::new(), true).unwrap();
}

/// Sends [`MANY`] bytes on one stream, reads what comes back, and gives by how much the memory grew meanwhile.
async fn grown(house: &House, kind: &'static str) -> usize {
    let mut client = client::Client::to(house.plain).await;
    let mut request = client.request("POST", "/");
    request.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    let before = resident();
    let (response, mut send) = client.begin(request, false).await;
    let sender = tokio::task::spawn_local(async move {
        let part = Bytes::from(vec![7; 64 * 1024]);
        for nth in 1..=MANY / part.len() {
            client::give(&mut send, part.clone(), nth == MANY / part.len()).await;
        }
    });
    let (_, mut body) = response.await.unwrap().into_parts();
    sleep(Duration::from_millis(300)).await;
    let (mut got, mut peak, sevens) = (0, 0, vec![7; 64 * 1024]);
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        assert!(data == sevens[..data.len()]);
        got += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
        peak = peak.max(resident());
    }
    sender.await.unwrap();
    assert_eq!(got, MANY);
    peak.saturating_sub(before)
}

#[test]
fn the_same_over_http_2_and_grpc() {
    run(async {
        let over_http_1 = upstream(|mut client, _| async move {
            let head = client.head().await.unwrap();
            assert_eq!(field(&head, "transfer-encoding"), Some("chunked"));
            client.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            // Chunks go back as they come, to the last one.
            let (mut buffer, mut end) = (vec![0; 32 * 1024], std::mem::take(&mut client.ahead));
            client.send(&end).await;
            while !end.ends_with(b"\r\n0\r\n\r\n") {
                let length = client.stream.read(&mut buffer).await.unwrap();
                assert!(length > 0);
                client.send(&buffer[..length]).await;
                end.extend_from_slice(&buffer[..length]);
                end.drain(..end.len().saturating_sub(16));
            }
        })
        .await;
        let grown_by = grown(&House::build(configured(over_http_1, json!({}), json!({}))), "text/plain").await;
        assert!(grown_by < 32 << 20, "HTTP/2 to HTTP/1.1: grew by {} MB", grown_by >> 20);
        let over_http_2 = client::upstream(10, |request, respond, _| echoed(request, respond)).await;
        let grpc = configured(over_http_2, json!({ "protocol": "grpc" }), json!({ "protocols": ["grpc"] }));
        let grown_by = grown(&House::build(grpc), "application/grpc").await;
        assert!(grown_by < 32 << 20, "gRPC: grew by {} MB", grown_by >> 20);
    });
}
