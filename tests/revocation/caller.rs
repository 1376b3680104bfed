//! A caller on one kept connection.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a caller sees of a call: the status, which upstream answered, and as whom it was told the caller comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub status: u16,
    pub upstream: String,
    pub consumer: String,
}

impl Seen {
    pub fn refused() -> Self {
        Self { status: 401, upstream: String::new(), consumer: String::new() }
    }

    pub fn missing() -> Self {
        Self { status: 404, ..Self::refused() }
    }

    pub fn passed(upstream: &str, consumer: &str) -> Self {
        Self { status: 200, upstream: upstream.to_owned(), consumer: consumer.to_owned() }
    }
}

pub struct Caller {
    address: SocketAddr,
    stream: TcpStream,
}

impl Caller {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { address, stream: TcpStream::connect(address).await.unwrap() }
    }

    pub async fn get(&mut self, path: &str, token: &str) -> Seen {
        let request = format!("GET {path} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {token}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(&mut self.stream).await.expect("the gateway answers what it was asked");
        let field = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            line.map(|line| line[name.len() + 1..].trim().to_owned()).unwrap_or_default()
        };
        let mut body = vec![0; field("content-length").parse().unwrap()];
        self.stream.read_exact(&mut body).await.unwrap();
        if field("connection") == "close" {
            self.stream = TcpStream::connect(self.address).await.unwrap();
        }
        let status = head[9..12].parse().unwrap();
        Seen { status, upstream: field("x-upstream"), consumer: field("x-consumer") }
    }
}

/// A head up to its empty line; `None` when the peer closed before it.
pub async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}
