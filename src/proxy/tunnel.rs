//! Bytes both ways after a protocol switch (WebSocket).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use super::io::Io;
use super::link::Link;
use super::timer::Timer;
use super::wire::Wire;

/// One direction. Its end is passed on alone: the other direction may go on (half-close).
struct Lane {
    buffer: BytesMut,
    ended: bool,
    shut: bool,
}

impl Lane {
    fn new(first: BytesMut) -> Self {
        Self { buffer: first, ended: false, shut: false }
    }

    /// Moves what it can; ready when the direction has ended. `moved` is set when anything was moved.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        from: &mut Io,
        to: &mut Io,
        moved: &mut bool,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.buffer.is_empty() {
                ready!(to.poll_drain(context, &mut self.buffer))?;
                *moved = true;
            }
            if self.ended {
                if !self.shut {
                    ready!(Pin::new(&mut *to).poll_shutdown(context))?;
                    self.shut = true;
                }
                return Poll::Ready(Ok(()));
            }
            self.ended = ready!(from.poll_fill(context, &mut self.buffer))? == 0;
            *moved = true;
        }
    }
}

/// Carries bytes until both sides have closed, one breaks, or nothing moves for `limit`.
pub(super) async fn tunnel(wire: &Wire, input: &mut BytesMut, mut link: Box<Link>, timer: &mut Timer, limit: Duration) {
    let mut up = Lane::new(std::mem::take(input));
    let mut down = Lane::new(std::mem::take(&mut link.input));
    let mut last = Instant::now();
    poll_fn(|context| {
        let client = &mut *wire.io.borrow_mut();
        let mut moved = false;
        let sent = up.poll(context, client, &mut link.io, &mut moved);
        let got = down.poll(context, &mut link.io, client, &mut moved);
        if moved {
            last = Instant::now();
        }
        match (sent, got) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(()),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(()),
            _ => timer.poll_until(context, last + limit),
        }
    })
    .await;
}
