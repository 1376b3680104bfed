//! The seam between the exchange and the protocol a client speaks.

use std::io;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use crate::message::{BodyLength, Headers, Source};

/// The body of a request, and the news that nobody waits for the answer any more.
pub(super) trait Inbound: Source {
    /// Ready when the client has gone. Asked only after the body has ended.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// What came after the body. Asked only after the body has ended.
    fn poll_trailers(&mut self, _context: &mut Context<'_>) -> Poll<Option<Headers>> {
        Poll::Ready(None)
    }
}

/// Where an answer goes. Heads are written field by field, so that no list of them has to be made.
pub(super) trait Sink {
    fn begin(&mut self, status: u16);

    fn field(&mut self, name: &[u8], value: &[u8]);

    /// Ends the head. `None`: an answer that cannot have a body (to HEAD, 204, 304); its fields say all.
    fn end_head(&mut self, body: Option<BodyLength>);

    fn push(&mut self, data: &Bytes);

    /// So many bytes of the body, from the front of `input`.
    fn push_front(&mut self, input: &mut BytesMut, length: usize) {
        self.push(&input.split_to(length).freeze());
    }

    /// What comes after the body; left out where the protocol has no place for it.
    fn trailers(&mut self, _trailers: &Headers) {}

    /// The body is whole.
    fn end(&mut self);

    /// Bytes taken but not yet sent.
    fn held(&self) -> usize;

    /// Whether a final head was begun, so that nothing else can be answered.
    fn has_begun(&self) -> bool;

    /// Ready when nothing is held.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}
