//! The API behind the gateways: answers with the head of the request it got.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Echo {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Echo {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
        Self { address, task }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers requests without bodies until the connection ends.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut head, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        head.extend_from_slice(&chunk[..read]);
        while let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = head.split_off(at + 4);
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", head.len());
            stream.write_all(answer.as_bytes()).await?;
            stream.write_all(&head).await?;
            head = rest;
        }
    }
}

/// A field of a head, as the service saw it.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
}
