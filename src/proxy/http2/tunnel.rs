//! Bytes both ways after an extended CONNECT (RFC 8441): a client's stream, and an upstream's connection.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use crate::proxy::io::Io;
use crate::proxy::link::Link;
use crate::proxy::timer::Timer;

/// What the client sends. Its end is passed on alone: the other direction may go on.
struct Up {
    body: RecvStream,
    buffer: BytesMut,
    ended: bool,
    shut: bool,
}

impl Up {
    fn poll(&mut self, context: &mut Context<'_>, to: &mut Io, moved: &mut bool) -> Poll<io::Result<()>> {
        loop {
            if !self.buffer.is_empty() {
                let length = self.buffer.len();
                ready!(to.poll_drain(context, &mut self.buffer))?;
                let _ = self.body.flow_control().release_capacity(length);
                *moved = true;
            }
            if self.ended {
                if !self.shut {
                    ready!(Pin::new(&mut *to).poll_shutdown(context))?;
                    self.shut = true;
                }
                return Poll::Ready(Ok(()));
            }
            match ready!(self.body.poll_data(context)) {
                Some(Ok(data)) => self.buffer.extend_from_slice(&data),
                Some(Err(_)) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => self.ended = true,
            }
            *moved = true;
        }
    }
}

/// What the upstream sends.
struct Down {
    send: SendStream<Bytes>,
    buffer: BytesMut,
    ended: bool,
    told: bool,
}

impl Down {
    fn poll(&mut self, context: &mut Context<'_>, from: &mut Io, moved: &mut bool) -> Poll<io::Result<()>> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        loop {
            while !self.buffer.is_empty() {
                self.send.reserve_capacity(self.buffer.len());
                let room = match self.send.capacity() {
                    0 => ready!(self.send.poll_capacity(context)).ok_or_else(gone)?.map_err(|_| gone())?,
                    room => room,
                };
                let part = self.buffer.split_to(room.min(self.buffer.len())).freeze();
                self.send.send_data(part, false).map_err(|_| gone())?;
                *moved = true;
            }
            if self.ended {
                if !std::mem::replace(&mut self.told, true) {
                    self.send.send_data(Bytes::new(), true).map_err(|_| gone())?;
                }
                return Poll::Ready(Ok(()));
            }
            self.ended = ready!(from.poll_fill(context, &mut self.buffer))? == 0;
            *moved = true;
        }
    }
}

/// Carries bytes until both sides have ended, one breaks, or nothing moves for `limit`.
pub(super) async fn tunnel(
    send: SendStream<Bytes>,
    body: RecvStream,
    mut link: Box<Link>,
    timer: &mut Timer,
    limit: Duration,
) {
    let mut up = Up { body, buffer: BytesMut::new(), ended: false, shut: false };
    let mut down = Down { send, buffer: std::mem::take(&mut link.input), ended: false, told: false };
    let mut last = Instant::now();
    let is_whole = poll_fn(|context| {
        let mut moved = false;
        let sent = up.poll(context, &mut link.io, &mut moved);
        let got = down.poll(context, &mut link.io, &mut moved);
        if moved {
            last = Instant::now();
        }
        match (sent, got) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(false),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(true),
            _ => timer.poll_until(context, last + limit).map(|()| false),
        }
    });
    if !is_whole.await {
        // RFC 8441 §5: as a connection that is reset.
        down.send.send_reset(Reason::CANCEL);
    }
}
