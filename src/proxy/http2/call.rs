//! A call over a stream to an upstream: both ways at once, as [`transfer`](crate::proxy::transfer) does over HTTP/1.1.

use std::cell::RefCell;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http::header;
use tokio::time::Instant;

use super::head::read_trailers;
use super::kit::StreamFields;
use crate::message::{BodyLength, Headers, ResponseFrame, ResponseHead, Version};
use crate::proxy::failure::Failure;
use crate::proxy::fields::Fields;
use crate::proxy::seam::{Inbound, Sink};
use crate::proxy::timer::Timer;
use crate::proxy::transfer::{HIGH, Limits, OnHead, Since, of_client};

enum Download {
    Head,
    Body(RecvStream),
    Done,
}

pub(super) struct Call<'c, S, K, H> {
    pub source: &'c mut S,
    pub sink: &'c mut K,
    pub on_head: H,
    pub response: ResponseFuture,
    pub send: SendStream<Bytes>,
    /// A piece that the upstream's window has no room for.
    pub waiting: Bytes,
    /// `false` once the end was sent.
    pub uploading: bool,
    /// Nothing more comes from the source.
    pub drained: bool,
    pub to_head: bool,
    pub limits: Limits,
    draft: &'c RefCell<ResponseHead>,
    download: Download,
    since: Since,
    /// Something of an answer came.
    pub received: bool,
    /// Something of the body was taken from the client.
    pub taken: bool,
    /// The upstream says that it did nothing (`REFUSED_STREAM`, or a GOAWAY before this stream).
    pub refused: bool,
}

/// What a call begins with.
pub(super) struct Order<'c, S, K, H> {
    pub source: &'c mut S,
    pub sink: &'c mut K,
    pub on_head: H,
    pub response: ResponseFuture,
    pub send: SendStream<Bytes>,
    pub prefix: Bytes,
    /// Whether the source comes after it.
    pub with_source: bool,
    /// Whether the end was sent with the head.
    pub is_ended: bool,
    pub to_head: bool,
    pub limits: Limits,
    pub started: Instant,
    /// What the head of the answer is read into, empty in between.
    pub draft: &'c RefCell<ResponseHead>,
}

impl<'c, S: Inbound, K: Sink, H: OnHead<K>> Call<'c, S, K, H> {
    pub fn new(order: Order<'c, S, K, H>) -> Self {
        Self {
            source: order.source,
            sink: order.sink,
            on_head: order.on_head,
            response: order.response,
            send: order.send,
            waiting: order.prefix,
            uploading: !order.is_ended,
            drained: !order.with_source,
            to_head: order.to_head,
            limits: order.limits,
            draft: order.draft,
            download: Download::Head,
            since: Since::new(order.started),
            received: false,
            taken: false,
            refused: false,
        }
    }

    /// Ready when the answer is whole and sent.
    pub fn poll(&mut self, context: &mut Context<'_>, timer: &mut Timer) -> Poll<Result<(), Failure>> {
        loop {
            let mut moved = self.upload(context)?;
            moved |= self.download(context)?;
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
                return Poll::Ready(Ok(()));
            }
            if !moved {
                return self.stall(context, timer);
            }
        }
    }

    /// Ends the upstream's stream where the call did not come to its end.
    pub fn cancel(&mut self) {
        self.send.send_reset(Reason::CANCEL);
    }

    fn upload(&mut self, context: &mut Context<'_>) -> Result<bool, Failure> {
        let mut moved = false;
        while self.uploading && !matches!(self.download, Download::Done) {
            if self.waiting.is_empty() {
                if self.drained {
                    match self.source.poll_trailers(context) {
                        Poll::Pending => break,
                        Poll::Ready(trailers) => self.end_upload(trailers),
                    }
                    return Ok(true);
                }
                match self.source.poll_chunk(context) {
                    Poll::Pending => break,
                    Poll::Ready(Err(error)) => return Err(of_client(&error)),
                    Poll::Ready(Ok(Some(data))) => self.waiting = data,
                    Poll::Ready(Ok(None)) => self.drained = true,
                }
                self.taken = true;
                self.since.client_sent.set();
            } else if !self.send_waiting(context) {
                break;
            }
            moved = true;
        }
        Ok(moved)
    }

    /// Sends of what waits as much as the upstream has room for; false when it has none.
    fn send_waiting(&mut self, context: &mut Context<'_>) -> bool {
        self.send.reserve_capacity(self.waiting.len());
        let mut room = self.send.capacity();
        if room == 0 {
            room = match self.send.poll_capacity(context) {
                Poll::Pending => return false,
                Poll::Ready(Some(Ok(room))) => room,
                // It takes no more; its answer may still come.
                Poll::Ready(_) => {
                    self.uploading = false;
                    return true;
                }
            };
        }
        let part = self.waiting.split_to(room.min(self.waiting.len()));
        self.uploading = self.send.send_data(part, false).is_ok();
        self.since.sent_up.set();
        true
    }

    fn end_upload(&mut self, trailers: Option<Headers>) {
        self.uploading = false;
        let _ = match trailers {
            None => self.send.send_data(Bytes::new(), true),
            Some(trailers) => {
                let mut fields = StreamFields::default();
                trailers.iter().for_each(|(name, value)| fields.put(name, &[value]));
                self.send.send_trailers(fields.take())
            }
        };
        self.since.sent_up.set();
    }

    fn download(&mut self, context: &mut Context<'_>) -> Result<bool, Failure> {
        let mut moved = false;
        while self.sink.held() < HIGH {
            match &mut self.download {
                Download::Done => break,
                Download::Head => match std::pin::Pin::new(&mut self.response).poll(context) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(response)) => self.head(response),
                    Poll::Ready(Err(error)) => return Err(self.broken(&error)),
                },
                Download::Body(body) => match body.poll_data(context) {
                    Poll::Pending => break,
                    Poll::Ready(Some(Ok(data))) => {
                        let _ = body.flow_control().release_capacity(data.len());
                        self.sink.push(&data);
                    }
                    Poll::Ready(Some(Err(error))) => return Err(self.broken(&error)),
                    Poll::Ready(None) => match body.poll_trailers(context) {
                        Poll::Pending => break,
                        Poll::Ready(Err(error)) => return Err(self.broken(&error)),
                        Poll::Ready(Ok(trailers)) => {
                            if let Some(trailers) = trailers {
                                self.sink.trailers(&read_trailers(&trailers));
                            }
                            self.finish();
                        }
                    },
                },
            }
            self.received = true;
            self.since.got_up.set();
            moved = true;
        }
        Ok(moved)
    }

    fn finish(&mut self) {
        self.sink.end();
        self.download = Download::Done;
    }

    fn head(&mut self, response: http::Response<RecvStream>) {
        let (parts, body) = response.into_parts();
        let mut head = self.draft.borrow_mut();
        head.status = parts.status.as_u16();
        head.headers.clear();
        for (name, value) in &parts.headers {
            head.headers.push(name.as_str().as_bytes(), value.as_bytes());
        }
        let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let ended = body.is_end_stream();
        let length = match length {
            _ if ended => BodyLength::NONE,
            Some(length) => BodyLength::Exact(length),
            None => BodyLength::Chunked,
        };
        let frame = ResponseFrame { version: Version::Http2, body: length, keep_alive: true };
        self.on_head.write(&head, &frame, self.sink);
        if ended || self.to_head {
            self.finish();
        } else {
            self.download = Download::Body(body);
        }
    }

    fn broken(&mut self, error: &h2::Error) -> Failure {
        self.refused = error.reason() == Some(Reason::REFUSED_STREAM)
            || (error.is_go_away() && error.is_remote() && error.reason() == Some(Reason::NO_ERROR));
        match error.reason() {
            Some(Reason::PROTOCOL_ERROR) if error.is_library() => Failure::Malformed,
            _ => Failure::Broken,
        }
    }

    /// Nothing moves: looks whether the client is still there and whose time runs out first.
    fn stall(&mut self, context: &mut Context<'_>, timer: &mut Timer) -> Poll<Result<(), Failure>> {
        if self.drained && self.source.poll_gone(context).is_ready() {
            return Poll::Ready(Err(Failure::ClientGone));
        }
        self.since.date();
        let (deadline, failure) = self.next_deadline();
        ready!(timer.poll_until(context, deadline));
        Poll::Ready(Err(failure))
    }

    /// A stream that goes both ways may be silent in one of them for as long as the other one moves.
    fn next_deadline(&self) -> (Instant, Failure) {
        let Limits { upstream_read, upstream_write, client } = self.limits;
        let since = &self.since;
        if self.sink.held() >= HIGH || matches!(self.download, Download::Done) {
            return (since.client_got.at + client, Failure::ClientGone);
        }
        if self.uploading && !self.waiting.is_empty() {
            return (since.sent_up.at.max(since.got_up.at) + upstream_write, Failure::TimedOut);
        }
        let last = since.sent_up.at.max(since.got_up.at);
        (last + upstream_read, Failure::TimedOut)
    }
}
