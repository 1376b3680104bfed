//! A client's HTTP/1.1 connection from its first byte to its last.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::{TlsAcceptor, TlsStream};

use super::exchange::{Exchange, Live, Outcome, Report, Space};
use super::gateway::Settings;
use super::http2;
use super::io::{Io, Socket, rest};
use super::own;
use super::preamble;
use super::request_id::RequestId;
use super::timer::Timer;
use super::trace;
use super::tunnel::tunnel;
use super::wire::{Wire, WireSink, WireSource};
use super::worker::{Seat, Worker};
use crate::message::{Refusal, RequestFrame, RequestHead, Scan, Source, Version, read_request};
use crate::plugins::{Peer, Plugin};

/// How long a closed connection is still read, so that what we sent is not lost to a reset.
const LINGER: Duration = Duration::from_secs(5);
const MAX_LINGER: usize = 16 << 20;

/// A connection just accepted.
pub(super) struct Accepted {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub local_port: u16,
    pub acceptor: Option<TlsAcceptor>,
}

/// Serves a connection to its end.
pub(super) async fn serve<P: Plugin>(worker: Rc<Worker<P>>, accepted: Accepted) {
    let Accepted { mut stream, mut peer, local_port, acceptor } = accepted;
    let Settings { trusted, head_timeout, .. } = &worker.gateway.settings;
    let mut input = BytesMut::new();
    if trusted.contains(peer.ip().to_canonical()) {
        let said = async {
            match acceptor {
                None => preamble::read(&mut stream, &mut input).await,
                Some(_) => preamble::take(&mut stream).await,
            }
        };
        match timeout(*head_timeout, said).await {
            // Whether what it says of itself is believed hangs on its own address from here on.
            Ok(Ok(Some(client))) => peer = client,
            Ok(Ok(None)) => {}
            Ok(Err(())) | Err(_) => return,
        }
    }
    let address = peer.ip().to_canonical();
    let trusted = trusted.contains(address);
    let mut peer = Peer { address, port: peer.port(), local_port, tls: acceptor.is_some(), sni: None, trusted };
    let mut is_http2 = false;
    let io = match acceptor {
        None => Io::Plain(Socket(stream)),
        Some(acceptor) => match timeout(*head_timeout, acceptor.accept(Socket(stream))).await {
            Ok(Ok(stream)) => {
                peer.sni = stream.get_ref().1.server_name().map(|name| Arc::from(name.to_ascii_lowercase()));
                is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                Io::Tls(Box::new(TlsStream::from(stream)))
            }
            Ok(Err(_)) | Err(_) => return,
        },
    };
    let seated = worker.sit_down();
    let seat = &seated.seat;
    if is_http2 {
        return Box::pin(http2::serve(Rc::clone(&worker), seat, peer, io, BytesMut::new())).await;
    }
    let switched = Connection::new(&worker, seat, &peer, io, input).serve().await;
    if let Some((io, read)) = switched {
        Box::pin(http2::serve(Rc::clone(&worker), seat, peer, io, read)).await;
    }
}

struct Connection<'c, P: Plugin> {
    worker: &'c Worker<P>,
    seat: &'c Seat,
    peer: &'c Peer,
    wire: Wire,
    input: BytesMut,
    scan: Scan,
    head: RequestHead,
    space: Space,
    timer: Timer,
    /// When it began to wait for a request.
    since: Instant,
    is_first: bool,
}

/// What came of waiting for a request.
enum Next {
    Request(RequestFrame),
    Refused(Refusal),
    /// The client speaks HTTP/2 and knows that we do (RFC 9113 §3.3).
    Http2,
    Closed,
}

enum Preface {
    None,
    Begun,
    Whole,
}

impl<'c, P: Plugin> Connection<'c, P> {
    /// `input`: what was read already.
    fn new(worker: &'c Worker<P>, seat: &'c Seat, peer: &'c Peer, io: Io, input: BytesMut) -> Self {
        let since = Instant::now();
        let timer = Timer::new(since + worker.gateway.settings.head_timeout);
        Self {
            worker,
            seat,
            peer,
            wire: Wire::new(io),
            input,
            scan: Scan::default(),
            head: RequestHead::default(),
            space: Space::default(),
            timer,
            since,
            is_first: true,
        }
    }

    /// To the end; or until it turns out to be one of HTTP/2, given with what was read of it.
    async fn serve(mut self) -> Option<(Io, BytesMut)> {
        loop {
            match self.next().await {
                Next::Request(frame) => {
                    if !self.request(&frame).await {
                        self.close().await;
                        return None;
                    }
                }
                Next::Refused(refusal) => {
                    Box::pin(self.refuse(refusal)).await;
                    Box::pin(self.linger()).await;
                    return None;
                }
                Next::Http2 => return Some((self.wire.io.into_inner(), self.input)),
                Next::Closed => return None,
            }
            self.is_first = false;
            self.head.clear();
            rest(&mut self.input);
            rest(&mut self.wire.out.borrow_mut());
        }
    }

    /// Waits for the next request head.
    async fn next(&mut self) -> Next {
        let settings = &self.worker.gateway.settings;
        let mut first_byte = None;
        let patience = if self.is_first { settings.head_timeout } else { settings.idle_timeout };
        loop {
            match self.preface() {
                Preface::Whole => return Next::Http2,
                Preface::Begun => {}
                Preface::None => match read_request(&mut self.input, &mut self.scan, &settings.head, &mut self.head) {
                    Ok(Some(frame)) => return Next::Request(frame),
                    Ok(None) => {}
                    Err(refusal) => return Next::Refused(refusal),
                },
            }
            let idle = self.input.is_empty();
            let deadline = match idle {
                true => self.since + patience,
                false => *first_byte.get_or_insert_with(Instant::now) + settings.head_timeout,
            };
            let Self { worker, seat, wire, input, timer, is_first, .. } = self;
            let read = poll_fn(|context| {
                if let Poll::Ready(read) = wire.io.borrow_mut().poll_fill(context, input) {
                    return Poll::Ready(Some(read.unwrap_or(0)));
                }
                let is_unwanted = || worker.is_draining() || (!*is_first && worker.lacks_room());
                if worker.is_cut() || (idle && is_unwanted()) {
                    return Poll::Ready(Some(0));
                }
                seat.note(context.waker());
                timer.poll_until(context, deadline).map(|()| None)
            });
            match read.await {
                Some(0) => return Next::Closed,
                Some(_) => {}
                None if idle => return Next::Closed,
                None => return Next::Refused(Refusal::TimedOut),
            }
        }
    }

    /// Whether the connection begins as one of HTTP/2. Over TLS, ALPN has settled that.
    fn preface(&self) -> Preface {
        let length = self.input.len().min(http2::PREFACE.len());
        if !self.is_first || self.peer.tls || length == 0 || self.input[..length] != http2::PREFACE[..length] {
            return Preface::None;
        }
        if length == http2::PREFACE.len() { Preface::Whole } else { Preface::Begun }
    }

    /// Serves one request; false when the connection ends with it.
    async fn request(&mut self, frame: &RequestFrame) -> bool {
        let snapshot = self.worker.snapshot();
        let begun = Instant::now();
        let request_id = RequestId::new();
        let mut source = WireSource::new(&self.wire, &mut self.input, frame);
        let mut sink = WireSink::new(&self.wire, frame, &self.worker.stage);
        let exchange = Exchange {
            worker: self.worker,
            snapshot: &snapshot,
            head: &self.head,
            frame,
            peer: self.peer,
            request_id: request_id.as_str(),
            trace: trace::begin(self.worker.gateway.settings.sampler.as_ref(), &self.head.headers),
            begun,
            now: self.worker.gateway.clock.now(),
        };
        let mut report = Report::default();
        let mut live = Live {
            space: &mut self.space,
            source: &mut source,
            sink: &mut sink,
            timer: &mut self.timer,
            report: &mut report,
        };
        let done = {
            let run = pin!(exchange.run(&mut live));
            self.worker.unless_cut(self.seat, run).await
        };
        let outcome = match done {
            Some(outcome) => outcome,
            None => Box::pin(exchange.stop(&mut live)).await,
        };
        self.since = exchange.record(&report, source.received, sink.sent);
        match outcome {
            Outcome::Switched(link) => {
                let limit = exchange.tunnel_limit(&report);
                let tunnel = Box::pin(tunnel(&self.wire, &mut self.input, link, &mut self.timer, limit));
                let _ = self.worker.unless_cut(self.seat, pin!(tunnel)).await;
                false
            }
            Outcome::Answered { failed } => {
                let goes_on = !failed && sink.keep_alive && !source.is_held_back();
                goes_on && (self.wire.unread() == 0 || self.drop_rest(source_rest(frame)).await)
            }
        }
    }

    /// Reads what is left of a body nobody wanted, so that the next request can be found.
    async fn drop_rest(&mut self, rest: RequestFrame) -> bool {
        let unread = self.wire.unread();
        let frame = RequestFrame { body: crate::message::BodyLength::Exact(unread), ..rest };
        let mut source = WireSource::new(&self.wire, &mut self.input, &frame);
        let deadline = Instant::now() + self.worker.gateway.settings.head_timeout;
        let timer = &mut self.timer;
        let ended = poll_fn(|context| {
            loop {
                match source.poll_chunk(context) {
                    Poll::Ready(Ok(Some(_))) => {}
                    Poll::Ready(Ok(None)) => return Poll::Ready(true),
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                    Poll::Pending => return timer.poll_until(context, deadline).map(|()| false),
                }
            }
        });
        let is_empty = ended.await;
        self.since = Instant::now();
        is_empty
    }

    /// Answers a head that is not taken. Nothing of it is believed, so the answer is JSON and the connection ends.
    async fn refuse(&mut self, refusal: Refusal) {
        let frame = RequestFrame {
            version: Version::Http11,
            body: crate::message::BodyLength::NONE,
            keep_alive: false,
            expects_continue: false,
            upgrade: false,
        };
        self.head.clear();
        self.space.changes.clear();
        let snapshot = self.worker.snapshot();
        let request_id = RequestId::new();
        let now = self.worker.gateway.clock.now();
        let answer = own::error(refusal.status(), &refusal.to_string(), request_id.as_str(), &self.head);
        let mut sink = WireSink::new(&self.wire, &frame, &self.worker.stage);
        let date = self.worker.date(now);
        let status = own::write(&answer, &self.head, &self.space.changes, &date, request_id.as_str(), &mut sink);
        let exchange = Exchange {
            worker: self.worker,
            snapshot: &snapshot,
            head: &self.head,
            frame: &frame,
            peer: self.peer,
            request_id: request_id.as_str(),
            trace: trace::begin(self.worker.gateway.settings.sampler.as_ref(), &self.head.headers),
            begun: Instant::now(),
            now,
        };
        let report = Report { status, ..Report::default() };
        exchange.record(&report, 0, answer.body.len() as u64);
        let deadline = Instant::now() + LINGER;
        let (wire, timer) = (&self.wire, &mut self.timer);
        poll_fn(|context| match wire.poll_flush(context) {
            Poll::Pending => timer.poll_until(context, deadline),
            Poll::Ready(_) => Poll::Ready(()),
        })
        .await;
    }

    /// Ends the connection; at once, where all that the client sent was read.
    async fn close(self) {
        if self.wire.unread() > 0 || !self.input.is_empty() || self.worker.is_cut() {
            return Box::pin(self.linger()).await;
        }
        if let io @ Io::Tls(_) = &mut *self.wire.io.borrow_mut() {
            // Says goodbye if that can be done without waiting.
            let mut context = Context::from_waker(std::task::Waker::noop());
            let _ = Pin::new(io).poll_shutdown(&mut context);
        }
    }

    /// Closes so that the client can read what it was sent: a socket closed over unread bytes is reset, and a reset
    /// takes with it what the client has not read yet.
    async fn linger(mut self) {
        let deadline = Instant::now() + LINGER;
        let (mut read, mut shut) = (0, false);
        self.input.clear();
        let Self { wire, input, timer, .. } = &mut self;
        poll_fn(|context| {
            let closed = poll_farewell(wire, input, &mut shut, &mut read, context);
            if closed.is_ready() { Poll::Ready(()) } else { timer.poll_until(context, deadline) }
        })
        .await;
    }
}

fn poll_farewell(
    wire: &Wire,
    input: &mut BytesMut,
    shut: &mut bool,
    read: &mut usize,
    context: &mut Context<'_>,
) -> Poll<()> {
    let io = &mut *wire.io.borrow_mut();
    if !*shut {
        let _ = ready!(Pin::new(&mut *io).poll_shutdown(context));
        *shut = true;
    }
    while *read < MAX_LINGER {
        match ready!(io.poll_fill(context, input)) {
            Ok(0) | Err(_) => return Poll::Ready(()),
            Ok(length) => *read += length,
        }
        input.clear();
    }
    Poll::Ready(())
}

/// The frame of a request whose client has stopped waiting for a 100.
fn source_rest(frame: &RequestFrame) -> RequestFrame {
    RequestFrame { expects_continue: false, ..*frame }
}
