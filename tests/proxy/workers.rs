//! Several workers: who accepts, who serves, and what happens when the listeners close.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::ThreadId;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tollgate::domain::Clock;
use tollgate::proxy::{Gateway, Listener, Record, Settings};

use crate::house::{Client, Probe, configured, echo, put_in_force, run};

const WORKERS: usize = 3;
const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

type Served = Arc<Mutex<Vec<ThreadId>>>;

/// A gateway of three workers, and which threads served its requests. Ends when the sender is dropped; what it is sent
/// closes the listeners.
struct Building {
    address: SocketAddr,
    served: Served,
    close: tokio::sync::mpsc::UnboundedSender<mpsc::Sender<()>>,
}

fn build(upstream: SocketAddr) -> Building {
    let served = Served::default();
    let noted = Arc::clone(&served);
    let note = move |_: &Record<'_>| noted.lock().unwrap().push(std::thread::current().id());
    let gateway = Gateway::<Probe>::new(Settings::default(), Clock::System, || (), note);
    put_in_force(&gateway, configured(upstream, json!({}), json!({})));
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
            let address = listener.address;
            let mut workers = gateway.serve(WORKERS, vec![listener]).unwrap();
            let (close, mut closes) = tokio::sync::mpsc::unbounded_channel::<mpsc::Sender<()>>();
            send.send((address, close)).unwrap();
            while let Some(done) = closes.recv().await {
                workers.close().await;
                done.send(()).unwrap();
            }
        });
    });
    let (address, close) = receive.recv().unwrap();
    Building { address, served, close }
}

async fn client(address: SocketAddr) -> Client<TcpStream> {
    Client::new(TcpStream::connect(address).await.unwrap())
}

#[test]
fn kept_connections_are_divided_evenly() {
    run(async {
        let building = build(echo().await);
        let mut clients = Vec::new();
        for _ in 0..4 * WORKERS {
            let mut client = client(building.address).await;
            client.send(ASK).await;
            assert_eq!(client.reply().await.status, 200);
            clients.push(client);
        }
        // A request is noted just after its answer was sent.
        while building.served.lock().unwrap().len() < 4 * WORKERS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut by_thread: HashMap<ThreadId, usize> = HashMap::new();
        building.served.lock().unwrap().iter().for_each(|thread| *by_thread.entry(*thread).or_default() += 1);
        let mut shares: Vec<_> = by_thread.into_values().collect();
        shares.sort_unstable();
        // One more than the least is as far as it may go for so few.
        assert_eq!((shares.len(), shares.iter().sum::<usize>()), (WORKERS, 4 * WORKERS), "{shares:?}");
        assert!(shares[WORKERS - 1] - shares[0] <= 2, "{shares:?}");
    });
}

#[test]
fn whoever_was_let_in_before_the_listeners_closed_is_served() {
    run(async {
        let building = build(echo().await);
        let mut early = Vec::new();
        for _ in 0..8 {
            early.push(client(building.address).await);
        }
        let (done, closed) = mpsc::channel();
        building.close.send(done).unwrap();
        tokio::task::spawn_blocking(move || closed.recv().unwrap()).await.unwrap();
        assert!(TcpStream::connect(building.address).await.is_err(), "nobody listens any more");
        for client in &mut early {
            client.send(ASK).await;
            assert_eq!(client.reply().await.status, 200);
        }
    });
}

#[test]
fn an_address_in_use_is_told_even_by_another_gateway() {
    run(async {
        let building = build(SocketAddr::from(([127, 0, 0, 1], 1)));
        let error = Listener::bind(building.address, false).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    });
}
