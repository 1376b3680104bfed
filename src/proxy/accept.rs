//! Accept loops: one in each worker, each on a socket of its own at the same address, among which the kernel divides
//! clients.
//!
//! The kernel divides by a hash, which for few connections can be far from even: a worker that holds many more than
//! another gives the next one over to it.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as Socket, TcpStream as Handed};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use actix_rt::Arbiter;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tracing::{error, warn};

use super::connection::{self, Accepted};
use super::gateway::{Connections, Gateway};
use super::queue::Queue;
use super::worker::Worker;
use crate::plugins::Plugin;

/// Connections that may wait to be accepted, of each worker.
const BACKLOG: u32 = 4096;
/// How long a worker that cannot accept (there are as many connections as there may be, or no file descriptors are left)
/// leaves it.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound address of the proxy.
#[derive(Debug)]
pub struct Listener {
    pub address: SocketAddr,
    pub tls: bool,
    socket: Socket,
}

impl Listener {
    /// Binds an address, of which port 0 becomes a free one.
    ///
    /// # Errors
    /// Another program, or another gateway, listens there; or as `bind(2)` and `listen(2)`.
    pub fn bind(address: SocketAddr, tls: bool) -> io::Result<Self> {
        // Sockets that share an address do not notice another gateway's: one that does not share has to find it free.
        let free = open(address, false)?;
        let address = free.local_addr()?;
        drop(free);
        let socket = open(address, true)?.listen(BACKLOG)?.into_std()?;
        Ok(Self { address, tls, socket })
    }

    /// One more socket at the same address.
    fn another(&self) -> io::Result<Socket> {
        open(self.address, true)?.listen(BACKLOG)?.into_std()
    }
}

fn open(address: SocketAddr, shared: bool) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(shared)?;
    // Accepted connections have what their listener has, at no cost for each.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Threads that serve connections.
pub struct Workers {
    arbiters: Vec<Arbiter>,
    closing: watch::Sender<bool>,
    /// Closed when every accept loop has ended.
    accepting: mpsc::Receiver<()>,
    connections: Arc<Connections>,
}

impl Workers {
    /// Closes the listeners. Who waited to be accepted is served.
    pub async fn close(&mut self) {
        self.closing.send_replace(true);
        while self.accepting.recv().await.is_some() {}
    }

    /// Waits until the last connection has ended.
    pub async fn ended(&self) {
        while self.connections.active() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
    }
}

/// One worker as the others see it.
struct Desk {
    /// Connections it holds.
    held: AtomicUsize,
    mailbox: mpsc::UnboundedSender<Note>,
}

/// What one worker tells another.
enum Note {
    Guest(Guest),
    /// There are as many connections as there may be: idle ones make room.
    Full,
    /// No file descriptors are left: some idle ones make room.
    Starved,
}

/// A connection that was accepted at one worker and is served at another.
struct Guest {
    stream: Handed,
    peer: SocketAddr,
    listener: usize,
    held: Held,
}

/// Counts a connection, everywhere and at its worker's desk, for as long as it is held.
struct Held {
    connections: Arc<Connections>,
    desks: Arc<[Desk]>,
    at: usize,
}

impl Held {
    fn new(connections: &Arc<Connections>, desks: &Arc<[Desk]>, at: usize) -> Self {
        connections.came.fetch_add(1, Ordering::Relaxed);
        desks[at].held.fetch_add(1, Ordering::Relaxed);
        Self { connections: Arc::clone(connections), desks: Arc::clone(desks), at }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.desks[self.at].held.fetch_sub(1, Ordering::Relaxed);
        self.connections.went.fetch_add(1, Ordering::Relaxed);
    }
}

/// What every worker accepts for and serves with.
struct Floor<P: Plugin> {
    gateway: Arc<Gateway<P>>,
    desks: Arc<[Desk]>,
    /// Port of each listener, and TLS.
    listeners: Vec<(u16, Option<TlsAcceptor>)>,
}

/// One worker's part of it.
struct Post<P: Plugin> {
    floor: Arc<Floor<P>>,
    worker: Rc<Worker<P>>,
    at: usize,
}

/// Starts so many workers on every listener. Needs a running actix System.
///
/// # Errors
/// A socket cannot be opened, or TLS cannot be set up.
pub(super) fn start<P: Plugin>(
    gateway: &Arc<Gateway<P>>,
    workers: usize,
    listeners: Vec<Listener>,
) -> io::Result<Workers> {
    let acceptor = gateway.acceptor()?;
    let kinds = listeners.iter().map(|of| (of.address.port(), of.tls.then(|| acceptor.clone()))).collect();
    let mut sockets = Vec::new();
    for _ in 1..workers {
        sockets.push(listeners.iter().map(Listener::another).collect::<io::Result<Vec<_>>>()?);
    }
    sockets.push(listeners.into_iter().map(|listener| listener.socket).collect());
    let (mailboxes, notes): (Vec<_>, Vec<_>) = sockets.iter().map(|_| mpsc::unbounded_channel()).unzip();
    let desks = mailboxes.into_iter().map(|mailbox| Desk { held: AtomicUsize::new(0), mailbox }).collect();
    let floor = Arc::new(Floor { gateway: Arc::clone(gateway), desks, listeners: kinds });
    let (closing, _) = watch::channel(false);
    let (alive, accepting) = mpsc::channel(1);
    let open = |(at, (sockets, notes))| {
        let arbiter = Arbiter::new();
        let (floor, closing, alive) = (Arc::clone(&floor), closing.subscribe(), alive.clone());
        arbiter.spawn_fn(move || Post::open(floor, at, sockets, notes, &closing, &alive));
        arbiter
    };
    let arbiters = sockets.into_iter().zip(notes).enumerate().map(open).collect();
    Ok(Workers { arbiters, closing, accepting, connections: Arc::clone(&gateway.connections) })
}

impl<P: Plugin> Post<P> {
    /// Begins to accept, in the worker's thread.
    fn open(
        floor: Arc<Floor<P>>,
        at: usize,
        sockets: Vec<Socket>,
        notes: mpsc::UnboundedReceiver<Note>,
        closing: &watch::Receiver<bool>,
        alive: &mpsc::Sender<()>,
    ) {
        let worker = Worker::of_thread(&floor.gateway);
        let post = Rc::new(Self { floor, worker, at });
        for (listener, socket) in sockets.into_iter().enumerate() {
            match Queue::new(socket) {
                Ok(queue) => {
                    let (post, closing, alive) = (Rc::clone(&post), closing.clone(), alive.clone());
                    actix_rt::spawn(async move { post.accept(listener, queue, closing, alive).await });
                }
                Err(error) => error!(%error, "a worker cannot listen"),
            }
        }
        actix_rt::spawn(async move { post.hear(notes).await });
    }

    /// Accepts until the listeners close, and what waits then, if there is room.
    async fn accept(
        &self,
        listener: usize,
        queue: Queue,
        mut closing: watch::Receiver<bool>,
        _alive: mpsc::Sender<()>,
    ) {
        let is_closing = closing.clone();
        let mut closed = pin!(closing.wait_for(|closing| *closing));
        loop {
            if self.floor.gateway.is_full() {
                if *is_closing.borrow() {
                    return;
                }
                self.tell_all(|| Note::Full);
                sleep(PAUSE).await;
                continue;
            }
            let accepted = poll_fn(|context| match queue.poll_accept(context) {
                Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
                Poll::Pending => closed.as_mut().poll(context).map(|_| None),
            });
            match accepted.await {
                Some(Ok((stream, peer))) => {
                    self.worker.spare_no_more();
                    self.place(stream, peer, listener);
                }
                Some(Err(error)) if is_of_one(&error) => {}
                Some(Err(error)) => {
                    warn!(%error, "cannot accept connections");
                    if *is_closing.borrow() {
                        return;
                    }
                    self.tell_all(|| Note::Starved);
                    sleep(PAUSE).await;
                }
                None => return self.accept_rest(listener, &queue.into_inner()),
            }
        }
    }

    /// Accepts what waits at a listener that closes, also what the runtime has not been told of yet.
    fn accept_rest(&self, listener: usize, socket: &Socket) {
        while !self.floor.gateway.is_full() {
            let Ok((stream, peer)) = socket.accept() else { return };
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                self.place(stream, peer, listener);
            }
        }
    }

    /// Serves a connection just accepted, or gives it over.
    fn place(&self, stream: TcpStream, peer: SocketAddr, listener: usize) {
        let Floor { gateway, desks, .. } = &*self.floor;
        let at = self.choose();
        let held = Held::new(&gateway.connections, desks, at);
        if at == self.at {
            return self.serve(stream, peer, listener, held);
        }
        if let Ok(stream) = stream.into_std() {
            let _ = desks[at].mailbox.send(Note::Guest(Guest { stream, peer, listener, held }));
        }
    }

    /// The worker that should have the next connection: this one, unless another has clearly fewer.
    fn choose(&self) -> usize {
        let held = |desk: &Desk| desk.held.load(Ordering::Relaxed);
        let desks = &self.floor.desks;
        let least = desks.iter().enumerate().map(|(nth, desk)| (held(desk), nth)).min();
        match least {
            Some((least, nth)) if held(&desks[self.at]) > least + least / 4 => nth,
            _ => self.at,
        }
    }

    /// Has every worker close connections that are idle, for others wait.
    fn tell_all(&self, note: impl Fn() -> Note) {
        for desk in self.floor.desks.iter() {
            let _ = desk.mailbox.send(note());
        }
    }

    /// Serves what other workers give over, and makes room.
    async fn hear(&self, mut notes: mpsc::UnboundedReceiver<Note>) {
        while let Some(note) = notes.recv().await {
            match note {
                Note::Full => self.worker.make_room(),
                Note::Starved => self.worker.spare_descriptors(),
                Note::Guest(Guest { stream, peer, listener, held }) => {
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        self.serve(stream, peer, listener, held);
                    }
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, listener: usize, held: Held) {
        let (local_port, acceptor) = &self.floor.listeners[listener];
        let accepted = Accepted { stream, peer, local_port: *local_port, acceptor: acceptor.clone() };
        let worker = Rc::clone(&self.worker);
        // Boxed, for the runtime moves a task some times before and after it runs.
        actix_rt::spawn(Box::pin(async move {
            connection::serve(worker, accepted).await;
            drop(held);
        }));
    }
}

/// Errors of the connection that would have been accepted, not of accepting.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
