//! What stands in a line, and that there is one for every request.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn a_line_tells_who_called_what_and_how_it_went() {
    let mut house = House::open_with(&[("LOG_ACCESS", "json"), ("PROXY_TRUSTED_IPS", "127.0.0.1")]).await;
    let token = house.access_token().await;
    let request = house.http.post(house.gateway.url("proxy_tls", "/open/x?access_token=in-a-query"));
    let request = request.header("user-agent", "test \"agent\"").header("x-forwarded-for", "203.0.113.7").body("12345");
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let (status, sent) = (answer.status().as_u16(), answer.bytes().await.unwrap().len());
    assert_eq!(house.call("/api", Some(&token)).await, 200);
    assert_eq!(house.call("/nothing", None).await, 404);
    assert_eq!(house.gateway.stop(), Some(0));

    let lines = house.lines();
    let line = lines.iter().find(|line| line["request_id"] == id.as_str()).unwrap();
    let address = house.gateway.addresses["proxy_tls"].to_string();
    for (field, value) in [
        ("client_ip", json!("203.0.113.7")),
        ("protocol", json!("HTTP/1.1")),
        ("tls", json!(true)),
        ("method", json!("POST")),
        ("host", json!(address)),
        ("path", json!("/open/x")),
        ("user_agent", json!("test \"agent\"")),
        ("status", json!(status)),
        ("bytes_received", json!(5)),
        ("bytes_sent", json!(sent)),
        ("route", json!("open")),
        ("service", json!("api")),
        ("consumer_id", Value::Null),
        ("failure", Value::Null),
    ] {
        assert_eq!(line[field], value, "{field}: {line}");
    }
    let time = |name: &str| line[name].as_f64().unwrap_or_else(|| panic!("{name}: {line}"));
    assert!(time("duration_ms") >= time("upstream_ms") + time("proxy_ms"), "{line}");
    let called = lines.iter().find(|line| line["path"] == "/api").unwrap();
    assert_eq!((&called["consumer"], &called["tls"]), (&json!("shop"), &json!(false)));
    assert!(called["credential_id"].is_string() && called["consumer_id"].is_string(), "{called}");
    let lost = lines.iter().find(|line| line["path"] == "/nothing").unwrap();
    assert_eq!((&lost["status"], &lost["route"], &lost["upstream_ms"]), (&json!(404), &Value::Null, &Value::Null));
}

#[tokio::test]
async fn nothing_is_lost_when_it_stops() {
    let mut house = House::open().await;
    let calls = (0..40).map(|_| async {
        for _ in 0..50 {
            assert_eq!(house.call("/nothing", None).await, 404);
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(house.gateway.stop(), Some(0));
    let lines = house.lines();
    assert_eq!(lines.len(), 2000);
    let ids: std::collections::HashSet<_> = lines.iter().map(|line| line["request_id"].to_string()).collect();
    assert_eq!(ids.len(), 2000);
}

#[tokio::test]
async fn lines_come_while_it_runs() {
    let house = House::open().await;
    assert_eq!(house.call("/nothing", None).await, 404);
    while house.lines().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_a_client_sends_ends_no_line_and_no_field() {
    let mut house = House::open().await;
    for head in [
        &b"GET /open/\"},{\"status\":200 HTTP/1.1\r\nHost: a\r\n"[..],
        b"GET /open HTTP/1.1\r\nHost: a\r\nUser-Agent: x\",\"status\":1,\"y\":\"\xff\x1b[2J\r\n",
        b"GET /open/%0a%22 HTTP/1.1\r\nHost: a\r\nUser-Agent: \xe2\x80\xa8\xc2\x85\r\n",
        b"NONSENSE\r\n",
    ] {
        let mut stream = TcpStream::connect(house.gateway.addresses["proxy"]).unwrap();
        stream.write_all(&[head, b"Connection: close\r\n\r\n"].concat()).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    assert_eq!(house.gateway.stop(), Some(0));
    let text = fs::read_to_string(house.access_file()).unwrap();
    assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text:?}");
    let lines = house.lines();
    assert_eq!(lines.len(), 4, "{text}");
    let fields = lines[0].as_object().unwrap().len();
    for line in &lines {
        assert_eq!(line.as_object().unwrap().len(), fields, "{line}");
        assert_ne!(line["status"], 1);
    }
    assert!(lines.iter().any(|line| line["status"] == 400 && line["path"].is_null()), "{text}");
}

#[tokio::test]
async fn a_combined_line_is_as_nginx_writes_it() {
    let mut house = House::open_with(&[("LOG_ACCESS", "combined")]).await;
    let token = house.access_token().await;
    let request = house.http.get(house.gateway.url("proxy", "/api?access_token=x")).bearer_auth(&token);
    let request = request.header("user-agent", "curl/8").header("referer", "https://app.example/back?code=C0DE");
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let sent = answer.bytes().await.unwrap().len();
    assert_eq!(house.gateway.stop(), Some(0));
    let text = fs::read_to_string(house.access_file()).unwrap();
    // Workers hand over their lines each in its own time: the call's need not be the last one.
    let line = text.lines().find(|line| line.ends_with(&id)).unwrap();
    let (before, rest) = line.split_once('[').unwrap();
    let (time, after) = rest.split_once("] ").unwrap();
    assert_eq!(before, "127.0.0.1 - shop ");
    assert_eq!(time.len(), "22/Nov/2026:22:24:35 +0000".len(), "{time}");
    let expected = format!("\"GET /api HTTP/1.1\" 200 {sent} \"https://app.example/back\" \"curl/8\" {id}");
    assert_eq!(after, expected);
}

#[tokio::test]
async fn an_upstream_that_fails_is_named_as_what_failed() {
    let mut house = House::open().await;
    house.made("/services", json!({ "name": "gone", "url": "http://127.0.0.1:9", "retries": 0 })).await;
    house.made("/services/gone/routes", json!({ "name": "gone", "paths": ["/gone"] })).await;
    assert_eq!(house.call("/gone", None).await, 502);
    assert_eq!(house.gateway.stop(), Some(0));
    let line = house.lines().pop().unwrap();
    assert_eq!((&line["failure"], &line["service"]), (&json!("upstream_refused"), &json!("gone")), "{line}");
}
