//! What a stop does to calls that take long, and to clients that do not go.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::ends::{Slow, ended, terminate};
use crate::support::{Folder, Gateway, Start, client};

/// An upstream whose answers have no end: `/download` gives bytes for ever, `/wait` nothing, and whoever asks for a
/// WebSocket gets one that is silent.
pub async fn endless(gateway: &Gateway) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    for (path, body) in [
        ("/services", json!({ "name": "endless", "url": format!("http://{address}") })),
        ("/services/endless/routes", json!({ "paths": ["/endless"] })),
    ] {
        let made = client().post(gateway.admin(path)).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201);
    }
}

async fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    if head.contains("upgrade: websocket") {
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    } else if head.starts_with("get /download") {
        let mut part = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_owned();
        while stream.write_all(part.as_bytes()).await.is_ok() {
            part = "5\r\nhello\r\n".to_owned();
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    let _ = stream.read_u8().await;
}

/// Sends a request and waits for what the answer begins with.
async fn begun(address: SocketAddr, request: &str, begin: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = vec![0; begin.len()];
    stream.read_exact(&mut seen).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), begin);
    stream
}

/// All that comes until the other end closes, which it must do in good order.
async fn rest(mut stream: TcpStream) -> String {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("closed, not reset");
    String::from_utf8(rest).unwrap()
}

pub async fn streams(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (send, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    send
}

fn get(address: SocketAddr, path: &str) -> Request<()> {
    Request::get(format!("http://{address}{path}")).body(()).unwrap()
}

#[tokio::test]
async fn calls_that_take_longer_than_the_drain_are_ended_in_good_order() {
    let folder = Folder::new();
    let lines = folder.join("access");
    let start = Start::dev(folder.path()).env("TOLLGATE_PROXY_DRAIN_TIMEOUT", "300ms");
    let start = start.env("TOLLGATE_LOG_ACCESS", "json").env("TOLLGATE_LOG_ACCESS_FILE", lines.to_str().unwrap());
    let gateway = start.ready();
    endless(&gateway).await;
    let proxy = gateway.addresses["proxy"];
    let ask = |path: &str, fields: &str| format!("GET /endless/{path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let download = begun(proxy, &ask("download", ""), "HTTP/1.1 200 OK").await;
    let upgrade = ask("socket", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    let socket = begun(proxy, &upgrade, "HTTP/1.1 101").await;
    let waiting = begun(proxy, &ask("wait", ""), "").await;
    let mut send = streams(proxy).await;
    let (stream, _) = send.send_request(get(proxy, "/endless/download"), true).unwrap();
    let mut stream = stream.await.unwrap().into_body();
    terminate(&gateway);
    let stream = async {
        loop {
            match stream.data().await.expect("not the end of the body") {
                Ok(data) => stream.flow_control().release_capacity(data.len()).unwrap(),
                Err(error) => return error,
            }
        }
    };
    let (download, socket, waiting, error) = tokio::join!(rest(download), rest(socket), rest(waiting), stream);
    assert!(!download.ends_with("0\r\n\r\n"), "a download that was broken off looks whole");
    assert!(socket.ends_with("\r\n\r\n"), "{socket}");
    assert!(waiting.starts_with("HTTP/1.1 503 ") && waiting.contains("\r\nConnection: close\r\n"), "{waiting}");
    assert!(error.is_go_away() || error.is_io(), "{error}");
    let log = gateway.log.clone();
    assert_eq!(ended(gateway).await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("calls are still under way") && !log.contains("did not stop in time"), "{log}");
    let lines = std::fs::read_to_string(lines).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stopped = lines.iter().filter(|line| line["failure"] == "stopped").count();
    assert_eq!((lines.len(), stopped), (4, 3), "{lines:?}");
}

#[tokio::test]
pub async fn streams_finish_after_the_goodbye_and_their_connection_ends_with_them() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let slow = Slow::behind(&gateway).await;
    let proxy = gateway.addresses["proxy"];
    let mut send = streams(proxy).await;
    let (stream, _) = send.send_request(get(proxy, "/slow"), true).unwrap();
    slow.has(1).await;
    terminate(&gateway);
    // No further stream is taken once the goodbye is there.
    while std::future::poll_fn(|context| send.poll_ready(context)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    slow.answer(1);
    let mut body = stream.await.unwrap().into_body();
    let mut length = 0;
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        length += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    assert_eq!(length, 100_000);
    let log = gateway.log.clone();
    // The client keeps its side open meanwhile.
    assert_eq!(ended(gateway).await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("calls are still under way"), "{log}");
    drop(send);
}

#[tokio::test]
async fn a_client_of_http2_that_hears_no_goodbye_holds_up_no_stop() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let proxy = gateway.addresses["proxy"];
    let mut deaf = TcpStream::connect(proxy).await.unwrap();
    deaf.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    // `GET /` of `a`, by the static table of HPACK, as stream 1.
    deaf.write_all(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x01\x01a").await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("no Route matched") {
        assert_ne!(deaf.read_buf(&mut seen).await.unwrap(), 0);
    }
    terminate(&gateway);
    let log = gateway.log.clone();
    assert_eq!(ended(gateway).await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("calls are still under way"), "{log}");
}
