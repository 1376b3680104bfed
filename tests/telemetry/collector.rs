//! An OpenTelemetry collector: takes OTLP over HTTP as JSON, and keeps what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// What one request brought.
struct Taken {
    head: String,
    body: String,
}

#[derive(Clone)]
pub struct Collector {
    pub endpoint: String,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Collector {
    /// Answers each request with the next of these statuses, and with 200 behind the last.
    pub fn open(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::<Mutex<Vec<Taken>>>::default();
        let collector = Self { endpoint, taken: Arc::clone(&taken) };
        let statuses = Arc::new(Mutex::new(statuses.iter()));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (taken, statuses) = (Arc::clone(&taken), Arc::clone(&statuses));
                thread::spawn(move || serve(&stream.unwrap(), &taken, &statuses));
            }
        });
        collector
    }

    /// One of which the test knows only the address.
    pub fn at(endpoint: String) -> Self {
        Self { endpoint, taken: Arc::default() }
    }

    /// Every byte that came.
    pub fn text(&self) -> String {
        self.taken.lock().unwrap().iter().map(|taken| format!("{}{}", taken.head, taken.body)).collect()
    }

    pub fn spans(&self) -> Vec<Value> {
        let bodies: Vec<Value> = {
            let taken = self.taken.lock().unwrap();
            taken.iter().map(|taken| serde_json::from_str(&taken.body).unwrap()).collect()
        };
        let spans = bodies.iter().flat_map(|body| body["resourceSpans"].as_array().unwrap());
        let spans = spans.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
        spans.flat_map(|scope| scope["spans"].as_array().unwrap()).cloned().collect()
    }

    /// The attributes of the process that sent the first batch.
    pub fn resource(&self) -> Value {
        let taken = self.taken.lock().unwrap();
        serde_json::from_str::<Value>(&taken[0].body).unwrap()["resourceSpans"][0]["resource"].clone()
    }
}

fn serve(stream: &TcpStream, taken: &Mutex<Vec<Taken>>, statuses: &Mutex<std::slice::Iter<'_, u16>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let status = statuses.lock().unwrap().next().copied().unwrap_or(200);
        if status == 200 {
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            assert!(head.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{head}");
            taken.lock().unwrap().push(Taken { head, body: String::from_utf8(body).unwrap() });
        }
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}");
        if (&mut &*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The value of an attribute; null where it is not.
pub fn attribute<'s>(span: &'s Value, name: &str) -> &'s Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    found.map_or(&Value::Null, |attribute| attribute["value"].as_object().unwrap().values().next().unwrap())
}
