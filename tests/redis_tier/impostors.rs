//! What may stand where Redis should: servers that are none, and wires that are cut without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Takes every connection and does with it as it is told; ends when dropped.
pub struct Impostor {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Impostor {
    /// Answers whatever it is sent with these bytes, again and again.
    pub async fn who_says(port: u16, bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut sent = [0; 4096];
                    while matches!(stream.read(&mut sent).await, Ok(1..)) {
                        if stream.write_all(bytes).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, task }
    }
}

impl Impostor {
    /// Leaves the port to others.
    pub async fn leave(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A wire to a server, which can be cut without either side being told.
pub struct Wire {
    pub port: u16,
    /// Connections with a lower number than this carry nothing any more.
    cut: Arc<AtomicU64>,
    made: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Wire {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, made) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (cuts, makes) = (Arc::clone(&cut), Arc::clone(&made));
        let task = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let number = makes.fetch_add(1, Ordering::SeqCst);
                let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near_in, far_out, number, Arc::clone(&cuts)));
                tokio::spawn(carry(far_in, near_out, number, Arc::clone(&cuts)));
            }
        });
        Self { port, cut, made, task }
    }

    /// What is connected now hears nothing any more, and is not told; new connections work.
    pub fn cut(&self) {
        self.cut.store(self.made.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// New connections do not work either.
    pub fn cut_for_good(&self) {
        self.cut.store(u64::MAX, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.cut();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    number: u64,
    cut: Arc<AtomicU64>,
) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if number < cut.load(Ordering::SeqCst) {
            // Silence, for longer than any test lasts.
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
