//! What clients of HTTP/2 can do to a gateway and to each other.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tollgate::proxy::Settings;

use crate::client::Client;
use crate::house::{House, configured, echo, run, upstream};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame as it is on the wire (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A head that asks for `/` at `a`, by the static table of HPACK.
fn get() -> Vec<u8> {
    [&[0x82, 0x86, 0x84, 0x01, 0x01][..], b"a"].concat()
}

/// Writes until the other end closes, or everything was written; whether it closed.
async fn is_ended_by(stream: &mut TcpStream, frames: impl Iterator<Item = Vec<u8>>) -> bool {
    let (mut reading, mut writing) = stream.split();
    let write = async {
        for frame in frames {
            if writing.write_all(&frame).await.is_err() {
                return;
            }
        }
        sleep(Duration::from_secs(3600)).await;
    };
    let read = async {
        let mut buffer = vec![0; 64 * 1024];
        while reading.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
    };
    tokio::select! {
        () = write => true,
        () = read => true,
        () = sleep(Duration::from_secs(20)) => false,
    }
}

async fn raw(house: &House) -> TcpStream {
    let mut stream = TcpStream::connect(house.plain).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    stream
}

#[test]
fn rapid_resets_end_the_connection_while_others_are_served() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let mut attacker = raw(&house).await;
        let resets = (0..200_000).flat_map(|number| {
            let stream = number * 2 + 1;
            [frame(1, 0x5, stream, &get()), frame(3, 0, stream, &8_u32.to_be_bytes())]
        });
        let attack = is_ended_by(&mut attacker, resets);
        let others = async {
            let mut client = Client::to(house.plain).await;
            for _ in 0..50 {
                assert_eq!(timeout(Duration::from_secs(10), client.get("/")).await.unwrap().status, 200);
            }
        };
        let (is_ended, ()) = tokio::join!(attack, others);
        assert!(is_ended);
    });
}

#[test]
fn floods_of_frames_without_sense_end_the_connection() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let endless_head = std::iter::once(frame(1, 0, 1, &get()))
            .chain((0..100_000).map(|_| frame(9, 0, 1, &[[0x40, 1].as_slice(), b"x", &[100], &[b'y'; 100]].concat())));
        assert!(is_ended_by(&mut raw(&house).await, endless_head).await, "CONTINUATION without end");
        let empty = std::iter::once(frame(1, 0x4, 1, &get())).chain((0..1_000_000).map(|_| frame(0, 0, 1, &[])));
        assert!(is_ended_by(&mut raw(&house).await, empty).await, "DATA without data");
        let windows = (0..10).map(|_| frame(8, 0, 0, &0_u32.to_be_bytes()));
        assert!(is_ended_by(&mut raw(&house).await, windows).await, "WINDOW_UPDATE of nothing");
    });
}

#[test]
fn malformed_heads_reset_their_stream_or_end_the_connection() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let literal = |name: &str, value: &str| {
            [&[0, name.len() as u8][..], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
        };
        let cases = [
            ("upper case", [get(), literal("X-Upper", "1")].concat()),
            ("connection", [get(), literal("connection", "close")].concat()),
            ("transfer-encoding", [get(), literal("transfer-encoding", "chunked")].concat()),
            ("te", [get(), literal("te", "gzip")].concat()),
            ("pseudo after fields", [literal("a", "b"), get()].concat()),
            ("an unknown pseudo-field", [get(), literal(":odd", "1")].concat()),
            ("a line break", [get(), literal("a", "b\r\nc: d")].concat()),
            ("no path", vec![0x82, 0x86]),
            ("two paths", [get(), vec![0x84]].concat()),
            ("CONNECT", [literal(":method", "CONNECT"), literal(":authority", "a")].concat()),
            ("a space in the path", [vec![0x82, 0x86], literal(":path", "/a b"), literal(":authority", "a")].concat()),
            ("no authority", vec![0x82, 0x86, 0x84]),
            ("user info", [vec![0x82, 0x86, 0x84], literal(":authority", "u@a")].concat()),
        ];
        for (name, head) in cases {
            let mut stream = raw(&house).await;
            stream.write_all(&frame(1, 0x5, 1, &head)).await.unwrap();
            let mut seen = Vec::new();
            let judged = async {
                while stream.read_buf(&mut seen).await.is_ok_and(|length| length > 0) {
                    if let Some(verdict) = verdict(&seen) {
                        return verdict;
                    }
                }
                "ended"
            };
            let verdict = timeout(Duration::from_secs(10), judged).await.unwrap();
            assert!(["ended", "reset", "goaway", "4xx"].contains(&verdict), "{name}: {verdict}");
        }
        let told: Vec<u16> = house.told(0).await.into_iter().map(|(status, ..)| status).collect();
        assert!(told.iter().all(|status| (400..500).contains(status)), "nothing reached the upstream: {told:?}");
    });
}

/// What a server's frames say of stream 1.
fn verdict(mut bytes: &[u8]) -> Option<&'static str> {
    while bytes.len() >= 9 {
        let length = usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
        let kind = bytes[3];
        let payload = bytes.get(9..9 + length)?;
        match kind {
            3 => return Some("reset"),
            7 => return Some("goaway"),
            // 400 stands in the static table; 200 does, too.
            1 => return Some(if payload.first() == Some(&0x88) { "2xx" } else { "4xx" }),
            _ => bytes = &bytes[9 + length..],
        }
    }
    None
}

#[test]
fn a_client_that_says_nothing_is_not_waited_for() {
    run(async {
        let settings = Settings {
            head_timeout: Duration::from_millis(300),
            idle_timeout: Duration::from_millis(300),
            ..Settings::default()
        };
        let house = House::with(settings, configured(echo().await, json!({}), json!({})));
        // A part of the preface, all of it, and a connection that has been used.
        let mut part = TcpStream::connect(house.plain).await.unwrap();
        part.write_all(&PREFACE[..10]).await.unwrap();
        let mut all = TcpStream::connect(house.plain).await.unwrap();
        all.write_all(PREFACE).await.unwrap();
        let mut used = Client::to(house.plain).await;
        assert_eq!(used.get("/").await.status, 200);
        for stream in [&mut part, &mut all] {
            let mut seen = Vec::new();
            timeout(Duration::from_secs(10), stream.read_to_end(&mut seen)).await.unwrap().unwrap();
        }
        let closed = async {
            while house.gateway.connections_active() > 0 {
                sleep(Duration::from_millis(5)).await
            }
        };
        timeout(Duration::from_secs(10), closed).await.unwrap();
    });
}

#[test]
fn slow_readers_hold_little() {
    const READERS: usize = 100;
    const LENGTH: usize = 4 << 20;
    run(async {
        let address = upstream(|mut client, _| async move {
            if client.request().await.is_some() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
                client.send(head.as_bytes()).await;
                let part = vec![7; 64 * 1024];
                for _ in 0..LENGTH / part.len() {
                    if client.stream.write_all(&part).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let before = resident();
        let mut client = Client::to(house.plain).await;
        let mut responses = Vec::new();
        for _ in 0..READERS {
            let request = client.request("GET", "/");
            let (response, _) = client.begin(request, true).await;
            responses.push(response.await.unwrap());
        }
        sleep(Duration::from_secs(1)).await;
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 << 20, "{READERS} readers that do not read hold {} MiB", grown >> 20);
        for response in responses {
            let (_, mut body) = response.into_parts();
            assert_eq!(crate::client::whole(&mut body).await.unwrap().len(), LENGTH);
        }
    });
}

/// Resident memory of this process: gateway, upstream and client together.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn more_streams_than_allowed_wait_for_their_turn() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let mut stream = raw(&house).await;
        // Streams that never end their bodies: the one after the last allowed is refused.
        for number in 0..200_u32 {
            stream.write_all(&frame(1, 0x4, number * 2 + 1, &get())).await.unwrap();
        }
        let mut seen = Vec::new();
        let refused = async {
            while !seen.windows(13).any(|frame| frame[3] == 3 && frame[9..] == 7_u32.to_be_bytes()) {
                assert!(stream.read_buf(&mut seen).await.unwrap() > 0);
            }
        };
        timeout(Duration::from_secs(10), refused).await.unwrap();
    });
}
