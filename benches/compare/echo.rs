//! An upstream of gRPC in a process of its own, and a look whether a proxy leads there.

use std::future::poll_fn;
use std::path::Path;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, client, server};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};

use super::peer::{Server, free_port};

pub const METHOD: &str = "/bench.Echo/Say";
/// A message of 32 bytes with what gRPC puts before it.
pub const MESSAGE: &[u8] = b"\0\0\0\0\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
/// What this program is called with to be the upstream.
pub const COMMAND: &str = "answer-grpc";
/// One of 100 bytes.
const ANSWER: [u8; 105] = {
    let mut answer = [b'x'; 105];
    let prefix = [0, 0, 0, 0, 100];
    let mut at = 0;
    while at < prefix.len() {
        answer[at] = prefix[at];
        at += 1;
    }
    answer
};

/// Starts it on `cores`.
pub fn start(cores: &str) -> (Server, u16) {
    let program = std::env::current_exe().expect("a program knows its path");
    let port = free_port();
    let program = program.to_str().expect("the path is text");
    (Server::start(cores, &[program, COMMAND], Path::new(&port.to_string()), port), port)
}

/// Is the upstream, until it is stopped.
pub async fn answer(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection comes");
        stream.set_nodelay(true).expect("a socket takes options");
        tokio::task::spawn_local(async move {
            let Ok(mut connection) = server::handshake(stream).await else { return };
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::task::spawn_local(async move {
                    // Whoever asked may have gone.
                    let _ = one(request, respond).await;
                });
            }
        });
    }
}

async fn one(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut body = request.into_body();
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data?.len())?;
    }
    let mut response = Response::new(());
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let mut send = respond.send_response(response, false)?;
    send.send_data(Bytes::from_static(&ANSWER), false)?;
    let status = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
    send.send_trailers(HeaderMap::from_iter([status]))
}

/// Calls through the proxy at `port` as the load does; panics unless the upstream's answer comes whole.
pub async fn look(port: u16, token: &str) {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the proxy listens");
    let (mut send, connection) = client::handshake(stream).await.expect("the proxy speaks HTTP/2");
    let connection = tokio::spawn(connection);
    poll_fn(|context| send.poll_ready(context)).await.expect("the proxy takes streams");
    let request = Request::post(format!("http://127.0.0.1:{port}{METHOD}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"));
    let (response, mut body) = send.send_request(request.body(()).expect("a request"), false).expect("it is taken");
    body.send_data(Bytes::from_static(MESSAGE), true).expect("it is taken");
    let response = response.await.expect("an answer comes");
    assert_eq!(response.status(), 200);
    let (head, mut answer) = response.into_parts();
    let mut read = Vec::new();
    while let Some(data) = answer.data().await {
        read.extend_from_slice(&data.expect("the answer is whole"));
    }
    assert_eq!(read, ANSWER, "{head:?}");
    let trailers = answer.trailers().await.expect("the answer is whole").expect("there are trailers");
    assert_eq!(trailers["grpc-status"], "0");
    connection.abort();
}
