//! A client of HTTP/2 over the crate `h2`, and an upstream that speaks it.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use tokio::net::{TcpListener, TcpStream};

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub fields: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[derive(Clone)]
pub struct Client {
    pub send: SendRequest<Bytes>,
    address: SocketAddr,
}

impl Client {
    pub async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        // A frame must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true).unwrap();
        let mut builder = h2::client::Builder::new();
        // Streams that nobody reads leave room for the others.
        builder.initial_window_size(64 * 1024).initial_connection_window_size(64 << 20);
        let (send, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
        tokio::task::spawn_local(connection);
        Self { send, address }
    }

    pub fn request(&self, method: &str, path: &str) -> Request<()> {
        let uri = format!("http://{}{path}", self.address);
        Request::builder().method(method).uri(uri).body(()).unwrap()
    }

    /// Sends a head; the body is the caller's.
    pub async fn begin(&mut self, request: Request<()>, ended: bool) -> (ResponseFuture, SendStream<Bytes>) {
        poll_fn(|context| self.send.poll_ready(context)).await.unwrap();
        self.send.send_request(request, ended).unwrap()
    }

    pub async fn ask(&mut self, request: Request<()>, body: &[u8]) -> Result<Reply, h2::Error> {
        let (response, mut send) = self.begin(request, body.is_empty()).await;
        if !body.is_empty() {
            give(&mut send, Bytes::copy_from_slice(body), true).await;
        }
        read(response.await?).await
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        let request = self.request("GET", path);
        self.ask(request, b"").await.unwrap()
    }
}

/// Sends data as far and as fast as the other end takes it.
pub async fn give(send: &mut SendStream<Bytes>, mut data: Bytes, ended: bool) {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        let room = match send.capacity() {
            0 => poll_fn(|context| send.poll_capacity(context)).await.unwrap().unwrap(),
            room => room,
        };
        let part = data.split_to(room.min(data.len()));
        send.send_data(part, ended && data.is_empty()).unwrap();
    }
}

pub async fn read(response: http::Response<RecvStream>) -> Result<Reply, h2::Error> {
    let (parts, mut stream) = response.into_parts();
    let body = whole(&mut stream).await?;
    let trailers = stream.trailers().await?;
    Ok(Reply { status: parts.status.as_u16(), fields: parts.headers, body, trailers })
}

/// What is left of a body.
pub async fn whole(stream: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        let _ = stream.flow_control().release_capacity(data.len());
        body.extend_from_slice(&data);
    }
    Ok(body)
}

/// Serves each stream by `serve`, which gets it with the number of its connection.
pub async fn upstream<F, Fut>(streams: u32, serve: F) -> SocketAddr
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>, usize) -> Fut + Clone + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let serve = serve.clone();
            tokio::task::spawn_local(async move {
                let mut builder = h2::server::Builder::new();
                let Ok(mut connection) = builder.max_concurrent_streams(streams).handshake(stream).await else {
                    return;
                };
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::task::spawn_local(serve(request, respond, number));
                }
            });
        }
    });
    address
}
