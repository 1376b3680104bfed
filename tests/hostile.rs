//! Bad input gets a clear error and changes nothing.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Folder, Gateway, Start, client};

/// Sends bytes as they stand; gives everything that comes back until the peer closes or is silent.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    // A peer that has seen enough may close while we still write.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

async fn post(gateway: &Gateway, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let request = client().post(gateway.admin(path)).header("content-type", kind).body(body);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

#[tokio::test]
async fn bodies_of_the_admin_api() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    const JSON: &str = "application/json";
    let (status, body) = post(&gateway, "/services", JSON, "{\"host\":").await;
    assert_eq!((status, &body["message"]), (400, &json!("Cannot parse JSON body")));
    let (status, body) = post(&gateway, "/services", JSON, "{\"host\":7,\"port\":\"x\",\"color\":\"red\"}").await;
    assert_eq!((status, &body["code"], &body["name"]), (400, &json!(2), &json!("schema violation")));
    assert_eq!(
        body["fields"],
        json!({ "color": "unknown field", "host": "expected a string", "port": "expected an integer" })
    );
    assert_eq!(
        body["message"],
        "3 schema violations (color: unknown field; host: expected a string; port: expected an integer)"
    );
    assert_eq!(post(&gateway, "/services", JSON, b"{\"host\":\"\xff\xfe\"}".to_vec()).await.0, 400);
    assert_eq!(post(&gateway, "/services", "application/x-www-form-urlencoded", b"host=%ff%fe".to_vec()).await.0, 400);
    assert_eq!(post(&gateway, "/services", "text/plain", "host=x").await.0, 415);
    assert_eq!(post(&gateway, "/services", JSON, format!("{{\"host\":\"{}\"}}", "x".repeat(10_000_000))).await.0, 413);
    let deep = format!("{{\"tags\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(post(&gateway, "/services", JSON, deep).await.0, 400);
    let many: Vec<String> = (0..100_000).map(|number| format!("tags[{number}000000000]=a")).collect();
    assert_eq!(post(&gateway, "/services", "application/x-www-form-urlencoded", many.join("&")).await.0, 400);
    assert_eq!(post(&gateway, "/services", "multipart/form-data; boundary=x", "--x\r\nnonsense").await.0, 400);
    let page: Value = client().get(gateway.admin("/services")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&page["data"], &page["total"]), (&json!([]), &json!(0)), "nothing was changed");
}

#[tokio::test]
async fn other_bad_requests_of_the_admin_api() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    let get = async |path: &str| {
        let answer = client().get(gateway.admin(path)).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or(Value::Null))
    };
    assert_eq!(get("/nothing").await.0, 404);
    assert_eq!(get("/services/none").await, (404, json!({ "message": "Not found" })));
    assert_eq!(get("/services?size=0").await.0, 400);
    assert_eq!(get("/services?size=1001").await.0, 400);
    assert_eq!(get("/services?offset=nonsense").await.0, 400);
    assert_eq!(get("/services/%ff").await.0 / 100, 4);
    let other = client().request(reqwest::Method::TRACE, gateway.admin("/services")).send().await.unwrap();
    assert_eq!(other.status(), 405);
    let foreign = client().post(gateway.admin("/services")).header("Origin", "https://evil.example");
    let foreign = foreign.json(&json!({ "host": "example.com" })).send().await.unwrap();
    assert_eq!(foreign.status(), 403, "a page of another origin must not write");
}

#[tokio::test]
async fn heads_that_two_parsers_could_read_differently() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let address = gateway.addresses["proxy"];
    let shapes: &[(&str, &[u8])] = &[
        (
            "both lengths",
            b"POST /demo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("two lengths", b"POST /demo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        ("repeated length", b"POST /demo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        ("signed length", b"POST /demo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"),
        ("listed length", b"POST /demo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"),
        ("odd encoding", b"POST /demo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("encoding list", b"POST /demo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("folded field", b"GET /demo HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
        ("space before colon", b"GET /demo HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("no host", b"GET /demo HTTP/1.1\r\n\r\n"),
        ("two hosts", b"GET /demo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("bare line feed", b"GET /demo HTTP/1.1\nHost: a\n\n"),
        ("bare line feed in a field", b"GET /demo HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n"),
        ("bare carriage return", b"GET /demo HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n"),
        ("zero byte", b"GET /demo HTTP/1.1\r\nHost: a\r\nX: 1\0\r\n\r\n"),
        ("no version", b"GET /demo\r\n\r\n"),
    ];
    for (name, bytes) in shapes {
        let answer = raw(address, bytes);
        assert_eq!(status(&answer), 400, "{name}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{name}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{name}: more than one answer: {answer}");
    }
    let absolute = raw(address, b"GET http://a/demo HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&absolute), 401, "absolute form is fine: {absolute}");
}

#[tokio::test]
async fn floods_are_cut_off_and_others_are_served() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let address = gateway.addresses["proxy"];
    let many: String = (0..10_000).map(|number| format!("X-{number}: y\r\n")).collect();
    assert_eq!(status(&raw(address, format!("GET /demo HTTP/1.1\r\nHost: a\r\n{many}\r\n").as_bytes())), 431);
    let long = format!("GET /demo HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(1_000_000));
    assert_eq!(status(&raw(address, long.as_bytes())), 431);
    let path = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "y".repeat(1_000_000));
    assert!(matches!(status(&raw(address, path.as_bytes())), 414 | 431));
    let answer = client().get(gateway.url("proxy", "/demo")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let unknown = client().get(gateway.url("proxy", "/nowhere")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let body: Value = unknown.json().await.unwrap();
    assert_eq!(body["message"], "no Route matched with those values");
    assert!(body["request_id"].as_str().is_some_and(|id| !id.is_empty()));
}

#[tokio::test]
async fn odd_token_requests() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let url = gateway.url("proxy_tls", "/demo/oauth2/token");
    let ask = async |kind: &str, body: Vec<u8>| {
        let answer = client().post(&url).header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(ask("application/json", b"{".to_vec()).await.0, 400);
    assert_eq!(ask("application/json", b"\"text\"".to_vec()).await.0, 400);
    assert_eq!(ask("application/x-www-form-urlencoded", vec![0xff; 1000]).await.0, 400);
    assert_eq!(ask("multipart/form-data; boundary=b", b"--b\r\n".to_vec()).await.0, 400);
    assert_eq!(ask("application/x-www-form-urlencoded", vec![b'a'; 10_000_000]).await.0, 413);
    let (status, body) =
        ask("application/json", b"{\"grant_type\":\"client_credentials\",\"client_id\":{}}".to_vec()).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_client")));
}

#[tokio::test]
async fn clients_cannot_say_who_they_are() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let http = client();
    let echo: Value = http.get(gateway.admin("/services/demo")).send().await.unwrap().json().await.unwrap();
    let open = json!({ "name": "open", "paths": ["/open"], "service": { "id": echo["id"] } });
    // A plugin on the service covers the route, so a service of its own is needed.
    let url = format!("http://{}:{}/", echo["host"].as_str().unwrap(), echo["port"]);
    assert_eq!(
        http.post(gateway.admin("/services"))
            .json(&json!({ "name": "open", "url": url }))
            .send()
            .await
            .unwrap()
            .status(),
        201
    );
    let mut route = open;
    route["service"] = json!({ "name": "open" });
    let made = http.post(gateway.admin("/routes")).json(&route).send().await.unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    let forged = [
        "X-Consumer-Id",
        "x-consumer-username",
        "X_Consumer_Custom_Id",
        "X-Authenticated-Userid",
        "X-Authenticated-Scope",
        "X-Credential-Identifier",
        "X-Anonymous-Consumer",
    ];
    let mut request = http.get(gateway.url("proxy", "/open"));
    for name in forged {
        request = request.header(name, "forged");
    }
    let seen = request.send().await.unwrap().text().await.unwrap();
    assert!(!seen.contains("forged"), "{seen}");
}
