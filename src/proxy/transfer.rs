//! Both ways at once: a request body to the upstream, an answer to the client.
//!
//! One task, one poll function; each direction holds a bounded buffer and stops reading while it is full.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::failure::Failure;
use super::io::rewind;
use super::link::Link;
use super::seam::{Inbound, Sink};
use super::timer::Timer;
use crate::message::{
    BodyError, BodyLength, Decoded, Decoder, LAST_CHUNK, ResponseFrame, ResponseHead, encode_chunk, read_response,
};

/// Bytes held for a slow reader before its source is left to wait.
pub(super) const HIGH: usize = 64 * 1024;
/// Most head of an upstream's answer.
const MAX_HEAD: usize = 64 * 1024;
/// Most interim answers (1xx) before a final one.
const MAX_INTERIM: u8 = 16;

/// Time limits of one exchange.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub upstream_read: Duration,
    pub upstream_write: Duration,
    pub client: Duration,
}

/// How an exchange ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The answer is whole and sent. Whether the upstream's connection can be used again.
    Whole { reusable: bool },
    /// The upstream switched protocols; the head is sent.
    Switched,
}

enum Download {
    Head { interim: u8 },
    Exact { left: u64 },
    Chunked(Decoder),
    UntilClose,
    Done,
}

/// What an answer's head makes the caller do: write it to the sink, and say how its body is sent on.
pub(super) trait OnHead<K> {
    fn write(&mut self, head: &ResponseHead, frame: &ResponseFrame, sink: &mut K);
}

impl<K, F: FnMut(&ResponseHead, &ResponseFrame, &mut K)> OnHead<K> for F {
    fn write(&mut self, head: &ResponseHead, frame: &ResponseFrame, sink: &mut K) {
        self(head, frame, sink);
    }
}

pub(super) struct Transfer<'t, S, K, H> {
    source: &'t mut S,
    sink: &'t mut K,
    link: &'t mut Link,
    on_head: H,
    to_head: bool,
    upgrade: bool,
    limits: Limits,
    /// Upload: `None` once all of it was taken from the source.
    upload: Option<Upload>,
    /// The upstream takes no more; its answer may still come.
    upload_broken: bool,
    download: Download,
    switched: bool,
    keep_alive: bool,
    /// Something of an answer came.
    pub received: bool,
    /// Something of the body was taken from the client, which cannot send it twice.
    pub taken: bool,
    since: Since,
}

struct Upload {
    chunked: bool,
}

/// When each party last did something. The clock is read only when everything waits: what happened since the last such
/// moment is marked, and dated then.
pub(super) struct Since {
    pub sent_up: Mark,
    pub got_up: Mark,
    pub client_sent: Mark,
    pub client_got: Mark,
    /// When all began, until something waits: up to then no time has passed to speak of.
    fresh: Option<Instant>,
}

pub(super) struct Mark {
    pub at: Instant,
    is_new: bool,
}

impl Mark {
    pub fn set(&mut self) {
        self.is_new = true;
    }
}

impl Since {
    pub fn new(at: Instant) -> Self {
        let mark = || Mark { at, is_new: false };
        Self { sent_up: mark(), got_up: mark(), client_sent: mark(), client_got: mark(), fresh: None }
    }

    /// What begins at this very moment.
    pub fn now(at: Instant) -> Self {
        Self { fresh: Some(at), ..Self::new(at) }
    }

    pub fn date(&mut self) {
        // The upstream's time to answer begins when it has got what was sent.
        self.got_up.is_new |= self.sent_up.is_new;
        let marks = [&mut self.sent_up, &mut self.got_up, &mut self.client_sent, &mut self.client_got];
        let mut now = self.fresh.take();
        for mark in marks.into_iter().filter(|mark| mark.is_new) {
            *mark = Mark { at: *now.get_or_insert_with(Instant::now), is_new: false };
        }
    }
}

pub(super) struct Order<'t, S, K, H> {
    pub source: &'t mut S,
    pub sink: &'t mut K,
    pub link: &'t mut Link,
    pub on_head: H,
    /// What is sent before anything of the source.
    pub prefix: &'t Bytes,
    /// Whether the source comes after it.
    pub with_source: bool,
    pub body: BodyLength,
    pub to_head: bool,
    pub upgrade: bool,
    pub limits: Limits,
    pub started: Instant,
}

impl<'t, S: Inbound, K: Sink, H: OnHead<K>> Transfer<'t, S, K, H> {
    /// The head of the request is in the link's buffer already.
    pub fn new(order: Order<'t, S, K, H>) -> Self {
        let Order { source, sink, link, on_head, prefix, with_source, body, to_head, upgrade, limits, started } = order;
        let chunked = body == BodyLength::Chunked;
        if chunked {
            encode_chunk(prefix, &mut link.out);
        } else {
            link.out.extend_from_slice(prefix);
        }
        if chunked && !with_source {
            link.out.extend_from_slice(LAST_CHUNK);
        }
        Self {
            source,
            sink,
            link,
            on_head,
            to_head,
            upgrade,
            limits,
            upload: (with_source && !body.is_none()).then_some(Upload { chunked }),
            upload_broken: false,
            download: Download::Head { interim: 0 },
            switched: false,
            keep_alive: false,
            received: false,
            taken: false,
            since: Since::now(started),
        }
    }

    pub fn poll(&mut self, context: &mut Context<'_>, timer: &mut Timer) -> Poll<Result<Ended, Failure>> {
        loop {
            // What was sent up leaves nothing to be done here until somebody answers.
            self.upload(context)?;
            let mut moved = self.download(context)?;
            let done = matches!(self.download, Download::Done);
            if self.sink.held() > 0 && (done || !moved || self.sink.held() >= HIGH) {
                let before = self.sink.held();
                let flushed = self.sink.poll_flush(context).map_err(|_| Failure::ClientGone)?;
                moved |= self.sink.held() < before;
                if flushed.is_ready() {
                    self.since.client_got.set();
                }
            }
            if done && self.sink.held() == 0 {
                return Poll::Ready(Ok(self.ended()));
            }
            if !moved {
                return self.stall(context, timer);
            }
        }
    }

    fn ended(&self) -> Ended {
        if self.switched {
            return Ended::Switched;
        }
        // An answer before the whole request was sent: the upstream may still wait for the rest of it.
        let whole = self.upload.is_none() && !self.upload_broken && self.link.out.is_empty();
        Ended::Whole { reusable: whole && self.keep_alive && self.link.input.is_empty() }
    }

    /// Moves what it can to the upstream.
    fn upload(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        loop {
            while let Some(upload) = &self.upload
                && self.link.out.len() < HIGH
                && !matches!(self.download, Download::Done)
            {
                match self.source.poll_chunk(context) {
                    Poll::Pending => break,
                    Poll::Ready(Err(error)) => return Err(of_client(&error)),
                    Poll::Ready(Ok(Some(_))) if self.upload_broken => {}
                    Poll::Ready(Ok(Some(data))) if upload.chunked => encode_chunk(&data, &mut self.link.out),
                    Poll::Ready(Ok(Some(data))) => self.link.out.extend_from_slice(&data),
                    Poll::Ready(Ok(None)) => {
                        if upload.chunked && !self.upload_broken {
                            self.link.out.extend_from_slice(LAST_CHUNK);
                        }
                        self.upload = None;
                    }
                }
                self.taken = true;
                self.since.client_sent.set();
            }
            if self.link.out.is_empty() {
                return Ok(());
            }
            let before = self.link.out.len();
            match self.link.io.poll_drain(context, &mut self.link.out) {
                Poll::Ready(Ok(())) => {}
                // It may have answered before it closed; reading will tell.
                Poll::Ready(Err(_)) => {
                    self.upload_broken = true;
                    self.link.out.clear();
                }
                Poll::Pending if self.link.out.len() == before => return Ok(()),
                Poll::Pending => {}
            }
            self.since.sent_up.set();
        }
    }

    /// Moves what it can from the upstream into the sink.
    fn download(&mut self, context: &mut Context<'_>) -> Result<bool, Failure> {
        let mut moved = false;
        while !matches!(self.download, Download::Done) && self.sink.held() < HIGH {
            if self.digest()? {
                moved = true;
                continue;
            }
            match self.link.io.poll_fill(context, &mut self.link.input) {
                Poll::Pending => break,
                Poll::Ready(Ok(length)) if length > 0 => {
                    self.received = true;
                    self.since.got_up.set();
                }
                Poll::Ready(Ok(_)) if matches!(self.download, Download::UntilClose) => self.finish(),
                Poll::Ready(_) => return Err(Failure::Broken),
            }
            moved = true;
        }
        Ok(moved)
    }

    /// Takes one step with what was read; false when more is needed.
    fn digest(&mut self) -> Result<bool, Failure> {
        let input = &mut self.link.input;
        match &mut self.download {
            Download::Head { .. } => return self.head(),
            Download::Done => return Ok(false),
            Download::Exact { left: 0 } => {
                self.finish();
                return Ok(true);
            }
            Download::Exact { .. } | Download::UntilClose if input.is_empty() => return Ok(false),
            Download::Exact { left } => {
                let length = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                *left -= length as u64;
                self.sink.push_front(input, length);
            }
            Download::UntilClose => self.sink.push_front(input, input.len()),
            Download::Chunked(decoder) => match decoder.decode(input).map_err(|_| Failure::Malformed)? {
                Decoded::Data(data) => self.sink.push(&data),
                Decoded::More => return Ok(false),
                Decoded::End => {
                    self.finish();
                    return Ok(true);
                }
            },
        }
        rewind(&mut self.link.input);
        Ok(true)
    }

    fn finish(&mut self) {
        self.sink.end();
        self.download = Download::Done;
    }

    fn head(&mut self) -> Result<bool, Failure> {
        let Link { input, scan, head, .. } = &mut *self.link;
        let frame = read_response(input, scan, MAX_HEAD, self.to_head, head).map_err(|_| Failure::Malformed)?;
        let Some(frame) = frame else { return Ok(false) };
        let Download::Head { interim } = &mut self.download else { return Ok(false) };
        match head.status {
            101 if self.upgrade => {
                self.switched = true;
                self.on_head.write(head, &frame, self.sink);
                self.download = Download::Done;
                return Ok(true);
            }
            101 => return Err(Failure::Malformed),
            100..200 => {
                *interim += 1;
                return if *interim > MAX_INTERIM { Err(Failure::Malformed) } else { Ok(true) };
            }
            _ => {}
        }
        self.keep_alive = frame.keep_alive;
        self.on_head.write(head, &frame, self.sink);
        self.download = match frame.body {
            BodyLength::Exact(left) => Download::Exact { left },
            BodyLength::Chunked => Download::Chunked(Decoder::default()),
            BodyLength::UntilClose => Download::UntilClose,
        };
        Ok(true)
    }

    /// Nothing moves: looks whether the client is still there and whose time runs out first.
    fn stall(&mut self, context: &mut Context<'_>, timer: &mut Timer) -> Poll<Result<Ended, Failure>> {
        if self.upload.is_none() && self.source.poll_gone(context).is_ready() {
            return Poll::Ready(Err(Failure::ClientGone));
        }
        self.since.date();
        let (deadline, failure) = self.next_deadline();
        ready!(timer.poll_until(context, deadline));
        Poll::Ready(Err(failure))
    }

    fn next_deadline(&self) -> (Instant, Failure) {
        let Limits { upstream_read, upstream_write, client } = self.limits;
        let done = matches!(self.download, Download::Done);
        let up_full = !self.link.out.is_empty();
        let down_full = self.sink.held() >= HIGH || (done && self.sink.held() > 0);
        let waits_for_client = self.upload.is_some() && !up_full && !done;
        let waits_for_answer = self.upload.is_none() && !up_full && !done && !down_full;
        let deadlines = [
            up_full.then(|| (self.since.sent_up.at + upstream_write, Failure::TimedOut)),
            waits_for_client.then(|| (self.since.client_sent.at + client, Failure::ClientStalled)),
            waits_for_answer.then(|| (self.since.got_up.at + upstream_read, Failure::TimedOut)),
            down_full.then(|| (self.since.client_got.at + client, Failure::ClientGone)),
        ];
        let first = deadlines.into_iter().flatten().min_by_key(|(deadline, _)| *deadline);
        first.unwrap_or_else(|| (self.since.got_up.at + upstream_read, Failure::TimedOut))
    }
}

pub(super) fn of_client(error: &BodyError) -> Failure {
    match error {
        BodyError::Malformed | BodyError::TooLong(_) => Failure::ClientMalformed,
        BodyError::TimedOut => Failure::ClientStalled,
        BodyError::Truncated | BodyError::Io(_) => Failure::ClientGone,
    }
}
