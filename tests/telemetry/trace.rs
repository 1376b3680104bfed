//! How a call is followed through the gateway: W3C Trace Context, request ids, protocols.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::house::House;

pub const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub const STATE: &str = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7";

/// An upstream that answers with the head it was sent.
pub fn mirror() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), Vec::new());
            let mut bytes = [0; 4096];
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read(&mut bytes) {
                    Ok(length) if length > 0 => head.extend_from_slice(&bytes[..length]),
                    _ => break,
                }
            }
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", head.len());
            let _ = stream.write_all(&head);
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn trace_context_passes_untouched_and_the_request_id_is_told_everywhere() {
    let mut house = House::open().await;
    house.made("/services", json!({ "name": "mirror", "url": mirror() })).await;
    house.made("/services/mirror/routes", json!({ "name": "mirror", "paths": ["/mirror"] })).await;
    let request = house.http.get(house.gateway.url("proxy", "/mirror"));
    let answer = request.header("traceparent", PARENT).header("tracestate", STATE).send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let head = answer.text().await.unwrap();
    let field = |name: &str| {
        let mut values =
            head.lines().filter_map(|line| line.split_once(": ")).filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = values.next().unwrap_or_else(|| panic!("no {name} in {head}")).1;
        assert!(values.next().is_none(), "{name} comes twice: {head}");
        value.to_owned()
    };
    assert_eq!((field("traceparent").as_str(), field("tracestate").as_str()), (PARENT, STATE));
    assert_eq!(field("x-request-id"), id);
    assert_eq!(house.gateway.stop(), Some(0));
    assert!(house.lines().iter().any(|line| line["request_id"] == id.as_str() && line["route"] == "mirror"));
}

#[tokio::test]
async fn the_programs_log_names_the_request_it_speaks_of() {
    let house = House::open().await;
    let request = house.http.post(house.gateway.url("proxy", "/api/oauth2/token"));
    let answer = request.header("x-forwarded-proto", "https").send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap();
    let log = house.gateway.log_text();
    let mut events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told = events.any(|event| event["request_id"] == id && event["setting"] == "accept_http_if_already_terminated");
    assert!(told, "{id}: {log}");
}

async fn over_http2(address: SocketAddr, path: &str) -> u16 {
    let (mut send, connection) = h2::client::handshake(TcpStream::connect(address).await.unwrap()).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::builder().uri(format!("http://{address}{path}")).body(()).unwrap();
    let (response, _) = send.send_request(request, true).unwrap();
    let status = response.await.unwrap().status().as_u16();
    // The connection ends with the last who holds it.
    drop(send);
    connection.await.unwrap().unwrap();
    status
}

#[tokio::test]
async fn streams_of_http2_have_lines_of_their_own() {
    let mut house = House::open().await;
    let proxy = house.gateway.addresses["proxy"];
    assert_eq!((over_http2(proxy, "/open").await, over_http2(proxy, "/nothing").await), (200, 404));
    assert_eq!(house.gateway.stop(), Some(0));
    let lines = house.lines();
    let told: Vec<_> = lines.iter().map(|line| (&line["protocol"], &line["path"], &line["status"])).collect();
    let protocol = json!("HTTP/2.0");
    for wanted in [(&protocol, &json!("/open"), &json!(200)), (&protocol, &json!("/nothing"), &json!(404))] {
        assert!(told.contains(&wanted), "{wanted:?}: {told:?}");
    }
}
