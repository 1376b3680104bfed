//! A link: the way between two parties, as a TCP proxy of our own that can be made to fail while it runs.
//!
//! Bytes lost to a fault are never skipped over: a connection that lost some is torn when the fault ends, as its ends
//! could not understand each other any more. What a link holds back is bounded, and so are its connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::pump::{self, Pump};

/// Which way bytes go: the server is the side that accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Toward {
    Server,
    Client,
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Everything comes later, in order: by `base` and up to `jitter` more.
    Delay {
        base: Duration,
        jitter: Duration,
    },
    /// Each connection carries this much in each direction, and no more.
    Narrow {
        bytes_per_second: u32,
    },
    /// Nothing gets through and nobody is told: connections stay, new ones are accepted, what is sent is lost.
    Cut,
    /// The same in one direction only.
    Deaf(Toward),
    /// What goes this way waits, and comes when the fault is over.
    Hold(Toward),
    /// Every connection is reset, and every new one.
    Reset,
    /// Every connection is reset, and nobody listens any more.
    Refuse,
}

impl Fault {
    pub(crate) fn loses(self, toward: Toward) -> bool {
        self == Self::Cut || self == Self::Deaf(toward)
    }

    pub(crate) fn holds(self, toward: Toward) -> bool {
        self == Self::Hold(toward)
    }
}

/// The state of a link, as its connections watch it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub fault: Fault,
    /// Counts the times that every connection was torn: a fault that came and went between two looks is still seen.
    torn: u64,
}

#[derive(Debug)]
pub(crate) struct Shared {
    weather: watch::Sender<Weather>,
    target: Mutex<SocketAddr>,
    connections: AtomicUsize,
    pub held: AtomicUsize,
}

pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// Connections of one link at once; more are reset.
const MOST_CONNECTIONS: usize = 1024;

impl Link {
    /// A link on a free port that leads to `target`.
    pub async fn to(target: SocketAddr) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], crate::process::free_port()));
        let listener = listen(address).await;
        let (weather, _) = watch::channel(Weather { fault: Fault::None, torn: 0 });
        let (connections, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let shared = Arc::new(Shared { weather, target: Mutex::new(target), connections, held });
        let task = tokio::spawn(accept(listener, address, Arc::clone(&shared)));
        Self { address, shared, task }
    }

    /// Where it listens; stays the same whatever happens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections lead there from now on.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap() = target;
    }

    pub fn set(&self, fault: Fault) {
        self.shared.weather.send_modify(|weather| {
            weather.fault = fault;
            weather.torn += u64::from(matches!(fault, Fault::Reset | Fault::Refuse));
        });
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Bytes held back now.
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(address: SocketAddr) -> TcpListener {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(address).await {
            return listener;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("cannot listen on {address}");
}

/// Takes the port without listening on it: who connects is refused, and nobody else gets it.
async fn occupy(address: SocketAddr) -> TcpSocket {
    for _ in 0..100 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        if socket.bind(address).is_ok() {
            return socket;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("cannot occupy {address}");
}

async fn accept(mut listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let mut weather = shared.weather.subscribe();
    // Ends with this task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        if weather.borrow_and_update().fault == Fault::Refuse {
            drop(listener);
            let occupied = occupy(address).await;
            let _ = weather.wait_for(|weather| weather.fault != Fault::Refuse).await;
            listener = occupied.listen(1024).unwrap();
        }
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                while connections.try_join_next().is_some() {}
                if connections.len() < MOST_CONNECTIONS {
                    connections.spawn(connection(client, Arc::clone(&shared)));
                } else {
                    reset(client);
                }
            }
            changed = weather.changed() => if changed.is_err() { return },
        }
    }
}

fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

/// Counts a connection for as long as it lives, however it ends.
struct Counted(Arc<Shared>);

impl Counted {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn connection(mut client: TcpStream, shared: Arc<Shared>) {
    let _counted = Counted::new(&shared);
    let mut weather = shared.weather.subscribe();
    let first = *weather.borrow_and_update();
    if first.fault == Fault::Reset {
        return reset(client);
    }
    let torn = async {
        let _ = weather.wait_for(|weather| weather.torn != first.torn).await;
    };
    let mut server = None;
    let is_torn = tokio::select! {
        () = torn => true,
        carried = carry(&mut client, &mut server, &shared) => carried.is_err(),
    };
    if is_torn {
        reset(client);
        server.into_iter().for_each(reset);
    }
}

/// Carries bytes both ways until both have ended.
async fn carry(client: &mut TcpStream, server: &mut Option<TcpStream>, shared: &Arc<Shared>) -> Result<(), pump::Torn> {
    // Who is cut off gets no connection to the other side either.
    pump::swallow(client, shared.weather.subscribe()).await?;
    let target = *shared.target.lock().unwrap();
    let server = server.insert(TcpStream::connect(target).await.map_err(|_| pump::Torn)?);
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    let pump = |toward| Pump::new(toward, shared.weather.subscribe(), Arc::clone(shared));
    let up = pump(Toward::Server).run(from_client, to_server);
    let down = pump(Toward::Client).run(from_server, to_client);
    tokio::try_join!(up, down).map(|_| ())
}
