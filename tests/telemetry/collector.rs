//! A collector of traces that takes OTLP over HTTP, in JSON.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// What a collector does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Takes,
    /// Answers with this status.
    Says(u16),
    /// Takes the request and never answers.
    Silent,
}

pub struct Collector {
    pub address: SocketAddr,
    bodies: Arc<Mutex<Vec<String>>>,
    heads: Arc<Mutex<Vec<String>>>,
    mood: Arc<Mutex<Mood>>,
}

/// One span, its attributes as a map of texts.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    /// Empty: it is the first of its trace.
    pub parent: String,
    pub name: String,
    /// 2: server, 3: client.
    pub kind: u64,
    pub from: u64,
    pub to: u64,
    pub is_error: bool,
    attributes: HashMap<String, String>,
}

impl Span {
    fn read(span: &Value) -> Self {
        let text = |field: &str| span[field].as_str().unwrap_or_default().to_owned();
        let attributes = span["attributes"].as_array().unwrap().iter().map(|attribute| {
            let value = attribute["value"].as_object().unwrap().values().next().unwrap();
            (attribute["key"].as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned())
        });
        Self {
            trace: text("traceId"),
            id: text("spanId"),
            parent: text("parentSpanId"),
            name: text("name"),
            kind: span["kind"].as_u64().unwrap(),
            from: text("startTimeUnixNano").parse().unwrap(),
            to: text("endTimeUnixNano").parse().unwrap(),
            is_error: span["status"]["code"] == 2,
            attributes: attributes.collect(),
        }
    }

    /// Empty where there is none.
    pub fn get(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }
}

impl Collector {
    pub fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, bodies, mood) = (listener.local_addr().unwrap(), Arc::default(), Arc::new(Mutex::new(mood)));
        let heads = Arc::default();
        let collector =
            Self { address, bodies: Arc::clone(&bodies), heads: Arc::clone(&heads), mood: Arc::clone(&mood) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (bodies, heads, mood) = (Arc::clone(&bodies), Arc::clone(&heads), Arc::clone(&mood));
                thread::spawn(move || serve(stream.unwrap(), &bodies, &heads, &mood));
            }
        });
        collector
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn change(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How many requests came, taken or not.
    pub fn requests(&self) -> usize {
        self.bodies.lock().unwrap().len()
    }

    /// The heads of requests, in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Everything that was sent.
    pub fn text(&self) -> String {
        self.bodies.lock().unwrap().join("\n")
    }

    pub fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        let read = bodies.iter().flat_map(|body| {
            let body: Value = serde_json::from_str(body).unwrap_or_else(|why| panic!("{why}: {body}"));
            let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
            spans.iter().map(Span::read).collect::<Vec<_>>()
        });
        read.collect()
    }

    /// The spans of the call with this request id: the server's first, then the tries at the upstream.
    pub async fn call(&self, request_id: &str) -> (Span, Vec<Span>) {
        loop {
            let spans = self.spans();
            if let Some(server) = spans.iter().find(|span| span.get("tollgate.request_id") == request_id) {
                let tries = spans.iter().filter(|span| span.parent == server.id).cloned().collect();
                return (server.clone(), tries);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn serve(mut stream: TcpStream, bodies: &Mutex<Vec<String>>, heads: &Mutex<Vec<String>>, mood: &Mutex<Mood>) {
    let (mut input, mut bytes) = (Vec::new(), [0; 65536]);
    let (head, length) = loop {
        match stream.read(&mut bytes) {
            Ok(length) if length > 0 => input.extend_from_slice(&bytes[..length]),
            _ => return,
        }
        let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(input[..end].to_vec()).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse::<usize>().unwrap();
        break (head, end + 4 + length);
    };
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    while input.len() < length {
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "the body ended early");
        input.extend_from_slice(&bytes[..read]);
    }
    let body = input.split_off(head.len() + 4);
    heads.lock().unwrap().push(head);
    bodies.lock().unwrap().push(String::from_utf8(body).unwrap());
    let mood = *mood.lock().unwrap();
    let status = match mood {
        Mood::Takes => 200,
        Mood::Says(status) => status,
        // Until the other side gives up.
        Mood::Silent => return drop(stream.read(&mut bytes)),
    };
    let _ = write!(stream, "HTTP/1.1 {status} Told\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
}
