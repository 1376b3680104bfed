//! A wire between the store and a server, that a test can cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub struct Wire {
    pub port: u16,
    cut: Arc<AtomicBool>,
    /// Connections that were made through it.
    count: Arc<AtomicUsize>,
}

impl Wire {
    /// Leads to this port of 127.0.0.1.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), cut: Arc::default(), count: Arc::default() };
        let (cut, count) = (Arc::clone(&wire.cut), Arc::clone(&wire.count));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(carry(near, far, Arc::clone(&cut)));
            }
        });
        wire
    }

    /// Takes connections and says nothing on them.
    pub async fn to_nobody() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), cut: Arc::default(), count: Arc::default() };
        let count = Arc::clone(&wire.count);
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((near, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                kept.push(near);
            }
        });
        wire
    }

    /// What the server says next is lost, and the connection with it.
    pub fn lose_next_answer(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    pub fn connections(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

async fn carry(near: TcpStream, far: TcpStream, cut: Arc<AtomicBool>) {
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let asking = tokio::io::copy(&mut from_near, &mut to_far);
    let answering = async {
        let mut bytes = [0; 16 * 1024];
        loop {
            let length = from_far.read(&mut bytes).await?;
            if length == 0 || cut.swap(false, Ordering::SeqCst) {
                return Ok(0);
            }
            to_near.write_all(&bytes[..length]).await?;
        }
    };
    let _: Result<u64, std::io::Error> = tokio::select! { end = asking => end, end = answering => end };
}
