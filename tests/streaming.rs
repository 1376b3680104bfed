//! Large bodies in little memory. Alone in its process, whose memory it watches.

#[path = "proxy/house.rs"]
#[expect(dead_code, reason = "the house serves the other tests too")]
mod house;

use std::time::Duration;

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
