//! Requests as bytes over one connection, many at a time.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), unread: Vec::new() }
    }

    pub async fn write(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// The status of the next answer, its body read.
    pub async fn status(&mut self) -> u16 {
        let ends = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(ends) => break ends + 4,
                None => self.read().await,
            }
        };
        let head = String::from_utf8(self.unread[..ends].to_vec()).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let whole = ends + length.parse::<usize>().unwrap();
        while self.unread.len() < whole {
            self.read().await;
        }
        self.unread.drain(..whole);
        head[9..12].parse().unwrap()
    }

    async fn read(&mut self) {
        let length = self.stream.read_buf(&mut self.unread).await.unwrap();
        assert_ne!(length, 0, "closed before the answer");
    }

    /// Sends them all at once; every answer must have `status`.
    pub async fn all(&mut self, requests: &[String], status: u16) {
        self.write(&requests.concat()).await;
        for request in requests {
            assert_eq!(self.status().await, status, "{request}");
        }
    }
}
