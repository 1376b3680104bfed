//! A client on one kept connection, which tells what has certainly not happened from what may have.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// No connection: nothing was sent.
    Unsent,
    /// Sent, and no whole answer came.
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header of the answer; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

pub struct Client {
    address: SocketAddr,
    patience: Duration,
    stream: Option<TcpStream>,
}

impl Client {
    pub fn of(address: SocketAddr, patience: Duration) -> Self {
        Self { address, patience, stream: None }
    }

    /// Sends a request; `headers` and `body` as they stand.
    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer, Silence> {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n{body}");
        // Taken out meanwhile: a connection whose request was given up is never used again.
        let mut stream = match self.stream.take() {
            Some(stream) if is_idle(&stream) => stream,
            _ => {
                let connected = timeout(self.patience, TcpStream::connect(self.address)).await;
                let stream = connected.ok().and_then(Result::ok).ok_or(Silence::Unsent)?;
                let _ = stream.set_nodelay(true);
                stream
            }
        };
        let exchange = async {
            stream.write_all(request.as_bytes()).await.ok()?;
            read_answer(&mut stream).await
        };
        let answer = timeout(self.patience, exchange).await.ok().flatten().ok_or(Silence::Unknown)?;
        if answer.header("connection").is_none_or(|word| !word.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    pub async fn get(&mut self, path: &str, headers: &str) -> Result<Answer, Silence> {
        self.send("GET", path, headers, "").await
    }

    pub async fn send_json(&mut self, method: &str, path: &str, body: &Value) -> Result<Answer, Silence> {
        self.send(method, path, "Content-Type: application/json\r\n", &body.to_string()).await
    }
}

/// Open, with nothing to read: neither its end nor half an answer.
fn is_idle(stream: &TcpStream) -> bool {
    let error = stream.try_read(&mut [0]).err();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

async fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    let head_length = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    };
    let body = bytes.split_off(head_length);
    let head = String::from_utf8(bytes).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let mut answer = Answer { status, head, body };
    let length: usize = match answer.header("content-length") {
        Some(length) => length.parse().ok()?,
        None if status == 204 => 0,
        None => panic!("an answer without a length: {}", answer.head),
    };
    while answer.body.len() < length {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        answer.body.extend_from_slice(&chunk[..count]);
    }
    Some(answer)
}
