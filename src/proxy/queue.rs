//! Clients that wait at a listening socket.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;

/// A listening socket that does not block, as one worker accepts at it.
///
/// The runtime's own listener learns that nobody waits by an `accept` that fails, for which the kernel makes a socket
/// and throws it away: a good part of what a connection costs. Here the queue is looked at instead.
pub(super) struct Queue {
    socket: AsyncFd<TcpListener>,
    /// One was accepted since the runtime last told of some: whether another one waits is not known.
    is_unsure: Cell<bool>,
}

impl Queue {
    /// # Errors
    /// The runtime cannot watch it.
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe; a std listener keeps its descriptor, so nothing else is watched"
    )]
    pub fn new(socket: TcpListener) -> io::Result<Self> {
        let socket = AsyncFd::with_interest(socket, Interest::READABLE)?;
        Ok(Self { socket, is_unsure: Cell::new(false) })
    }

    /// The next connection.
    ///
    /// # Errors
    /// As `accept(2)`.
    pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        loop {
            let mut ready = ready!(self.socket.poll_read_ready(context))?;
            if self.is_unsure.take() && !self.is_waited_at() {
                ready.clear_ready();
                continue;
            }
            match self.socket.get_ref().accept() {
                Ok((stream, peer)) => {
                    self.is_unsure.set(true);
                    stream.set_nonblocking(true)?;
                    return Poll::Ready(Ok((TcpStream::from_std(stream)?, peer)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn is_waited_at(&self) -> bool {
        let mut looked = [PollFd::new(self.socket.get_ref(), PollFlags::IN)];
        // What cannot be looked at is found out by accepting.
        !matches!(poll(&mut looked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
    }

    pub fn into_inner(self) -> TcpListener {
        self.socket.into_inner()
    }
}
