//! One direction of one connection of a link.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::link::{Fault, Shared, Toward, Weather};

/// The connection cannot go on and is to be reset at both ends.
#[derive(Debug)]
pub struct Torn;

/// Most bytes that one direction of one connection holds back; the sender's own buffers hold the rest.
pub const MOST_HELD: usize = 64 << 10;
const CHUNK: usize = 16 << 10;

/// Bytes and the instant they are due.
struct Parcel {
    due: Instant,
    bytes: Vec<u8>,
}

pub struct Pump {
    toward: Toward,
    weather: watch::Receiver<Weather>,
    shared: Arc<Shared>,
    queue: VecDeque<Parcel>,
    held: usize,
    /// When the link is free again for this direction, under a fault that makes it narrow.
    free_at: Instant,
    lost: bool,
}

impl Pump {
    pub(crate) fn new(toward: Toward, weather: watch::Receiver<Weather>, shared: Arc<Shared>) -> Self {
        Self { toward, weather, shared, queue: VecDeque::new(), held: 0, free_at: Instant::now(), lost: false }
    }

    /// Carries bytes until the sender has ended and everything is delivered.
    pub(crate) async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Torn> {
        let mut chunk = vec![0; CHUNK];
        let mut has_ended = false;
        loop {
            let fault = self.weather.borrow_and_update().fault;
            let (loses, holds) = (fault.loses(self.toward), fault.holds(self.toward));
            if self.lost && !loses {
                return Err(Torn);
            }
            if has_ended && self.queue.is_empty() && !loses && !holds {
                return to.shutdown().await.map_err(|_| Torn);
            }
            // Timers are as coarse as a millisecond: what is due already does not wait for one.
            let now = Instant::now();
            if !holds && self.queue.front().is_some_and(|parcel| parcel.due <= now) {
                self.deliver(loses, &mut to).await?;
                continue;
            }
            let due = self.queue.front().map_or(now, |parcel| parcel.due);
            tokio::select! {
                changed = self.weather.changed() => {
                    changed.map_err(|_| Torn)?;
                    self.hurry();
                }
                read = from.read(&mut chunk[..bite(fault)]), if !has_ended && !holds && self.held < MOST_HELD => {
                    let count = read.map_err(|_| Torn)?;
                    has_ended = count == 0;
                    if loses {
                        self.lost = true;
                    } else if count > 0 {
                        self.take(fault, &chunk[..count]);
                    }
                }
                () = sleep_until(due), if !self.queue.is_empty() && !holds => self.deliver(loses, &mut to).await?,
            }
        }
    }

    /// What is due first, to the receiver or to nobody.
    async fn deliver(&mut self, loses: bool, to: &mut WriteHalf<'_>) -> Result<(), Torn> {
        let Some(parcel) = self.queue.pop_front() else { return Ok(()) };
        self.let_go(parcel.bytes.len());
        if loses {
            self.lost = true;
            return Ok(());
        }
        to.write_all(&parcel.bytes).await.map_err(|_| Torn)
    }

    fn take(&mut self, fault: Fault, bytes: &[u8]) {
        let now = Instant::now();
        let due = match fault {
            Fault::Delay { base, jitter } => now + base + jitter.mul_f64(rand::random::<f64>()),
            Fault::Narrow { bytes_per_second } => {
                let takes = Duration::from_secs_f64(bytes.len() as f64 / f64::from(bytes_per_second.max(1)));
                self.free_at = self.free_at.max(now) + takes;
                self.free_at
            }
            _ => now,
        };
        // Never before what was sent earlier.
        let due = self.queue.back().map_or(due, |last| due.max(last.due));
        self.queue.push_back(Parcel { due, bytes: bytes.to_vec() });
        self.held += bytes.len();
        self.shared.held.fetch_add(bytes.len(), Ordering::SeqCst);
    }

    fn let_go(&mut self, bytes: usize) {
        self.held -= bytes;
        self.shared.held.fetch_sub(bytes, Ordering::SeqCst);
    }

    /// The fault has changed: what waits for its time because of the old one comes now.
    fn hurry(&mut self) {
        let now = Instant::now();
        self.free_at = now;
        for parcel in &mut self.queue {
            parcel.due = parcel.due.min(now);
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.let_go(self.held);
    }
}

/// How much to read at once: little from a narrow link, so that it trickles instead of coming in lumps.
fn bite(fault: Fault) -> usize {
    match fault {
        Fault::Narrow { bytes_per_second } => (bytes_per_second as usize / 50).clamp(1, CHUNK),
        _ => CHUNK,
    }
}

/// For as long as the link is cut, takes what the client of a new connection says and forgets it.
pub(crate) async fn swallow(client: &mut TcpStream, mut weather: watch::Receiver<Weather>) -> Result<(), Torn> {
    let mut chunk = vec![0; CHUNK];
    let mut lost = false;
    while weather.borrow_and_update().fault == Fault::Cut {
        tokio::select! {
            changed = weather.changed() => changed.map_err(|_| Torn)?,
            read = client.read(&mut chunk) => match read {
                Ok(count) if count > 0 => lost = true,
                _ => return Err(Torn),
            },
        }
    }
    if lost { Err(Torn) } else { Ok(()) }
}
