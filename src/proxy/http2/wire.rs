//! One stream of a client seen from its two ends: a request body coming in, an answer going out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Response, StatusCode};

use super::head::read_trailers;
use super::kit::StreamFields;
use crate::message::{BodyError, BodyLength, Headers, RequestFrame, Source};
use crate::proxy::fields::Fields;
use crate::proxy::seam::{Inbound, Sink};

/// Most that `h2` is asked to take at once.
const MOST_HANDED: usize = 64 * 1024;

/// The way back to the client, which both ends look at. They belong to one task and never borrow across a poll.
pub(super) struct Way {
    respond: RefCell<SendResponse<Bytes>>,
    /// Once the head of the answer is sent.
    send: RefCell<Option<SendStream<Bytes>>>,
}

impl Way {
    pub fn new(respond: SendResponse<Bytes>) -> Self {
        Self { respond: RefCell::new(respond), send: RefCell::default() }
    }

    /// Ends the stream as broken.
    pub fn reset(&self, reason: Reason) {
        match &mut *self.send.borrow_mut() {
            Some(send) => send.send_reset(reason),
            None => self.respond.borrow_mut().send_reset(reason),
        }
    }

    /// The stream for an answer that was begun.
    pub fn into_send(self) -> Option<SendStream<Bytes>> {
        self.send.into_inner()
    }

    fn poll_gone(&self, context: &mut Context<'_>) -> Poll<()> {
        match &mut *self.send.borrow_mut() {
            Some(send) => send.poll_reset(context).map(|_| ()),
            None => self.respond.borrow_mut().poll_reset(context).map(|_| ()),
        }
    }
}

/// The request body.
pub(super) struct StreamSource<'w> {
    way: &'w Way,
    body: RecvStream,
    /// Taken, and not yet told to the client's window.
    unreleased: usize,
    ended: bool,
    held_back: bool,
    pub received: u64,
}

impl<'w> StreamSource<'w> {
    pub fn new(way: &'w Way, body: RecvStream, frame: &RequestFrame) -> Self {
        let ended = frame.body.is_none() && !frame.upgrade;
        Self { way, body, unreleased: 0, ended, held_back: frame.expects_continue, received: 0 }
    }

    pub fn into_body(mut self) -> RecvStream {
        self.release();
        self.body
    }

    fn release(&mut self) {
        if self.unreleased > 0 {
            let _ = self.body.flow_control().release_capacity(std::mem::take(&mut self.unreleased));
        }
    }
}

impl Source for StreamSource<'_> {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        // Whoever asks again has put away what came before.
        self.release();
        if self.ended {
            return Poll::Ready(Ok(None));
        }
        if std::mem::take(&mut self.held_back) && self.way.send.borrow().is_none() {
            let go_on = Response::builder().status(StatusCode::CONTINUE).body(());
            let _ = go_on.map(|go_on| self.way.respond.borrow_mut().send_informational(go_on));
        }
        loop {
            match ready!(self.body.poll_data(context)) {
                None => {
                    self.ended = true;
                    return Poll::Ready(Ok(None));
                }
                // Frames without data have no cost to the window.
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => {
                    self.unreleased = data.len();
                    self.received += data.len() as u64;
                    return Poll::Ready(Ok(Some(data)));
                }
                Some(Err(error)) if error.reason() == Some(Reason::PROTOCOL_ERROR) => {
                    return Poll::Ready(Err(BodyError::Malformed));
                }
                Some(Err(_)) => return Poll::Ready(Err(BodyError::Truncated)),
            }
        }
    }
}

impl Inbound for StreamSource<'_> {
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.way.poll_gone(context)
    }

    fn poll_trailers(&mut self, context: &mut Context<'_>) -> Poll<Option<Headers>> {
        if !self.ended {
            return Poll::Ready(None);
        }
        let trailers = ready!(self.body.poll_trailers(context));
        Poll::Ready(trailers.ok().flatten().map(|trailers| read_trailers(&trailers)))
    }
}

/// The answer.
pub(super) struct StreamSink<'w> {
    way: &'w Way,
    status: u16,
    /// It switches protocols.
    switches: bool,
    fields: &'w mut StreamFields,
    /// The head is out, and what `fields` holds are trailers.
    has_trailers: bool,
    queue: &'w mut VecDeque<Bytes>,
    held: usize,
    begun: bool,
    /// The body is whole; `sent_end`: and the client was told so.
    ended: bool,
    sent_end: bool,
    broken: bool,
    pub sent: u64,
}

impl<'w> StreamSink<'w> {
    pub fn new(way: &'w Way, fields: &'w mut StreamFields, queue: &'w mut VecDeque<Bytes>) -> Self {
        Self {
            way,
            status: 0,
            switches: false,
            fields,
            has_trailers: false,
            queue,
            held: 0,
            begun: false,
            ended: false,
            sent_end: false,
            broken: false,
            sent: 0,
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        let gone = || h2::Error::from(Reason::CANCEL);
        let mut send = self.way.send.borrow_mut();
        let Some(send) = &mut *send else { return Poll::Ready(Err(gone())) };
        while let Some(front) = self.queue.front_mut() {
            send.reserve_capacity(self.held.min(MOST_HANDED));
            let mut room = send.capacity();
            if room == 0 {
                room = match ready!(send.poll_capacity(context)) {
                    Some(granted) => granted?,
                    None => return Poll::Ready(Err(gone())),
                };
            }
            let part = front.split_to(room.min(front.len()));
            if front.is_empty() {
                self.queue.pop_front();
            }
            self.held -= part.len();
            let is_last = self.ended && !self.has_trailers && self.queue.is_empty();
            self.sent_end |= is_last;
            send.send_data(part, is_last)?;
        }
        if self.ended && !self.sent_end {
            self.sent_end = true;
            match self.has_trailers {
                true => send.send_trailers(self.fields.take())?,
                false => send.send_data(Bytes::new(), true)?,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Sink for StreamSink<'_> {
    fn begin(&mut self, status: u16) {
        self.begun = true;
        // To an extended CONNECT, success is 200 (RFC 8441 §5).
        self.switches = status == 101;
        self.status = if self.switches { 200 } else { status };
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.fields.put(name, &[value]);
    }

    fn end_head(&mut self, body: Option<BodyLength>) {
        // A status of gRPC without a body stands for trailers, which have no length.
        if let Some(BodyLength::Exact(length)) = body
            && !self.fields.has_grpc_status()
        {
            self.fields.put_length(length);
        }
        let fields = self.fields.take();
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        *response.headers_mut() = fields;
        let is_all = !self.switches && matches!(body, None | Some(BodyLength::Exact(0)));
        self.ended |= is_all;
        self.sent_end |= is_all;
        match self.way.respond.borrow_mut().send_response(response, is_all) {
            Ok(send) => *self.way.send.borrow_mut() = Some(send),
            Err(_) => self.broken = true,
        }
    }

    fn push(&mut self, data: &Bytes) {
        if !data.is_empty() {
            self.sent += data.len() as u64;
            self.held += data.len();
            self.queue.push_back(data.clone());
        }
    }

    fn trailers(&mut self, trailers: &Headers) {
        self.has_trailers = true;
        trailers.iter().for_each(|(name, value)| self.fields.put(name, &[value]));
    }

    fn end(&mut self) {
        self.ended = true;
    }

    fn held(&self) -> usize {
        // The end itself is one more thing to be sent.
        self.held + usize::from(self.broken || (self.ended && !self.sent_end))
    }

    fn has_begun(&self) -> bool {
        self.begun
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.held() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.poll_send(context).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
