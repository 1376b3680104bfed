//! What a stop does to long streams of HTTP/2: a gRPC call that never ends, and a WebSocket (RFC 8441).

use bytes::Bytes;
use h2::RecvStream;
use h2::ext::Protocol;
use h2::server::SendResponse;
use http::{HeaderValue, Method, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::drains::{endless, streams};
use crate::ends::{ended, terminate};
use crate::support::{Folder, Gateway, Start, client};

/// A gRPC service at `/grpc.Clock/Tick` whose messages have no end.
async fn clock(gateway: &Gateway) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            tokio::spawn(async move {
                while let Some(Ok((_, respond))) = connection.accept().await {
                    tokio::spawn(tick(respond));
                }
            });
        }
    });
    for (path, body) in [
        ("/services", json!({ "name": "clock", "url": format!("grpc://{address}") })),
        ("/services/clock/routes", json!({ "paths": ["/grpc.Clock"], "protocols": ["grpc"] })),
    ] {
        let made = client().post(gateway.admin(path)).json(&body).send().await.unwrap();
        assert_eq!(made.status(), 201);
    }
}

async fn tick(mut respond: SendResponse<Bytes>) {
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut send = respond.send_response(head, false).unwrap();
    // One byte of message behind the five of its prefix.
    while send.send_data(Bytes::from_static(b"\0\0\0\0\x01x"), false).is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// What ends a stream that has no end of its own.
async fn broken(mut body: RecvStream) -> h2::Error {
    loop {
        match body.data().await.expect("it looks as if it were whole") {
            Ok(data) => body.flow_control().release_capacity(data.len()).unwrap(),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn grpc_calls_and_websockets_that_outlast_the_drain_are_ended() {
    let folder = Folder::new();
    let lines = folder.join("access");
    let start = Start::dev(folder.path()).env("TOLLGATE_PROXY_DRAIN_TIMEOUT", "300ms");
    let start = start.env("TOLLGATE_LOG_ACCESS", "json").env("TOLLGATE_LOG_ACCESS_FILE", lines.to_str().unwrap());
    let gateway = start.ready();
    clock(&gateway).await;
    endless(&gateway).await;
    let proxy = gateway.addresses["proxy"];
    let call = Request::post(format!("http://{proxy}/grpc.Clock/Tick"));
    let call = call.header("content-type", "application/grpc").header("te", "trailers").body(()).unwrap();
    let mut send = streams(proxy).await;
    let (answer, _open) = send.send_request(call, false).unwrap();
    let mut ticks = answer.await.unwrap().into_body();
    assert_eq!(ticks.data().await.unwrap().unwrap().slice(..6), Bytes::from_static(b"\0\0\0\0\x01x"));

    let mut send = streams(proxy).await;
    while !send.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }
    let mut socket = Request::builder().method(Method::CONNECT).uri(format!("http://{proxy}/endless/socket"));
    socket.extensions_mut().unwrap().insert(Protocol::from_static("websocket"));
    socket.headers_mut().unwrap().insert("sec-websocket-version", HeaderValue::from_static("13"));
    let (answer, _tunnel) = send.send_request(socket.body(()).unwrap(), false).unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);

    terminate(&gateway);
    let (call, socket) = tokio::join!(broken(ticks), broken(answer.into_body()));
    for error in [&call, &socket] {
        assert!(error.is_go_away() || error.is_reset() || error.is_io(), "{error}");
    }
    let log = gateway.log.clone();
    assert_eq!(ended(gateway).await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("calls are still under way") && !log.contains("did not stop in time"), "{log}");
    let lines = std::fs::read_to_string(lines).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let called: Vec<&Value> = lines.iter().filter(|line| line["path"] == "/grpc.Clock/Tick").collect();
    assert_eq!((called.len(), &called[0]["failure"]), (1, &json!("stopped")), "{lines:?}");
}
