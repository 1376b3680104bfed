//! A connection's bytes, plain or through TLS.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// What one read asks for at first, and most; doubled while reads come back full.
const MIN_READ: usize = 4 * 1024;
const MAX_READ: usize = 64 * 1024;

pub(super) enum Io {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

/// A socket of TCP that writes a single part by `send`: `writev`, which TLS and HTTP/2 ask for, costs the kernel a
/// twentieth more.
pub(super) struct Socket(pub TcpStream);

impl Io {
    /// Ready when there may be something to read.
    pub fn poll_something(&self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Plain(Socket(stream)) => stream.poll_read_ready(context).map(|_| ()),
            // What came may have been taken from the socket, and wait within TLS.
            Self::Tls(_) => Poll::Ready(()),
        }
    }

    /// Reads what is there into `buffer`; 0 at the end.
    pub fn poll_fill(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        if buffer.capacity() - buffer.len() < MIN_READ / 2 {
            buffer.reserve(MIN_READ);
        }
        let room = buffer.capacity() - buffer.len();
        // The future holds nothing over a poll, so it may be made anew each time.
        let read = ready!(pin!(self.read_buf(buffer)).poll(context))?;
        if read == room && buffer.capacity() < MAX_READ {
            // More is coming than we ask for at a time: a stream.
            buffer.reserve(buffer.capacity());
        }
        Poll::Ready(Ok(read))
    }

    /// Writes until `buffer` is empty.
    pub fn poll_drain(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<()>> {
        while !buffer.is_empty() {
            let written = ready!(Pin::new(&mut *self).poll_write(context, buffer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            buffer.advance(written);
        }
        // Restores the room in front, where nobody else holds a part of it.
        buffer.clear();
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match parts {
            [part] => Pin::new(&mut self.0).poll_write(context, part),
            _ => Pin::new(&mut self.0).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Lets an emptied buffer, nothing of which is held any more, be filled from its beginning again.
pub(super) fn rewind(buffer: &mut BytesMut) {
    if buffer.is_empty() {
        let capacity = buffer.capacity();
        let _ = buffer.try_reclaim(capacity + 1);
    }
}

/// Rewinds a buffer between two messages, and gives its memory back where a large one made it grow: an idle connection
/// should cost little.
pub(super) fn rest(buffer: &mut BytesMut) {
    rewind(buffer);
    if buffer.is_empty() && buffer.capacity() > 4 * MIN_READ {
        *buffer = BytesMut::new();
    }
}
