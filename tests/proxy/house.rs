//! A gateway to test, upstreams for it, and a client that says exactly what it is told.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate::domain::Clock;
use tollgate::message::Answer;
use tollgate::plugins::{Attachment, Call, Plugin, Verdict};
use tollgate::proxy::{Configuration, Gateway, Listener, Settings, Snapshot};

pub const SERVICE: &str = "00000000-0000-7000-8000-000000000001";
pub const ROUTE: &str = "00000000-0000-7000-8000-000000000002";

/// Runs a test on a runtime of its own, for at most a minute.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = tokio::task::LocalSet::new();
    let limited = async { tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test hangs") };
    tasks.block_on(&runtime, limited);
}

/// A plugin that does what its settings say.
pub struct Probe(Value);

impl Plugin for Probe {
    type Engine = ();

    fn compile(attachment: &Attachment) -> Result<Self, String> {
        match attachment.config.get("broken") {
            Some(_) => Err("told to be broken".to_owned()),
            None => Ok(Self(attachment.config.clone())),
        }
    }

    fn priority(_name: &str) -> i32 {
        1000
    }

    fn broken(_name: &str) -> Self {
        Self(json!({"refuse": 500}))
    }

    async fn access(&self, call: &mut Call<'_>, (): &()) -> Verdict {
        if let Some(limit) = self.0["read"].as_u64() {
            let read = call.body(limit as usize).await;
            let told = read.map_or_else(|error| error.to_string(), |body| body.len().to_string());
            call.set_header("X-Read", told.as_bytes());
        }
        for (name, value) in self.0["set"].as_object().into_iter().flatten() {
            call.set_header(name.clone(), value.as_str().unwrap().as_bytes());
        }
        if let Some(name) = self.0["remove"].as_str() {
            call.remove_header(name.to_owned());
        }
        if let Some(query) = self.0["query"].as_str() {
            call.replace_query(Some(query.to_owned().into()));
        }
        if let Some(body) = self.0["body"].as_str() {
            call.replace_body(body.to_owned());
        }
        call.add_response_header("X-Probe", "seen");
        match self.0["refuse"].as_u64() {
            Some(status) => Verdict::Answer(Answer::json(status as u16, &json!({"refused": true}))),
            None => Verdict::Continue,
        }
    }
}

/// What is kept of each record.
pub type Told = (u16, u64, u64, Option<String>);

pub struct House {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    pub gateway: Arc<Gateway<Probe>>,
    told: Arc<Mutex<Vec<Told>>>,
    _running: tokio::sync::mpsc::UnboundedSender<()>,
}

impl House {
    pub fn build(configuration: Configuration) -> Self {
        Self::with(Settings::default(), configuration)
    }

    pub fn with(settings: Settings, configuration: Configuration) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let records = Arc::clone(&told);
        let gateway = Gateway::<Probe>::new(
            settings,
            Clock::System,
            || (),
            move |record| {
                let failure = record.failure.map(|failure| failure.to_string());
                records.lock().unwrap().push((record.status, record.received, record.sent, failure));
            },
        );
        put_in_force(&gateway, configuration);
        let (send, receive) = mpsc::channel();
        let shared = Arc::clone(&gateway);
        std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let bound = |tls| Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), tls).unwrap();
                let listeners = vec![bound(false), bound(true)];
                let (plain, tls) = (listeners[0].address, listeners[1].address);
                let workers = shared.serve(1, listeners).unwrap();
                let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel::<()>();
                send.send((plain, tls, stop)).unwrap();
                stopped.recv().await;
                drop(workers);
            });
        });
        let (plain, tls, running) = receive.recv().unwrap();
        Self { plain, tls, gateway, told, _running: running }
    }

    /// The records so far, at least `count` of them: a record is told just after its answer was sent.
    pub async fn told(&self, count: usize) -> Vec<Told> {
        loop {
            let told = self.told.lock().unwrap().clone();
            if told.len() >= count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn connect(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.plain).await.unwrap())
    }

    /// Sends one request on a connection of its own and reads the answer.
    pub async fn ask(&self, request: &str) -> Reply {
        let mut client = self.connect().await;
        client.send(request.as_bytes()).await;
        client.reply().await
    }
}

pub fn put_in_force(gateway: &Gateway<Probe>, configuration: Configuration) {
    gateway.replace(Snapshot::compile(configuration).0);
}

/// A service at `address` with fields changed, and a route of every path to it, with fields changed.
pub fn configured(address: SocketAddr, service: Value, route: Value) -> Configuration {
    let mut configuration = Configuration::default();
    let base = json!({"id": SERVICE, "host": address.ip().to_string(), "port": address.port(), "retries": 0});
    configuration.add("services", merged(base, service).as_object().unwrap()).unwrap();
    let base = json!({"id": ROUTE, "service": {"id": SERVICE}, "paths": ["/"], "created_at": 1});
    configuration.add("routes", merged(base, route).as_object().unwrap()).unwrap();
    configuration
}

/// The same with a [`Probe`] on everything.
pub fn probed(address: SocketAddr, config: Value) -> Configuration {
    let mut configuration = configured(address, json!({}), json!({}));
    let plugin = json!({"id": ROUTE, "name": "probe", "config": config});
    configuration.add("plugins", plugin.as_object().unwrap()).unwrap();
    configuration
}

fn merged(mut base: Value, over: Value) -> Value {
    let fields = base.as_object_mut().unwrap();
    over.as_object().unwrap().iter().for_each(|(name, value)| drop(fields.insert(name.clone(), value.clone())));
    base
}

/// Serves each connection by `serve`, which gets it with its number.
pub async fn upstream<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(Client<TcpStream>, usize) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::task::spawn_local(serve(Client::new(stream), number));
        }
    });
    address
}

/// An upstream that answers every request with its head and body, as text.
pub async fn echo() -> SocketAddr {
    upstream(|mut client, _| async move {
        while let Some(request) = client.request().await {
            let text = format!("{}{}", request.head, String::from_utf8_lossy(&request.body));
            let answer = format!("HTTP/1.1 200 OK\r\nServer: echo\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            client.send(answer.as_bytes()).await;
        }
    })
    .await
}

/// A message as it came: its head as text, and its body.
#[derive(Debug)]
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The first value of a field in a head.
pub fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// One end of a connection, with what was read too far.
pub struct Client<T> {
    pub stream: T,
    pub ahead: Vec<u8>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    pub fn new(stream: T) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Reads more; false at the end.
    pub async fn more(&mut self) -> bool {
        self.stream.read_buf(&mut self.ahead).await.unwrap_or(0) > 0
    }

    /// A head through its empty line; `None` when the connection ended before it.
    pub async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.ahead.drain(..end + 4).collect();
                return Some(String::from_utf8(head).unwrap());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    pub async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.ahead.len() < length {
            assert!(self.more().await, "ended after {} of {length} bytes", self.ahead.len());
        }
        self.ahead.drain(..length).collect()
    }

    async fn body(&mut self, head: &str) -> Option<Vec<u8>> {
        if let Some(length) = field(head, "content-length") {
            return Some(self.exactly(length.parse().unwrap()).await);
        }
        field(head, "transfer-encoding")?;
        let mut body = Vec::new();
        loop {
            while !self.ahead.windows(2).any(|two| two == b"\r\n") {
                assert!(self.more().await);
            }
            let end = self.ahead.windows(2).position(|two| two == b"\r\n").unwrap();
            let line: Vec<u8> = self.ahead.drain(..end + 2).collect();
            let size = usize::from_str_radix(std::str::from_utf8(&line[..end]).unwrap(), 16).unwrap();
            let chunk = self.exactly(size + 2).await;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Some(body);
            }
        }
    }

    pub async fn request(&mut self) -> Option<Request> {
        let head = self.head().await?;
        let body = self.body(&head).await.unwrap_or_default();
        Some(Request { head, body })
    }

    /// An answer; one without declared length is read to the end of the connection.
    pub async fn reply(&mut self) -> Reply {
        let head = self.head().await.expect("an answer");
        let status: u16 = head[9..12].parse().unwrap();
        let bodiless = matches!(status, 100..200 | 204 | 304);
        let body = match bodiless {
            true => Vec::new(),
            false => match self.body(&head).await {
                Some(body) => body,
                None => {
                    while self.more().await {}
                    std::mem::take(&mut self.ahead)
                }
            },
        };
        Reply { status, head, body }
    }

    /// Whether the other end closes without another byte.
    pub async fn is_closed(&mut self) -> bool {
        self.ahead.is_empty() && !self.more().await
    }
}
