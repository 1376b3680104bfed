//! A client's HTTP/2 connection: takes streams, gives each to a task of its own, and ends when all is quiet.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::server::{Builder, Connection, SendResponse};
use http::Request;
use tokio::time::{Instant, timeout};

use super::begun::Begun;
use super::stream;
use crate::plugins::{Peer, Plugin};
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

/// Streams that are being served.
#[derive(Clone, Default)]
struct Busy(Rc<Cell<usize>>);

impl Busy {
    fn one(&self) -> Self {
        self.0.set(self.0.get() + 1);
        self.clone()
    }

    /// Of how many this is one, without itself.
    fn is_idle(&self) -> bool {
        self.0.get() == 0
    }
}

/// One served stream, for as long as it is held.
pub(super) struct Served(Busy);

impl Drop for Served {
    fn drop(&mut self) {
        let Busy(count) = &self.0;
        count.set(count.get() - 1);
    }
}

/// Serves a connection, of which `read` was read already, to its end.
pub(in crate::proxy) async fn serve<P: Plugin>(worker: Rc<Worker<P>>, seat: &Seat, peer: Peer, io: Io, read: BytesMut) {
    let settings = &worker.gateway.settings;
    let handshake = builder(settings.head.head).handshake::<_, Bytes>(Begun::new(read, io));
    let Ok(Ok(mut connection)) = timeout(settings.head_timeout, handshake).await else { return };
    let (peer, busy) = (Rc::new(peer), Busy::default());
    let mut timer = Timer::new(Instant::now() + settings.idle_timeout);
    while let Some((request, respond)) = next(&mut connection, &worker, seat, &busy, &mut timer).await {
        let served = Served(busy.one());
        actix_rt::spawn(stream::serve(Rc::clone(&worker), Rc::clone(&peer), request, respond, served));
    }
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
    timer: &mut Timer,
) -> Option<Stream> {
    let (mut quiet_since, mut has_said_goodbye) = (None, false);
    poll_fn(|context| {
        loop {
            match connection.poll_accept(context) {
                Poll::Ready(Some(Ok(stream))) => return Poll::Ready(Some(stream)),
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            seat.note(context.waker());
            if worker.is_draining() && !has_said_goodbye {
                // Sent when the connection is polled again.
                connection.graceful_shutdown();
                has_said_goodbye = true;
                continue;
            }
            if !busy.is_idle() {
                quiet_since = None;
                return Poll::Pending;
            }
            let since = *quiet_since.get_or_insert_with(Instant::now);
            if timer.poll_until(context, since + worker.gateway.settings.idle_timeout).is_pending() {
                return Poll::Pending;
            }
            // Whoever does not hear it in time is not waited for.
            if has_said_goodbye {
                return Poll::Ready(None);
            }
            connection.graceful_shutdown();
            (quiet_since, has_said_goodbye) = (None, true);
        }
    })
    .await
}
