//! A body as it arrives.

use std::task::{Context, Poll};

use bytes::Bytes;

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The peer went away before the body was whole.
    #[error("body ended before it was complete")]
    Truncated,
    #[error("malformed chunk in the body")]
    Malformed,
    #[error("no byte of the body came in time")]
    TimedOut,
    #[error("body is longer than {0} bytes")]
    TooLong(usize),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Where the bytes of a body come from, whatever the protocol.
pub trait Source {
    /// The next piece, never empty; `None` at the end, and again after it.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>>;
}
