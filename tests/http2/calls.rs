//! Calls of clients that speak HTTP/2 to services that speak HTTP/1.1.

use bytes::Bytes;
use h2::Reason;
use http::HeaderValue;
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::client::{Client, give, read};
use crate::house::{House, configured, echo, field, probed, run, upstream};

#[test]
fn a_call_by_prior_knowledge_reaches_the_service_as_http_1() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let mut client = Client::to(house.plain).await;
        let mut request = client.request("POST", "/a%20b?c=d");
        request.headers_mut().append("cookie", HeaderValue::from_static("a=1"));
        request.headers_mut().append("cookie", HeaderValue::from_static("b=2"));
        request.headers_mut().append("te", HeaderValue::from_static("trailers"));
        let reply = client.ask(request, b"hello").await.unwrap();
        let text = reply.text();
        assert_eq!((reply.status, reply.field("server")), (200, Some("echo")));
        assert!(text.starts_with("POST /a%20b?c=d HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("cookie: a=1; b=2\r\n"), "crumbs become one field: {text}");
        assert!(!text.contains("te: "), "{text}");
        assert!(text.ends_with("hello\r\n0\r\n\r\n") || text.ends_with("hello"), "{text}");
        assert_eq!(reply.field("x-request-id"), field(&text, "x-request-id"));
    });
}

#[test]
fn many_calls_share_a_connection() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({})));
        let mut client = Client::to(house.plain).await;
        // It has learnt by then how many streams it may open.
        assert_eq!(client.get("/").await.status, 200);
        let calls: Vec<_> = (0..200)
            .map(|number| {
                let mut client = client.clone();
                tokio::task::spawn_local(async move {
                    let body = format!("body of {number}");
                    let request = client.request("POST", &format!("/{number}"));
                    let reply = client.ask(request, body.as_bytes()).await.unwrap();
                    assert!(reply.text().contains(&body) && reply.text().contains(&format!("/{number} HTTP")));
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(house.gateway.connections_accepted(), 1);
    });
}

#[test]
fn heads_without_a_body_have_none() {
    run(async {
        let address = upstream(|mut client, _| async move {
            while let Some(request) = client.request().await {
                let answer = match () {
                    () if request.head.starts_with("HEAD") => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                    () if request.head.starts_with("DELETE") => "HTTP/1.1 204 No Content\r\n\r\n",
                    () => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                };
                client.send(answer.as_bytes()).await;
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = Client::to(house.plain).await;
        for (method, status, length) in [("HEAD", 200, Some("5")), ("DELETE", 204, None), ("GET", 200, Some("0"))] {
            let request = client.request(method, "/");
            let reply = client.ask(request, b"").await.unwrap();
            assert_eq!((reply.status, reply.field("content-length")), (status, length), "{method}");
            assert!(reply.body.is_empty());
        }
    });
}

#[test]
fn chunked_answers_lose_their_chunks() {
    run(async {
        let address = upstream(|mut client, _| async move {
            client.request().await;
            client.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, X-Own\r\nX-Own: 1\r\n\r\n").await;
            client.send(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n").await;
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let reply = Client::to(house.plain).await.get("/").await;
        assert_eq!(reply.body, b"onetwo");
        assert!(["transfer-encoding", "connection", "x-own"].iter().all(|name| reply.field(name).is_none()));
    });
}

#[test]
fn an_answer_that_breaks_off_resets_its_stream_alone() {
    run(async {
        let address = upstream(|mut client, _| async move {
            let request = client.request().await.unwrap();
            let is_short = request.head.starts_with("GET /short");
            let length = if is_short { 10 } else { 5 };
            client.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nhello").as_bytes()).await;
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = Client::to(house.plain).await;
        let request = client.request("GET", "/short");
        let broken = client.ask(request, b"").await.unwrap_err();
        assert_eq!(broken.reason(), Some(Reason::INTERNAL_ERROR));
        assert_eq!(client.get("/whole").await.body, b"hello");
    });
}

#[test]
fn an_early_answer_ends_the_upload_without_an_error() {
    run(async {
        let house = House::build(probed(echo().await, json!({ "refuse": 401 })));
        let mut client = Client::to(house.plain).await;
        let request = client.request("POST", "/");
        let (response, mut send) = client.begin(request, false).await;
        give(&mut send, Bytes::from_static(b"the beginning"), false).await;
        let reply = read(response.await.unwrap()).await.unwrap();
        assert_eq!(reply.status, 401);
        assert_eq!(client.get("/").await.status, 401, "the connection goes on");
    });
}

#[test]
fn a_client_that_resets_ends_the_call_of_the_upstream() {
    run(async {
        let (seen, gone) = (std::rc::Rc::new(tokio::sync::Notify::new()), std::rc::Rc::new(tokio::sync::Notify::new()));
        let (told_seen, told_gone) = (seen.clone(), gone.clone());
        let address = upstream(move |mut client, _| {
            let (seen, gone) = (told_seen.clone(), told_gone.clone());
            async move {
                client.request().await;
                seen.notify_one();
                let mut rest = [0; 1];
                assert_eq!(client.stream.read(&mut rest).await.unwrap_or(0), 0);
                gone.notify_one();
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = Client::to(house.plain).await;
        let request = client.request("GET", "/");
        let (response, mut send) = client.begin(request, true).await;
        seen.notified().await;
        send.send_reset(Reason::CANCEL);
        drop(response);
        gone.notified().await;
        let (status, _, _, failure) = house.told(1).await.remove(0);
        assert_eq!((status, failure.as_deref()), (499, Some("client has gone")));
    });
}

#[test]
fn a_drain_lets_streams_end_and_takes_no_more() {
    run(async {
        let (seen, go) = (std::rc::Rc::new(tokio::sync::Notify::new()), std::rc::Rc::new(tokio::sync::Notify::new()));
        let (told_seen, told_go) = (seen.clone(), go.clone());
        let address = upstream(move |mut client, _| {
            let (seen, go) = (told_seen.clone(), told_go.clone());
            async move {
                client.request().await;
                seen.notify_one();
                go.notified().await;
                client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").await;
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = Client::to(house.plain).await;
        let request = client.request("GET", "/");
        let (response, _) = client.begin(request, true).await;
        seen.notified().await;
        house.gateway.drain();
        go.notify_one();
        assert_eq!(read(response.await.unwrap()).await.unwrap().body, b"late");
        while house.gateway.connections_active() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn what_a_client_gets_wrong_is_said_as_on_http_1() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({ "hosts": ["only.example"] })));
        let mut client = Client::to(house.plain).await;
        assert_eq!(client.get("/").await.status, 404);
        let mut request = client.request("GET", "/");
        request.headers_mut().append("host", HeaderValue::from_static("only.example"));
        let reply = client.ask(request, b"").await.unwrap();
        assert_eq!(reply.status, 400, "another host than the authority: {}", reply.text());
        let mut request = client.request("GET", "/");
        for number in 0..120 {
            let name = http::HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
            request.headers_mut().append(name, HeaderValue::from_static("1"));
        }
        assert_eq!(client.ask(request, b"").await.unwrap().status, 431);
        let mut request = client.request("GET", "/");
        request.headers_mut().append("x-long", HeaderValue::from_str(&"a".repeat(70_000)).unwrap());
        let refused = client.ask(request, b"").await;
        assert!(refused.is_err() || refused.unwrap().status == 431);
    });
}
