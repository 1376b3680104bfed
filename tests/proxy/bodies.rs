use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::house::{House, configured, field, run, upstream};

#[test]
fn an_early_answer_ends_the_upload() {
    run(async {
        let address = upstream(|mut client, _| async move {
            client.head().await;
            client.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig").await;
            sleep(Duration::from_millis(500)).await;
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nstart").await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.text().as_str(), reply.field("connection")), (413, "big", Some("close")));
        assert!(client.is_closed().await);
    });
}

#[test]
fn answers_of_every_shape_keep_their_bounds() {
    run(async {
        let address = upstream(|mut client, _| async move {
            while let Some(request) = client.request().await {
                let path = request.head.split(' ').nth(1).unwrap().to_owned();
                let answer: &[u8] = match path.as_str() {
                    "/chunked" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nX: y\r\n\r\n",
                    "/empty" => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                    "/204" => b"HTTP/1.1 204 No Content\r\n\r\n",
                    "/304" => b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
                    "/interim" => b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                    "/head" => b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n",
                    _ => b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
                };
                client.send(answer).await;
                if path == "/close" {
                    return;
                }
            }
        })
        .await;
        let house = House::build(configured(address, json!({}), json!({})));
        let mut client = house.connect().await;
        for (path, status, body) in [
            ("/chunked", 200, "abcdef"),
            ("/empty", 200, ""),
            ("/204", 204, ""),
            ("/304", 304, ""),
            ("/interim", 200, "ok"),
            ("/close", 200, "until the end"),
            ("/chunked", 200, "abcdef"),
        ] {
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
            let reply = client.reply().await;
            assert_eq!((reply.status, reply.text().as_str()), (status, body), "{path}");
        }
        client.send(b"HEAD /head HTTP/1.1\r\nHost: a\r\n\r\nGET /empty HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(field(&client.head().await.unwrap(), "content-length"), Some("77"));
        assert_eq!(client.reply().await.status, 200);
        let reply = house.ask("GET /chunked HTTP/1.0\r\n\r\n").await;
        assert_eq!((reply.text().as_str(), reply.field("transfer-encoding")), ("abcdef", None));
    });
}

#[test]
fn uploads_go_in_the_form_they_came() {
    run(async {
        let house = House::build(configured(crate::house::echo().await, json!({}), json!({})));
        let mut client = house.connect().await;
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
        sleep(Duration::from_millis(50)).await;
        client.send(b"1\r\n!\r\n0\r\n\r\n").await;
        let seen = client.reply().await.text();
        assert_eq!((field(&seen, "transfer-encoding"), field(&seen, "content-length")), (Some("chunked"), None));
        assert!(seen.ends_with("hello!"));
        assert_eq!(house.told(1).await, [(200, 6, seen.len() as u64, None)]);
    });
}
