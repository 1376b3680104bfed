//! Services that speak gRPC: HTTP/2 to the upstream.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderValue, Response};
use serde_json::json;

use crate::client::{Client, give, upstream, whole};
use crate::house::{House, configured, run};

fn grpc() -> (serde_json::Value, serde_json::Value) {
    (json!({ "protocol": "grpc" }), json!({ "protocols": ["grpc"], "strip_path": false }))
}

fn house(address: std::net::SocketAddr, retries: u32) -> House {
    let (mut service, route) = grpc();
    service["retries"] = retries.into();
    House::build(configured(address, service, route))
}

fn call(client: &Client) -> http::Request<()> {
    let mut request = client.request("POST", "/pkg.Service/Method");
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    request
}

fn ok() -> Response<()> {
    Response::builder().header("content-type", "application/grpc").body(()).unwrap()
}

fn status(code: &'static str) -> HeaderMap {
    [(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static(code))].into_iter().collect()
}

#[test]
fn bodies_and_trailers_pass_both_ways() {
    run(async {
        let address = upstream(100, |mut request, mut respond, _| async move {
            assert_eq!(request.headers()["te"], "trailers");
            assert_eq!(request.uri().path(), "/pkg.Service/Method");
            assert!(request.headers().contains_key("x-forwarded-for"));
            let body = whole(request.body_mut()).await.unwrap();
            let asked = request.body_mut().trailers().await.unwrap().unwrap();
            let mut send = respond.send_response(ok(), false).unwrap();
            give(&mut send, body.into(), false).await;
            let mut trailers = status("0");
            trailers.insert("x-asked", asked["x-asked"].clone());
            send.send_trailers(trailers).unwrap();
        })
        .await;
        let house = house(address, 0);
        let mut client = Client::to(house.plain).await;
        let request = call(&client);
        let (response, mut send) = client.begin(request, false).await;
        let body: Bytes = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let sent = body.clone();
        tokio::task::spawn_local(async move {
            give(&mut send, sent, false).await;
            let trailers = [(http::HeaderName::from_static("x-asked"), HeaderValue::from_static("so"))];
            send.send_trailers(trailers.into_iter().collect()).unwrap();
        });
        let reply = crate::client::read(response.await.unwrap()).await.unwrap();
        assert_eq!((reply.status, reply.field("content-type")), (200, Some("application/grpc")));
        assert!(reply.body == body);
        let trailers = reply.trailers.unwrap();
        assert_eq!((&trailers["grpc-status"], &trailers["x-asked"]), (&"0".parse().unwrap(), &"so".parse().unwrap()));
    });
}

#[test]
fn calls_share_connections_as_far_as_the_upstream_takes_them() {
    run(async {
        let connections = Rc::new(RefCell::new(BTreeSet::new()));
        let barrier = Rc::new(tokio::sync::Barrier::new(25));
        let (seen, all) = (connections.clone(), barrier);
        let address = upstream(10, move |_, mut respond, number| {
            let (seen, all) = (seen.clone(), all.clone());
            async move {
                seen.borrow_mut().insert(number);
                all.wait().await;
                let mut send = respond.send_response(ok(), false).unwrap();
                send.send_trailers(status("0")).unwrap();
            }
        })
        .await;
        let house = house(address, 0);
        let client = Client::to(house.plain).await;
        // The first call tells the gateway how many the upstream takes; it waits for all the others.
        let calls: Vec<_> = (0..25)
            .map(|_| {
                let mut client = client.clone();
                tokio::task::spawn_local(async move {
                    let request = call(&client);
                    let reply = client.ask(request, b"").await.unwrap();
                    assert_eq!(reply.trailers.unwrap()["grpc-status"], "0");
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(connections.borrow().len(), 3, "ten streams each");
    });
}

#[test]
fn what_an_upstream_refuses_without_having_done_anything_is_tried_again() {
    run(async {
        let count = Rc::new(RefCell::new(0));
        let counted = count.clone();
        let address = upstream(100, move |_, mut respond, _| {
            let count = counted.clone();
            async move {
                *count.borrow_mut() += 1;
                if *count.borrow() < 3 {
                    return respond.send_reset(Reason::REFUSED_STREAM);
                }
                let mut send = respond.send_response(ok(), false).unwrap();
                send.send_trailers(status("0")).unwrap();
            }
        })
        .await;
        let house = house(address, 5);
        let mut client = Client::to(house.plain).await;
        let request = call(&client);
        assert_eq!(client.ask(request, b"").await.unwrap().trailers.unwrap()["grpc-status"], "0");
        assert_eq!(*count.borrow(), 3);
    });
}

#[test]
fn what_the_upstream_may_have_done_is_not_repeated() {
    run(async {
        let count = Rc::new(RefCell::new(0));
        let counted = count.clone();
        let address = upstream(100, move |_, mut respond, _| {
            *counted.borrow_mut() += 1;
            async move { respond.send_reset(Reason::INTERNAL_ERROR) }
        })
        .await;
        let house = house(address, 5);
        let mut client = Client::to(house.plain).await;
        let request = call(&client);
        let reply = client.ask(request, b"").await.unwrap();
        assert_eq!((reply.status, reply.field("grpc-status"), *count.borrow()), (200, Some("14"), 1));
    });
}

#[test]
fn an_upstream_that_is_away_is_unavailable() {
    run(async {
        let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let house = house(address, 1);
        let mut client = Client::to(house.plain).await;
        let request = call(&client);
        let reply = client.ask(request, b"").await.unwrap();
        assert_eq!((reply.status, reply.field("grpc-status")), (200, Some("14")), "{reply:?}");
        assert_eq!(reply.field("content-length"), None);
    });
}

#[test]
fn an_upstream_of_http_1_is_no_grpc_service() {
    run(async {
        let house = house(crate::house::echo().await, 0);
        let mut client = Client::to(house.plain).await;
        let request = call(&client);
        assert_eq!(client.ask(request, b"").await.unwrap().field("grpc-status"), Some("14"));
    });
}
