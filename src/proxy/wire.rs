//! One client's HTTP/1.1 connection seen from its two ends: a request body coming in, an answer going out.

use std::cell::{Cell, RefCell};
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};

use super::gateway::Stage;
use super::io::Io;
use super::seam::{Inbound, Sink};
use crate::message::{
    BodyError, BodyLength, Decoded, Decoder, LAST_CHUNK, RequestFrame, Source, Version, encode_chunk,
};

/// Longest rest of a body that is read and dropped to keep a connection; a longer one closes it.
pub(super) const MAX_DROPPED: u64 = 64 * 1024;
/// How much is read ahead of pipelined requests while an answer is awaited.
const MAX_AHEAD: usize = 8 * 1024;

/// Bytes of an answer for which room is made at once.
const USUAL: usize = 512;

/// What both ends share. They belong to one task and are never borrowed across a poll.
pub(super) struct Wire {
    pub io: RefCell<Io>,
    pub out: RefCell<BytesMut>,
    /// Bytes of request body not read yet; the maximum while a chunked body goes on.
    unread: Cell<u64>,
    begun: Cell<bool>,
}

impl Wire {
    pub fn new(io: Io) -> Self {
        Self { io: RefCell::new(io), out: RefCell::default(), unread: Cell::new(0), begun: Cell::new(false) }
    }

    pub fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut out = self.out.borrow_mut();
        if out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.io.borrow_mut().poll_drain(context, &mut out)
    }

    /// What is left of the body the last [`WireSource`] stood for.
    pub fn unread(&self) -> u64 {
        self.unread.get()
    }
}

/// The request body.
pub(super) struct WireSource<'w> {
    wire: &'w Wire,
    input: &'w mut BytesMut,
    decoder: Option<Decoder>,
    /// The client waits to be told to go on.
    held_back: bool,
    pub received: u64,
}

impl<'w> WireSource<'w> {
    pub fn new(wire: &'w Wire, input: &'w mut BytesMut, frame: &RequestFrame) -> Self {
        let (decoder, unread) = match frame.body {
            BodyLength::Exact(length) => (None, length),
            BodyLength::Chunked | BodyLength::UntilClose => (Some(Decoder::default()), u64::MAX),
        };
        wire.unread.set(unread);
        wire.begun.set(false);
        Self { wire, input, decoder, held_back: frame.expects_continue, received: 0 }
    }

    /// Whether the client still waits for a 100 that it will not get now.
    pub fn is_held_back(&self) -> bool {
        self.held_back
    }

    fn take(&mut self) -> Result<Option<Bytes>, BodyError> {
        if let Some(decoder) = &mut self.decoder {
            return match decoder.decode(self.input).map_err(|_| BodyError::Malformed)? {
                Decoded::Data(data) => Ok(Some(data)),
                Decoded::More => Ok(None),
                Decoded::End => {
                    self.wire.unread.set(0);
                    Ok(None)
                }
            };
        }
        if self.input.is_empty() {
            return Ok(None);
        }
        let left = self.wire.unread.get();
        let length = usize::try_from(left).map_or(self.input.len(), |left| left.min(self.input.len()));
        self.wire.unread.set(left - length as u64);
        Ok(Some(self.input.split_to(length).freeze()))
    }

    /// RFC 9110 §10.1.1: asks for the body, unless it has begun to come or the answer has begun to go.
    fn ask(&mut self) {
        if std::mem::take(&mut self.held_back) && self.input.is_empty() && !self.wire.begun.get() {
            self.wire.out.borrow_mut().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }
}

impl Source for WireSource<'_> {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        if self.wire.unread.get() == 0 {
            return Poll::Ready(Ok(None));
        }
        self.ask();
        if !self.wire.begun.get() {
            // Nothing but that 100 can be held here; what does not fit now goes out at the next poll.
            let _ = self.wire.poll_flush(context)?;
        }
        loop {
            if let Some(data) = self.take()? {
                self.received += data.len() as u64;
                return Poll::Ready(Ok(Some(data)));
            }
            if self.wire.unread.get() == 0 {
                return Poll::Ready(Ok(None));
            }
            if ready!(self.wire.io.borrow_mut().poll_fill(context, self.input))? == 0 {
                return Poll::Ready(Err(BodyError::Truncated));
            }
        }
    }
}

impl Inbound for WireSource<'_> {
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.input.len() < MAX_AHEAD {
            match ready!(self.wire.io.borrow_mut().poll_fill(context, self.input)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        Poll::Pending
    }
}

/// The answer.
pub(super) struct WireSink<'w> {
    wire: &'w Wire,
    version: Version,
    status: u16,
    chunked: bool,
    stage: &'w Cell<Stage>,
    /// Whether the connection is kept after this answer; what the head said.
    pub keep_alive: bool,
    pub sent: u64,
}

impl<'w> WireSink<'w> {
    pub fn new(wire: &'w Wire, frame: &RequestFrame, stage: &'w Cell<Stage>) -> Self {
        Self { wire, version: frame.version, status: 0, chunked: false, stage, keep_alive: frame.keep_alive, sent: 0 }
    }

    fn write(&mut self, data: &[u8]) {
        self.sent += data.len() as u64;
        let mut out = self.wire.out.borrow_mut();
        if self.chunked {
            encode_chunk(data, &mut out);
        } else {
            out.extend_from_slice(data);
        }
    }
}

impl Sink for WireSink<'_> {
    fn begin(&mut self, status: u16) {
        self.wire.begun.set(true);
        self.status = status;
        let mut out = self.wire.out.borrow_mut();
        out.reserve(USUAL);
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
        out.extend_from_slice(b" ");
        out.extend_from_slice(reason(status).as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    // As for requests: most names are known.
    #[inline(always)]
    fn field(&mut self, name: &[u8], value: &[u8]) {
        let mut out = self.wire.out.borrow_mut();
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }

    fn end_head(&mut self, body: Option<BodyLength>) {
        match body {
            None => {}
            Some(BodyLength::Exact(length)) => {
                self.field(b"Content-Length", itoa::Buffer::new().format(length).as_bytes());
            }
            Some(BodyLength::Chunked | BodyLength::UntilClose) if self.version == Version::Http11 => {
                self.chunked = true;
                self.field(b"Transfer-Encoding", b"chunked");
            }
            Some(BodyLength::Chunked | BodyLength::UntilClose) => self.keep_alive = false,
        }
        self.keep_alive &= self.wire.unread.get() <= MAX_DROPPED && self.stage.get() == Stage::Serving;
        match (self.keep_alive, self.version) {
            _ if self.status == 101 => self.field(b"Connection", b"Upgrade"),
            (true, Version::Http11 | Version::Http2) => {}
            (true, Version::Http10) => self.field(b"Connection", b"keep-alive"),
            (false, _) => self.field(b"Connection", b"close"),
        }
        self.wire.out.borrow_mut().extend_from_slice(b"\r\n");
    }

    fn push(&mut self, data: &Bytes) {
        self.write(data);
    }

    fn push_front(&mut self, input: &mut BytesMut, length: usize) {
        // Copied either way: parting the buffer would only cost.
        self.write(&input[..length]);
        input.advance(length);
    }

    fn end(&mut self) {
        if self.chunked {
            self.wire.out.borrow_mut().extend_from_slice(LAST_CHUNK);
        }
    }

    fn held(&self) -> usize {
        self.wire.out.borrow().len()
    }

    fn has_begun(&self) -> bool {
        self.wire.begun.get()
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.poll_flush(context)
    }
}

/// The usual words for a status; they mean nothing to a program (RFC 9112 §4).
fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
