//! A client's HTTP/2 connection: takes streams, gives each to a task of its own, and ends when all is quiet.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use tokio::time::{Instant, timeout};

use super::begun::Begun;
use super::stream::Work;
use crate::plugins::{Peer, Plugin};
use crate::proxy::exchange::FAREWELL;
use crate::proxy::io::Io;
use crate::proxy::timer::Timer;
use crate::proxy::worker::{Seat, Worker};

/// What a client sends first (RFC 9113 §3.4).
pub(in crate::proxy) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Streams of one connection at once.
const MOST_STREAMS: u32 = 128;
/// What a client may send of one stream, and of all, before it is taken.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What `h2` holds of one stream's answer.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that a client has reset before we took them (rapid reset), and that we have reset ourselves.
const MOST_RESET: usize = 32;
const MOST_ERRORS: usize = 256;

/// How long a client may take, once nothing is under way any more, to hear that the connection ends and to read what
/// is left of it.
const LINGER: Duration = Duration::from_secs(5);

/// Streams that are being served, and who waits for their end.
#[derive(Clone, Default)]
struct Busy(Rc<(Cell<usize>, Seat)>);

impl Busy {
    fn one(&self) -> Served {
        let (count, _) = &*self.0;
        count.set(count.get() + 1);
        Served(self.clone())
    }

    fn is_idle(&self) -> bool {
        self.0.0.get() == 0
    }

    async fn ended(&self) {
        poll_fn(|context| {
            self.0.1.note(context.waker());
            if self.is_idle() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// One served stream, for as long as it is held.
pub(super) struct Served(Busy);

impl Drop for Served {
    fn drop(&mut self) {
        let (count, waiting) = &*self.0.0;
        count.set(count.get() - 1);
        if count.get() == 0 {
            waiting.wake();
        }
    }
}

/// How a connection comes to its end.
struct Life {
    timer: Timer,
    quiet_since: Option<Instant>,
    /// Bytes written to the client, and how many they were when it was looked last.
    written: Rc<Cell<u64>>,
    seen: u64,
    /// The client was told that it takes no more streams.
    is_leaving: bool,
    /// And that those it has are broken off.
    is_cut: bool,
}

impl Life {
    fn new(deadline: Instant) -> Self {
        let timer = Timer::new(deadline);
        Self { timer, quiet_since: None, written: Rc::default(), seen: 0, is_leaving: false, is_cut: false }
    }

    /// Ready when nothing was under way for `patience`; of a client that is told to go, when it has read nothing either.
    fn poll_quiet(&mut self, context: &mut Context<'_>, is_idle: bool, patience: Duration) -> Poll<()> {
        let written = self.written.get();
        let is_read = std::mem::replace(&mut self.seen, written) != written;
        if !is_idle || (self.is_leaving && !self.is_cut && is_read) {
            self.quiet_since = None;
        }
        if !is_idle {
            return Poll::Pending;
        }
        let since = *self.quiet_since.get_or_insert_with(Instant::now);
        self.timer.poll_until(context, since + patience)
    }
}

/// Serves a connection, of which `read` was read already, to its end, and to that of its streams.
pub(in crate::proxy) async fn serve<P: Plugin>(worker: Rc<Worker<P>>, seat: &Seat, peer: Peer, io: Io, read: BytesMut) {
    let settings = &worker.gateway.settings;
    let mut life = Life::new(Instant::now() + settings.idle_timeout);
    let begun = Begun::new(read, io, Rc::clone(&life.written));
    let handshake = builder(settings.head.head).handshake::<_, Bytes>(begun);
    let Ok(Ok(mut connection)) = timeout(settings.head_timeout, handshake).await else { return };
    let (peer, busy) = (Rc::new(peer), Busy::default());
    while let Some((request, respond)) = next(&mut connection, &worker, seat, &busy, &mut life).await {
        let (worker, peer, served) = (Rc::clone(&worker), Rc::clone(&peer), busy.one());
        Rc::clone(&worker.crew).take_on(Work { worker, peer, request, respond, served });
    }
    // Breaks off what is left of its streams, which are told of before the connection counts as ended.
    drop(connection);
    busy.ended().await;
}

fn builder(head: usize) -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MOST_STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MOST_RESET)
        .max_concurrent_reset_streams(MOST_RESET)
        .max_local_error_reset_streams(Some(MOST_ERRORS))
        .enable_connect_protocol();
    builder
}

type Stream = (Request<RecvStream>, SendResponse<Bytes>);

/// The next stream; `None` when the connection is over. Everything of the connection moves only while this is polled.
async fn next<P: Plugin>(
    connection: &mut Connection<Begun, Bytes>,
    worker: &Worker<P>,
    seat: &Seat,
    busy: &Busy,
    life: &mut Life,
) -> Option<Stream> {
    life.quiet_since = None;
    poll_fn(|context| {
        loop {
            match connection.poll_accept(context) {
                Poll::Ready(Some(Ok(stream))) => return Poll::Ready(Some(stream)),
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            seat.note(context.waker());
            // What is said of its end is sent when the connection is polled again.
            if worker.is_cut() && !life.is_cut {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                (life.is_leaving, life.is_cut, life.quiet_since) = (true, true, None);
                continue;
            }
            if !life.is_leaving && (worker.is_draining() || (busy.is_idle() && worker.lacks_room())) {
                connection.graceful_shutdown();
                life.is_leaving = true;
                continue;
            }
            let idle_timeout = worker.gateway.settings.idle_timeout;
            let patience = match (life.is_cut, life.is_leaving) {
                (true, _) => FAREWELL,
                (false, true) => LINGER.min(idle_timeout),
                (false, false) => idle_timeout,
            };
            ready!(life.poll_quiet(context, busy.is_idle() || life.is_cut, patience));
            // Whoever does not hear it in time is not waited for.
            if life.is_leaving {
                return Poll::Ready(None);
            }
            connection.graceful_shutdown();
            (life.quiet_since, life.is_leaving) = (None, true);
        }
    })
    .await
}
